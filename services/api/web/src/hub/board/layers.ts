// How the hub's map draws defects: pins by band and clock, from afar squares with their number, or heat.
import type { DataDrivenPropertyValueSpecification, GeoJSONSourceSpecification, LayerSpecification } from "maplibre-gl";
import type { Overlay } from "../../map/style";
import { NEAREST } from "../../map/tiles";

export const DEFECTS = "defects";
export const PINS = "pins";
export const SQUARES = "squares";
export const COUNTS = "squares-counts";
export const HEAT = "heat";
export const WAITING = "waiting";
/** Nearer than this the same tiles are drawn larger: see map/pins.ts. */
const DEEPEST = NEAREST - 4;

export interface Drawn {
  dark: boolean;
  /** Where the tiles are; or the defects themselves, of a past day. */
  of: string | GeoJSON.FeatureCollection;
  heat: boolean;
  /** Seconds since 1970: what is due before is due today. */
  tomorrow: number;
  /** How much larger signs are than on a desk. */
  scale: number;
}

export function overlay({ dark, of, heat, tomorrow, scale }: Drawn): Overlay {
  const tiled = typeof of === "string";
  const from = tiled ? { source: DEFECTS, "source-layer": "defects" } : { source: DEFECTS };
  const disc = dark ? "#dfe6e3" : "#29363a";
  const words = dark ? "#101615" : "#ffffff";
  const late = dark ? "#ff8c7e" : "#a5160a";
  const layers: LayerSpecification[] = [
    {
      id: HEAT,
      type: "heatmap",
      ...from,
      layout: { visibility: heat ? "visible" : "none" },
      paint: {
        "heatmap-weight": ["interpolate", ["linear"], ["log10", ["get", "count"]], 0, 0.25, 3, 1],
        "heatmap-radius": ["interpolate", ["linear"], ["zoom"], 8, 26, 14, 40],
        "heatmap-intensity": ["interpolate", ["linear"], ["zoom"], 8, 0.7, 15, 1.4],
        "heatmap-opacity": 0.8,
      },
    },
    {
      id: SQUARES,
      type: "circle",
      ...from,
      filter: [">", ["get", "count"], 1],
      paint: {
        "circle-color": ["case", [">", ["get", "overdue"], 0], late, disc],
        "circle-opacity": heat ? 0 : 0.88,
        "circle-stroke-opacity": heat ? 0 : 1,
        "circle-stroke-color": words,
        "circle-stroke-width": 1.5,
        "circle-radius": ["interpolate", ["linear"], ["log10", ["get", "count"]], 0.3, 11 * scale, 3.5, 20 * scale],
      },
    },
    {
      id: COUNTS,
      type: "symbol",
      ...from,
      filter: [">", ["get", "count"], 1],
      layout: {
        "text-field": [
          "format",
          short("count"),
          {},
          ["case", [">", ["get", "overdue"], 0], ["concat", "\n", short("overdue"), " late"], ""],
          { "font-scale": 0.72 },
        ],
        "text-font": ["Roadmend Bold", "system-ui"],
        "text-size": 12 * scale,
        "text-line-height": 1,
        "text-allow-overlap": true,
        "text-ignore-placement": true,
      },
      paint: { "text-color": words, "text-opacity": heat ? 0 : 1 },
    },
    {
      id: PINS,
      type: "symbol",
      ...from,
      filter: ["==", ["get", "count"], 1],
      layout: {
        "icon-image": pinOf(tomorrow),
        "icon-size": ["interpolate", ["linear"], ["zoom"], 8, 0.7 * scale, 14, 0.9 * scale, 17, 1.1 * scale],
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
      },
      paint: { "icon-opacity": heat ? 0.35 : 1 },
    },
  ];
  return { sources: { [DEFECTS]: tiled ? { type: "vector", tiles: [of], minzoom: 0, maxzoom: DEEPEST } : ofADay(of) }, layers };
}

/** Counted as the server counts its tiles: what lies close is one square, with how many of it are late. */
function ofADay(of: GeoJSON.FeatureCollection): GeoJSONSourceSpecification {
  const sum = (name: string) => ["+", ["get", name]];
  return {
    type: "geojson",
    data: of,
    cluster: true,
    clusterMaxZoom: 13,
    clusterRadius: 32,
    clusterProperties: { count: sum("count"), overdue: sum("overdue"), danger: sum("danger") } as never,
  };
}

export function waitingLayer(what: string): LayerSpecification {
  return {
    id: WAITING,
    type: "symbol",
    source: WAITING,
    layout: { "icon-image": `point-${what}`, "icon-size": 1, "icon-allow-overlap": true, "icon-ignore-placement": true },
  };
}

/** The name of a pin's picture: see marks.ts. */
export function pinOf(tomorrow: number): DataDrivenPropertyValueSpecification<string> {
  const clock = [
    "case",
    [">", ["coalesce", ["get", "overdue"], 0], 0],
    "late",
    ["all", ["has", "due_at"], ["<", ["get", "due_at"], tomorrow]],
    "today",
    "ok",
  ];
  const danger = ["case", [">", ["coalesce", ["get", "danger"], 0], 0], "danger", "calm"];
  return ["concat", "pin-", ["downcase", ["coalesce", ["get", "band"], "none"]], "-", clock, "-", danger] as never;
}

function short(name: string): never {
  const count = ["get", name];
  return ["case", ["<", count, 1000], ["to-string", count], ["concat", ["to-string", ["round", ["/", count, 1000]]], "k"]] as never;
}
