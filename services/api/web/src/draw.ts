// An area to be followed, drawn corner by corner: a tap on the map, or a button that takes the middle of the map, which
// arrow keys and buttons move. Nothing has to be dragged.
import "./shared/govuk";
import type { GeoJSON, Polygon } from "geojson";
import type { GeoJSONSource, Map } from "maplibre-gl";
import { countyMap } from "./map/base";
import type { Overlay } from "./map/style";

type Corner = [number, number];

const FEWEST = 3;
const MOST = 200;

class Drawing {
  private corners: Corner[] = [];
  private map: Map | undefined;

  constructor(
    private readonly page: HTMLElement,
    private readonly field: HTMLInputElement,
    private readonly said: HTMLElement,
  ) {}

  async begin(): Promise<void> {
    this.corners = read(this.field.value);
    const element = this.page.querySelector<HTMLElement>("[data-draw-map]")!;
    this.map = await countyMap(element, {
      label: "Map on which you draw an area",
      overlay: (dark) => this.overlay(dark),
    });
    this.map.on("click", (event) => this.add([event.lngLat.lng, event.lngLat.lat]));
    this.on("add", () => this.add(this.map!.getCenter().toArray()));
    this.on("back", () => this.change(this.corners.slice(0, -1)));
    this.on("clear", () => this.change([]));
    this.change(this.corners);
  }

  private on(name: string, act: () => void): void {
    this.page.querySelector(`[data-draw="${name}"]`)!.addEventListener("click", act);
  }

  private add(corner: Corner): void {
    if (this.corners.length < MOST) this.change([...this.corners, corner]);
  }

  private change(corners: Corner[]): void {
    this.corners = corners;
    this.field.value = corners.length >= FEWEST ? JSON.stringify(ring(corners)) : "";
    this.map?.getSource<GeoJSONSource>("drawn")?.setData(drawn(corners));
    this.said.textContent = words(corners.length);
  }

  private overlay(dark: boolean): Overlay {
    const colour = dark ? "#8ec0f0" : "#1d4f91";
    return {
      sources: { drawn: { type: "geojson", data: drawn(this.corners) } },
      layers: [
        { id: "drawn-area", type: "fill", source: "drawn", paint: { "fill-color": colour, "fill-opacity": 0.2 } },
        { id: "drawn-edge", type: "line", source: "drawn", paint: { "line-color": colour, "line-width": 3 } },
        {
          id: "drawn-corners",
          type: "circle",
          source: "drawn",
          paint: { "circle-color": colour, "circle-radius": 6, "circle-stroke-color": "#ffffff", "circle-stroke-width": 2 },
        },
      ],
    };
  }
}

/** The polygon of a form that came back; nothing where it holds none. */
function read(written: string): Corner[] {
  if (!written) return [];
  try {
    const told = JSON.parse(written) as { coordinates?: Corner[][] };
    return told.coordinates?.[0]?.slice(0, -1) ?? [];
  } catch {
    return [];
  }
}

function ring(corners: Corner[]): Polygon {
  const rounded = corners.map(([lon, lat]) => [Number(lon.toFixed(6)), Number(lat.toFixed(6))]);
  return { type: "Polygon", coordinates: [[...rounded, rounded[0]!]] };
}

function drawn(corners: Corner[]): GeoJSON {
  if (corners.length >= FEWEST) return ring(corners);
  if (corners.length === 2) return { type: "LineString", coordinates: corners };
  return { type: "MultiPoint", coordinates: corners };
}

function words(corners: number): string {
  if (corners === 0) return "No corners yet.";
  const count = corners === 1 ? "1 corner." : `${corners} corners.`;
  return corners < FEWEST ? `${count} An area needs ${FEWEST} or more.` : `${count} The area is drawn.`;
}

const page = document.querySelector<HTMLElement>("[data-drawing]");
const field = document.querySelector<HTMLInputElement>("input[name=shape]");
const said = document.querySelector<HTMLElement>("[data-draw-said]");
const instead = document.querySelector<HTMLElement>("[data-no-map]");
if (page && field && said && instead) {
  const show = (map: boolean): void => {
    page.hidden = !map;
    instead.hidden = map;
  };
  // Shown first: a map in an element that is not shown has no size.
  show(true);
  new Drawing(page, field, said).begin().catch(() => show(false));
}
