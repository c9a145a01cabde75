// How the county looks: land, borders, streets by their maintenance hierarchy, names. Only our own tiles are drawn, and
// the letters are the reader's own (MapLibre draws them itself where a style names no glyphs), so nothing comes from
// anybody else.
import type { LayerSpecification, SourceSpecification, StyleSpecification } from "maplibre-gl";

/** What /api/v1/streets/tiles tells. */
export interface StreetTiles {
  tiles: string[];
  version: string;
  minzoom: number;
  maxzoom: number;
  bounds: [number, number, number, number] | null;
}

/** What a map draws above the streets. */
export interface Overlay {
  sources: Record<string, SourceSpecification>;
  layers: LayerSpecification[];
}

interface Colours {
  beyond: string;
  land: string;
  border: string;
  casing: string;
  trunk: string;
  main: string;
  second: string;
  link: string;
  local: string;
  others: string;
  words: string;
  area: string;
  halo: string;
}

const LIGHT: Colours = {
  beyond: "#dfe5e3",
  land: "#f8f7f2",
  border: "#8a7f93",
  casing: "#c9c5b9",
  trunk: "#93b3d6",
  main: "#f0c27a",
  second: "#f6dca6",
  link: "#fff6dc",
  local: "#ffffff",
  others: "#ecebe4",
  words: "#3d4145",
  area: "#5b5265",
  halo: "#ffffff",
};

const DARK: Colours = {
  beyond: "#0d1211",
  land: "#1a211f",
  border: "#85798f",
  casing: "#0a0e0d",
  trunk: "#4f79a6",
  main: "#a67f3e",
  second: "#86703f",
  link: "#6b6752",
  local: "#55605c",
  others: "#363f3c",
  words: "#d3dad7",
  area: "#b9aec4",
  halo: "#131817",
};

const REGULAR = ["system-ui"];
/** No such family is there: the second is drawn, in the weight of the first. */
const BOLD = ["Roadmend Bold", "system-ui"];

/** Widths in pixels at zoom 8, 12, 14 and 18, by hierarchy. */
const WIDTHS: [string, [number, number, number, number]][] = [
  ["2", [1.6, 3.4, 6.5, 30]],
  ["3a", [1.2, 2.8, 5.5, 26]],
  ["3b", [0.8, 2.2, 4.6, 22]],
  ["4a", [0.4, 1.3, 3.4, 18]],
];
const LEAST: [number, number, number, number] = [0.3, 0.7, 2.4, 15];

type Expression = ["interpolate", ...unknown[]];

function width(extra: number): Expression {
  const at = (stop: 0 | 1 | 2 | 3) => [
    "match",
    ["get", "kind"],
    ...WIDTHS.flatMap(([kind, widths]) => [kind, widths[stop] + extra]),
    LEAST[stop] + extra,
  ];
  return ["interpolate", ["exponential", 1.5], ["zoom"], 8, at(0), 12, at(1), 14, at(2), 18, at(3)];
}

function streets(colours: Colours): LayerSpecification[] {
  const shape = { "line-cap": "round", "line-join": "round" } as const;
  const fill = [
    "case",
    ["==", ["get", "whose"], "trunk"],
    colours.trunk,
    ["has", "whose"],
    colours.others,
    ["match", ["get", "kind"], "2", colours.main, "3a", colours.second, "3b", colours.link, colours.local],
  ];
  return [
    {
      id: "street-casings",
      type: "line",
      source: "streets",
      "source-layer": "streets",
      minzoom: 11,
      layout: shape,
      paint: { "line-color": colours.casing, "line-width": width(1.6) as never },
    },
    {
      id: "streets",
      type: "line",
      source: "streets",
      "source-layer": "streets",
      layout: shape,
      paint: { "line-color": fill as never, "line-width": width(0) as never },
    },
  ];
}

function words(colours: Colours): LayerSpecification[] {
  const halo = { "text-halo-color": colours.halo, "text-halo-width": 1.6 };
  return [
    {
      id: "street-names",
      type: "symbol",
      source: "streets",
      "source-layer": "streets",
      minzoom: 12,
      filter: ["has", "name"],
      layout: {
        "symbol-placement": "line",
        "text-field": ["get", "name"],
        "text-font": REGULAR,
        "text-size": ["interpolate", ["linear"], ["zoom"], 12, 11, 15, 13, 18, 16],
        "text-max-angle": 30,
        "text-padding": 4,
        "symbol-spacing": 320,
        "symbol-sort-key": ["match", ["get", "kind"], "2", 0, "3a", 1, "3b", 2, "4a", 3, 4],
      },
      paint: { "text-color": colours.words, ...halo },
    },
    {
      id: "area-names",
      type: "symbol",
      source: "streets",
      "source-layer": "names",
      maxzoom: 15,
      layout: {
        "text-field": ["get", "name"],
        "text-font": BOLD,
        "text-size": ["match", ["get", "kind"], "district", 14, 12],
        "text-letter-spacing": 0.05,
        "text-max-width": 8,
        "text-padding": 12,
      },
      paint: { "text-color": colours.area, ...halo },
    },
  ];
}

/** Our own style. Addresses are whole, because it is a worker that asks for the tiles. */
export function ownStyle(dark: boolean, told: StreetTiles, overlay: Overlay): StyleSpecification {
  const colours = dark ? DARK : LIGHT;
  return {
    version: 8,
    sources: {
      streets: {
        type: "vector",
        tiles: told.tiles.map((address) => new URL(address, location.href).href.replace(/%7B/g, "{").replace(/%7D/g, "}")),
        minzoom: told.minzoom,
        maxzoom: told.maxzoom,
      },
      ...overlay.sources,
    },
    layers: [
      { id: "beyond", type: "background", paint: { "background-color": colours.beyond } },
      {
        id: "land",
        type: "fill",
        source: "streets",
        "source-layer": "land",
        paint: { "fill-color": colours.land, "fill-antialias": false },
      },
      ...streets(colours),
      {
        id: "borders",
        type: "line",
        source: "streets",
        "source-layer": "edges",
        layout: { "line-join": "round" },
        paint: {
          "line-color": colours.border,
          "line-width": ["match", ["get", "kind"], "authority", 2, 0.8],
          "line-opacity": ["match", ["get", "kind"], "authority", 0.9, 0.6],
        },
      },
      ...words(colours),
      ...overlay.layers,
    ],
  };
}
