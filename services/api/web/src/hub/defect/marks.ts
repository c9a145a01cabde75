// Places on a small map, each with the circle in which it truly lies, in metres on the ground. What is picked on the map
// is picked by its id, and a list beside it holds the same for the keyboard.
import { LngLatBounds, Marker, type GeoJSONSource, type Map as LibreMap } from "maplibre-gl";
import { countyMap } from "../../map/base";
import { element } from "../parts";

export interface Mark {
  id: string;
  lat: number;
  lon: number;
  /** Metres. */
  accuracy: number;
  /** A letter or a number on the pin. */
  label: string;
  /** What it is, in words. */
  words: string;
  kind: "this" | "other" | "person" | "machine";
  /** It stands no longer. */
  gone?: boolean;
}

const METRES_A_DEGREE = 111_320;
const CORNERS = 64;
const CIRCLES = "accuracy";

/** A circle of so many metres on the ground, as a ring of degrees. */
export function circle(lat: number, lon: number, metres: number): [number, number][] {
  const across = METRES_A_DEGREE * Math.cos((lat * Math.PI) / 180);
  return Array.from({ length: CORNERS + 1 }, (_, corner) => {
    const angle = (2 * Math.PI * corner) / CORNERS;
    return [lon + (metres * Math.sin(angle)) / across, lat + (metres * Math.cos(angle)) / METRES_A_DEGREE];
  });
}

/** Metres between two places on the ground; right to a few centimetres within a county. */
export function metresBetween(one: { lat: number; lon: number }, other: { lat: number; lon: number }): number {
  const across = METRES_A_DEGREE * Math.cos((((one.lat + other.lat) / 2) * Math.PI) / 180);
  return Math.hypot((one.lon - other.lon) * across, (one.lat - other.lat) * METRES_A_DEGREE);
}

export class MarksMap {
  private readonly pins = new Map<string, { marker: Marker; button: HTMLElement; mark: Mark }>();
  private chosen = new Set<string>();

  private constructor(
    private readonly map: LibreMap,
    private readonly pick: (id: string) => void,
  ) {}

  /** Undefined where the browser cannot draw maps: the list beside it says it all. */
  static async in(host: HTMLElement, frame: HTMLElement, label: string, pick: (id: string) => void): Promise<MarksMap | undefined> {
    host.dataset["basemap"] = frame.dataset["basemap"] ?? "";
    host.dataset["credit"] = frame.dataset["credit"] ?? "";
    host.hidden = false;
    try {
      const centre: [number, number] = [Number(frame.dataset["lon"]), Number(frame.dataset["lat"])];
      const map = await countyMap(host, { label, centre, zoom: 17.5, overlay });
      if (host.isConnected) return new MarksMap(map, pick);
      // Its dialog was closed meanwhile.
      map.remove();
      return undefined;
    } catch {
      host.hidden = true;
      return undefined;
    }
  }

  /** Draw these instead of what was there; the map moves so that all of them are seen, unless it is told to stay. */
  draw(marks: Mark[], stay = false): void {
    this.pins.forEach(({ marker }) => marker.remove());
    this.pins.clear();
    for (const mark of marks) this.pins.set(mark.id, this.pin(mark));
    this.circles();
    if (!stay) this.fit(marks);
  }

  /** Which of them are chosen. */
  choose(ids: Iterable<string>): void {
    this.chosen = new Set(ids);
    for (const [id, { button }] of this.pins) button.classList.toggle("hub-pin--chosen", this.chosen.has(id));
    this.circles();
  }

  /** Give back what the browser holds for it: it has few maps to give. */
  remove(): void {
    this.map.remove();
  }

  private pin(mark: Mark): { marker: Marker; button: HTMLElement; mark: Mark } {
    // Out of the order of Tab: the list has the same, with more words.
    const button = element("button", { type: "button", class: `hub-pin hub-pin--${mark.kind}`, tabindex: "-1", title: mark.words, "aria-label": mark.words }, mark.label);
    button.classList.toggle("hub-pin--gone", Boolean(mark.gone));
    button.addEventListener("click", () => this.pick(mark.id));
    const marker = new Marker({ element: button }).setLngLat([mark.lon, mark.lat]).addTo(this.map);
    return { marker, button, mark };
  }

  private circles(): void {
    const features = [...this.pins.values()].map(({ mark }) => ({
      type: "Feature" as const,
      geometry: { type: "Polygon" as const, coordinates: [circle(mark.lat, mark.lon, Math.max(mark.accuracy, 0.3))] },
      properties: { kind: mark.kind, chosen: this.chosen.has(mark.id), gone: Boolean(mark.gone) },
    }));
    this.map.getSource<GeoJSONSource>(CIRCLES)?.setData({ type: "FeatureCollection", features });
  }

  private fit(marks: Mark[]): void {
    const bounds = new LngLatBounds();
    for (const { lat, lon, accuracy } of marks) circle(lat, lon, Math.min(Math.max(accuracy, 3), 60)).forEach((corner) => bounds.extend(corner));
    if (!bounds.isEmpty()) this.map.fitBounds(bounds, { padding: 40, maxZoom: 18.5, animate: false });
  }
}

function overlay(dark: boolean): ReturnType<NonNullable<Parameters<typeof countyMap>[1]["overlay"]>> {
  const colour = ["match", ["get", "kind"], "this", dark ? "#7cc4f2" : "#0b5d8f", "machine", dark ? "#d9c6ef" : "#6a3fa0", dark ? "#ffb27a" : "#a84300"];
  const strong = ["case", ["get", "chosen"], 3, 1.5];
  return {
    sources: { [CIRCLES]: { type: "geojson", data: { type: "FeatureCollection", features: [] } } },
    layers: [
      { id: "accuracy-fill", type: "fill", source: CIRCLES, paint: { "fill-color": colour as never, "fill-opacity": ["case", ["get", "chosen"], 0.3, 0.1] as never } },
      { id: "accuracy-edge", type: "line", source: CIRCLES, filter: ["!", ["get", "gone"]], paint: { "line-color": colour as never, "line-width": strong as never } },
    ],
  };
}
