// Both footprints on one map: what was repaired, as the warranty's outline; where it was seen again, each as a circle
// that holds its true place 19 times of 20. What they are is said in the list beside the map, by number.
import type { Feature, FeatureCollection, Polygon } from "geojson";
import type { Map } from "maplibre-gl";
import type { Overlay } from "../../map/style";
import { get } from "../api";

interface Seen {
  lat: number;
  lon: number;
  accuracy_m: number;
}

interface Case {
  repair: { footprint: Polygon };
  sightings: Seen[];
}

const CORNERS = 64;
const METRES_A_DEGREE = 111_320;
/** The least view, so that a hole of half a metre is seen on its street. */
const LEAST_M = 7;
const NEAREST = 22;
let shown: Map | undefined;

/** Draw the case of a recall in the element of its page; where there is no WebGL the list says the same. */
export async function drawPlaces(element: HTMLElement, reference: string): Promise<void> {
  const [{ countyMap }, told] = await Promise.all([import("../../map/base"), get<Case>(`/recalls/${reference}/case`)]);
  if (!element.isConnected) return;
  shown?.remove();
  shown = undefined;
  const made = await countyMap(element, {
    label: "Map of the repair and of what was seen since",
    centre: middle(told.repair.footprint),
    zoom: 19,
    more: { maxZoom: NEAREST },
    overlay: (dark) => overlay(told, dark),
  });
  if (!element.isConnected) return made.remove();
  shown = made;
  made.fitBounds(bounds(told), { padding: 40, maxZoom: NEAREST, animate: false });
  element.dataset["drawn"] = reference;
}

function overlay(told: Case, dark: boolean): Overlay {
  const repair = dark ? "#7cc4f2" : "#0b5d8f";
  const seen = dark ? "#ff8f80" : "#b3180c";
  const halo = dark ? "#0e1413" : "#ffffff";
  return {
    sources: {
      repair: { type: "geojson", data: told.repair.footprint },
      reach: { type: "geojson", data: collection(told.sightings.map(circle)) },
      seen: { type: "geojson", data: collection(told.sightings.map(point)) },
    },
    layers: [
      { id: "reach", type: "fill", source: "reach", paint: { "fill-color": seen, "fill-opacity": 0.08 } },
      { id: "reach-edge", type: "line", source: "reach", paint: { "line-color": seen, "line-width": 2, "line-dasharray": [3, 2] } },
      { id: "seen", type: "circle", source: "seen", paint: { "circle-radius": 6, "circle-color": seen, "circle-stroke-color": halo, "circle-stroke-width": 2 } },
      { id: "repair", type: "fill", source: "repair", paint: { "fill-color": repair, "fill-opacity": 0.28 } },
      { id: "repair-edge", type: "line", source: "repair", paint: { "line-color": repair, "line-width": 3 } },
      {
        id: "seen-number",
        type: "symbol",
        source: "seen",
        layout: { "text-field": ["get", "number"] as never, "text-font": ["system-ui"], "text-size": 18, "text-offset": [0.7, -0.7], "text-allow-overlap": true, "text-ignore-placement": true },
        paint: { "text-color": seen, "text-halo-color": halo, "text-halo-width": 2 },
      },
    ],
  };
}

function collection(features: Feature[]): FeatureCollection {
  return { type: "FeatureCollection", features };
}

function point({ lat, lon }: Seen, index: number): Feature {
  return { type: "Feature", properties: { number: String(index + 1) }, geometry: { type: "Point", coordinates: [lon, lat] } };
}

function circle({ lat, lon, accuracy_m }: Seen): Feature {
  const ring = Array.from({ length: CORNERS + 1 }, (_, corner) => {
    const turn = (2 * Math.PI * corner) / CORNERS;
    return moved(lon, lat, accuracy_m * Math.cos(turn), accuracy_m * Math.sin(turn));
  });
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}

/** So many metres east and north of a place. */
function moved(lon: number, lat: number, east: number, north: number): [number, number] {
  return [lon + east / (METRES_A_DEGREE * Math.cos((lat * Math.PI) / 180)), lat + north / METRES_A_DEGREE];
}

function middle({ coordinates }: Polygon): [number, number] {
  const ring = coordinates[0]!;
  const mean = (axis: 0 | 1) => ring.reduce((sum, corner) => sum + corner[axis]!, 0) / ring.length;
  return [mean(0), mean(1)];
}

function bounds({ repair, sightings }: Case): [number, number, number, number] {
  const [lon, lat] = middle(repair.footprint);
  const corners = [
    moved(lon, lat, -LEAST_M, -LEAST_M),
    moved(lon, lat, LEAST_M, LEAST_M),
    ...repair.footprint.coordinates[0]!.map(([east, north]) => [east!, north!] as [number, number]),
    ...sightings.flatMap((one) => [moved(one.lon, one.lat, -one.accuracy_m, -one.accuracy_m), moved(one.lon, one.lat, one.accuracy_m, one.accuracy_m)]),
  ];
  const [easts, norths] = [corners.map(([east]) => east), corners.map(([, north]) => north)];
  return [Math.min(...easts), Math.min(...norths), Math.max(...easts), Math.max(...norths)];
}
