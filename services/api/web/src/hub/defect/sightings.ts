// The list of what saw a defect, tied to its small map: who points at one in the list sees it on the map, and back.
import { MarksMap, type Mark } from "./marks";

export interface Seen {
  id: string;
  name: string;
  words: string;
  report: string;
  detection: number;
  standing: boolean;
  lat: number;
  lon: number;
  accuracy: number;
}

/** Everything in the list, as the page says it now. */
export function seen(): Seen[] {
  return [...document.querySelectorAll<HTMLElement>("[data-sighting]")].map((item) => ({
    id: item.dataset["sighting"]!,
    name: item.dataset["name"]!,
    words: [...item.querySelectorAll("p")].map((one) => one.textContent!.trim().replace(/\s+/g, " ")).join(" ").slice(item.dataset["name"]!.length, 300).trim(),
    report: item.dataset["report"] ?? "",
    detection: Number(item.dataset["detection"] || 0),
    standing: item.dataset["standing"] === "yes",
    lat: Number(item.dataset["lat"]),
    lon: Number(item.dataset["lon"]),
    accuracy: Number(item.dataset["accuracy"]),
  }));
}

export function sightingMark(one: Seen): Mark {
  return { id: one.id, lat: one.lat, lon: one.lon, accuracy: one.accuracy, label: one.id, words: `${one.id}. ${one.name}`, kind: one.detection ? "machine" : "person", gone: !one.standing };
}

const OWN = "this";

/** Draw the page's small map, and again by `draw` when the list has changed. */
export class SightingsMap {
  private map: MarksMap | undefined;

  constructor(private readonly frame: HTMLElement) {
    for (const kind of ["mouseover", "focusin"]) document.addEventListener(kind, (event) => this.point(event.target as Element));
  }

  async open(): Promise<void> {
    const host = document.querySelector<HTMLElement>("[data-map]");
    if (!host) return;
    this.map = await MarksMap.in(host, this.frame, "Where it was seen", (id) => this.find(id));
    this.draw();
  }

  draw(stay = false): void {
    const { lat, lon, accuracy, title } = this.frame.dataset;
    const own: Mark = { id: OWN, lat: Number(lat), lon: Number(lon), accuracy: Number(accuracy), label: "·", words: `${title ?? ""}, where it is taken to be`, kind: "this" };
    this.map?.draw([...seen().map(sightingMark), own], stay);
  }

  private point(target: Element): void {
    const item = target.closest<HTMLElement>("[data-sightings] [data-sighting]");
    if (item) this.map?.choose([item.dataset["sighting"]!]);
  }

  private find(id: string): void {
    const item = document.querySelector<HTMLElement>(`[data-sightings] [data-sighting="${CSS.escape(id)}"]`);
    this.map?.choose([id]);
    item?.scrollIntoView({ block: "nearest" });
    item?.focus();
  }
}
