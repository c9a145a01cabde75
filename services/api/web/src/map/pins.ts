// How defects are drawn: a sign for one, a disc with a number for many. The server has counted them.
import type { Overlay } from "./style";
import { NEAREST } from "./tiles";

export const DEFECTS = "defects";
export const PINS = "pins";
export const SQUARES = "squares";
/**
 * From zoom 14 each defect stands by itself; nearer than this a map draws the same tiles larger. Four less than the
 * map's nearest: with fewer MapLibre 6 cuts tiles into smaller ones, and keeps the pieces when the tile has changed.
 */
const DEEPEST = NEAREST - 4;

export function overlay(dark: boolean, address: string, hasEnded: boolean): Overlay {
  const from = { source: DEFECTS, "source-layer": "defects", minzoom: hasEnded ? 12 : 0 } as const;
  const disc = dark ? "#cfd8d4" : "#29363a";
  const words = dark ? "#101615" : "#ffffff";
  return {
    sources: { [DEFECTS]: { type: "vector", tiles: [address], minzoom: 0, maxzoom: DEEPEST } },
    layers: [
      {
        id: SQUARES,
        type: "circle",
        ...from,
        filter: [">", ["get", "count"], 1],
        paint: {
          "circle-color": disc,
          "circle-opacity": 0.88,
          "circle-stroke-color": words,
          "circle-stroke-width": 1.5,
          "circle-radius": ["interpolate", ["linear"], ["log10", ["get", "count"]], 0.3, 10, 3.5, 17],
        },
      },
      {
        id: `${SQUARES}-counts`,
        type: "symbol",
        ...from,
        filter: [">", ["get", "count"], 1],
        layout: {
          "text-field": [
            "case",
            ["<", ["get", "count"], 1000],
            ["to-string", ["get", "count"]],
            ["concat", ["to-string", ["round", ["/", ["get", "count"], 1000]]], "k"],
          ],
          "text-font": ["Roadmend Bold", "system-ui"],
          "text-size": 11.5,
          "text-allow-overlap": true,
          "text-ignore-placement": true,
        },
        paint: { "text-color": words },
      },
      {
        id: PINS,
        type: "symbol",
        ...from,
        filter: ["==", ["get", "count"], 1],
        layout: {
          "icon-image": ["concat", "sign-", ["get", "status"]],
          "icon-size": ["interpolate", ["linear"], ["zoom"], 8, 0.7, 14, 0.9, 17, 1.1],
          "icon-allow-overlap": true,
          "icon-ignore-placement": true,
        },
      },
    ],
  };
}
