// The report and its candidates on a map: where each is, how sure that is, and the line that was measured.
import type { Feature, FeatureCollection, Geometry } from "geojson";
import type { GeoJSONSource, LayerSpecification, Map } from "maplibre-gl";
import { countyMap } from "../../map/base";
import type { Overlay } from "../../map/style";
import type { Question } from "./kinds";

interface Spot {
  lat: number;
  lon: number;
  accuracy_m: number;
}

const SOURCE = "unsure-pair";
const CORNERS = 48;
const METRES_A_DEGREE = 111_320;
const LETTERS = ["Roadmend Bold", "system-ui"];

export class PairMap {
  private map: Map | undefined;
  private features: FeatureCollection = { type: "FeatureCollection", features: [] };

  /** Undefined where the browser cannot draw maps: the words say it all. */
  static async in(element: HTMLElement): Promise<PairMap | undefined> {
    const made = new PairMap();
    element.hidden = false;
    try {
      made.map = await countyMap(element, {
        label: "Map of the report and what it may be",
        overlay: (dark) => made.overlay(dark),
        more: { interactive: true },
      });
      return made;
    } catch {
      element.hidden = true;
      return undefined;
    }
  }

  /** Draw a question, with the chosen one of its candidates. */
  show(question: Question, chosen: number): void {
    const map = this.map;
    if (!map) return;
    this.features = drawn(question, chosen);
    (map.getSource(SOURCE) as GeoJSONSource | undefined)?.setData(this.features);
    const spots = [question, ...question.candidates];
    const edges = spots.flatMap((one) => circle(one));
    const lons = edges.map(([lon]) => lon!);
    const lats = edges.map(([, lat]) => lat!);
    const bounds: [number, number, number, number] = [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
    map.fitBounds(bounds, { padding: 36, maxZoom: 18, animate: false });
    map.getContainer().dataset["shown"] = question.reference;
  }

  private overlay(dark: boolean): Overlay {
    return { sources: { [SOURCE]: { type: "geojson", data: this.features } }, layers: layers(dark) };
  }
}

function drawn(question: Question, chosen: number): FeatureCollection {
  const features: Feature[] = [spot(question, "report", "R"), area(question, "report")];
  question.candidates.forEach((one, index) => {
    const kind = index === chosen ? "chosen" : "other";
    features.push(spot(one, kind, String(index + 1)), area(one, kind));
  });
  const one = question.candidates[chosen]!;
  const ends = [question, one].map(({ lon, lat }) => [lon, lat]);
  features.push(feature({ type: "LineString", coordinates: ends }, { kind: "line", words: `${Math.round(one.distance_m)} m` }));
  return { type: "FeatureCollection", features };
}

function spot(one: Spot, kind: string, words: string): Feature {
  return feature({ type: "Point", coordinates: [one.lon, one.lat] }, { kind, words });
}

function area(one: Spot, kind: string): Feature {
  return feature({ type: "Polygon", coordinates: [circle(one)] }, { kind });
}

function feature(geometry: Geometry, properties: Record<string, string>): Feature {
  return { type: "Feature", geometry, properties };
}

/** All that lies within the accuracy of a position. */
function circle({ lat, lon, accuracy_m }: Spot): number[][] {
  const north = Math.max(accuracy_m, 1) / METRES_A_DEGREE;
  const east = north / Math.cos((lat * Math.PI) / 180);
  return Array.from({ length: CORNERS + 1 }, (_, corner) => {
    const angle = (2 * Math.PI * corner) / CORNERS;
    return [lon + east * Math.cos(angle), lat + north * Math.sin(angle)];
  });
}

function layers(dark: boolean): LayerSpecification[] {
  const colour = dark ? { report: "#7cc4f2", chosen: "#ff9a4a", other: "#a9b6b2" } : { report: "#0b5d8f", chosen: "#b34404", other: "#5b6663" };
  const ground = dark ? "#0e1413" : "#ffffff";
  const of = ["match", ["get", "kind"], "report", colour.report, "chosen", colour.chosen, colour.other] as never;
  return [
    { id: "unsure-area", type: "fill", source: SOURCE, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": of, "fill-opacity": 0.16 } },
    { id: "unsure-edge", type: "line", source: SOURCE, filter: ["==", ["geometry-type"], "Polygon"], paint: { "line-color": of, "line-width": 1.5 } },
    {
      id: "unsure-line",
      type: "line",
      source: SOURCE,
      filter: ["==", ["geometry-type"], "LineString"],
      paint: { "line-color": colour.chosen, "line-width": 3, "line-dasharray": [2, 1.5] },
    },
    {
      id: "unsure-spot",
      type: "circle",
      source: SOURCE,
      filter: ["==", ["geometry-type"], "Point"],
      paint: { "circle-radius": 11, "circle-color": of, "circle-stroke-color": ground, "circle-stroke-width": 2 },
    },
    {
      id: "unsure-letter",
      type: "symbol",
      source: SOURCE,
      filter: ["==", ["geometry-type"], "Point"],
      layout: { "text-field": ["get", "words"], "text-font": LETTERS, "text-size": 13, "text-allow-overlap": true },
      paint: { "text-color": ground },
    },
    {
      id: "unsure-metres",
      type: "symbol",
      source: SOURCE,
      filter: ["==", ["geometry-type"], "LineString"],
      layout: {
        "text-field": ["get", "words"],
        "text-font": LETTERS,
        "text-size": 14,
        "symbol-placement": "line-center",
        "text-offset": [0, -1],
        "text-allow-overlap": true,
      },
      paint: { "text-color": dark ? "#e9efed" : "#14191a", "text-halo-color": ground, "text-halo-width": 2 },
    },
  ];
}
