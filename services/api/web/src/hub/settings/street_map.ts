// A street on a small map: its pieces by their number, the chosen ones marked.
import type { GeoJSONSource, Map } from "maplibre-gl";
import { get } from "../api";
import { fault } from "../says";

interface Street {
  box: [number, number, number, number];
  pieces: { network_id: string; line: GeoJSON.MultiLineString }[];
}

let shown: { map: Map; street: Street } | undefined;

/** Draw it where the page has an empty place for it: at first, and when that part was made anew. */
export function draw(): void {
  const element = document.querySelector<HTMLElement>("#street-map:empty");
  if (!element) return;
  shown?.map.remove();
  shown = undefined;
  void drawn(element).catch(fault);
}

document.addEventListener("change", (event) => {
  if (!shown || !(event.target as Element).matches('[name="pieces"]')) return;
  shown.map.getSource<GeoJSONSource>("street")?.setData(collection(shown.street, chosen()));
});

async function drawn(element: HTMLElement): Promise<void> {
  const street = await get<Street>(`/streets?key=${encodeURIComponent(element.dataset["key"]!)}`);
  const [west, south, east, north] = street.box;
  try {
    const { countyMap } = await import("../../map/base");
    const map = await countyMap(element, {
      label: `Map of ${element.dataset["name"] || "the street"}`,
      overlay: (dark) => ({
        sources: { street: { type: "geojson", data: collection(street, chosen()) } },
        layers: [
          {
            id: "street-line",
            type: "line",
            source: "street",
            layout: { "line-cap": "round", "line-join": "round" },
            paint: { "line-color": dark ? "#7cc4f2" : "#0b5d8f", "line-width": ["case", ["get", "chosen"], 9, 5] },
          },
          {
            id: "street-number",
            type: "symbol",
            source: "street",
            layout: { "text-field": ["get", "number"], "text-font": ["system-ui"], "text-size": 14, "symbol-placement": "line-center" },
            paint: { "text-color": dark ? "#ffffff" : "#14191a", "text-halo-color": dark ? "#0e1413" : "#ffffff", "text-halo-width": 2 },
          },
        ],
      }),
      more: { bounds: [west, south, east, north], fitBoundsOptions: { padding: 36, maxZoom: 16 } },
    });
    shown = { map, street };
  } catch (error) {
    // No WebGL: the table says it all.
    element.hidden = true;
    console.warn("The map cannot be drawn here.", error);
  }
}

function chosen(): Set<string> {
  return new Set([...document.querySelectorAll<HTMLInputElement>('[name="pieces"]:checked')].map(({ value }) => value));
}

function collection(street: Street, marked: Set<string>): GeoJSON.FeatureCollection {
  return {
    type: "FeatureCollection",
    features: street.pieces.map(({ network_id, line }, at) => ({
      type: "Feature",
      geometry: line,
      properties: { number: String(at + 1), chosen: marked.has(network_id) },
    })),
  };
}
