// The map at /map: every public defect from the server's tiles, live, with the list beside it.
import { Marker, Popup, type Map, type MapMouseEvent } from "maplibre-gl";
import { askAll } from "./again";
import { countyMap, isDark, name } from "./base";
import { ENDED_FROM, type Filters } from "./filters";
import type { List, Listed } from "./list";
import { follow, type Happened } from "./live";
import { DEFECTS, overlay, PINS, SQUARES } from "./pins";
import { signImage } from "./signs";
import { tilesAt } from "./tiles";

const PAUSE_MS = 300;
/** How long happenings are gathered before tiles are asked for: one near is drawn in some milliseconds, one of all in sixty. */
const GATHER_MS = { near: 500, afar: 4000 };
const HOLD_MS = 600;
const NEAR_FROM = 13;
/** From here the middle of the map is a place, and not a district. */
const REPORT_FROM = 14;

export class CountyMap {
  private readonly happened: Happened[] = [];
  private gathering = 0;
  private moving = 0;
  private popup: Popup | undefined;
  private readonly ring = new Marker({ element: ringed() });

  /** Draw it, and keep the list and the address with it. */
  static async start(element: HTMLElement, filters: Filters, list: List): Promise<void> {
    const made = new CountyMap(await drawn(element, filters), filters, list);
    await made.begin(element);
  }

  private constructor(
    private readonly map: Map,
    private readonly filters: Filters,
    private readonly list: List,
  ) {}

  private async begin(element: HTMLElement): Promise<void> {
    this.map.on("moveend", () => this.moved());
    this.map.on("idle", () => this.count());
    this.map.on("click", (event) => void this.clicked(event));
    this.map.on("contextmenu", (event) => this.offer(event));
    for (const layer of [PINS, SQUARES]) this.pointed(layer);
    this.held();
    this.filters.onchange(() => this.filtered());
    this.list.onpoint((item) => this.show(item));
    this.here();
    this.hint();
    // It may have come to rest before it was listened to.
    this.count();
    const { chosen, lat } = element.dataset;
    // The page's own list is that of the whole county, or of a place and all around it.
    if (lat) await this.relist();
    if (chosen) await this.open(chosen, [Number(element.dataset["lon"]), Number(lat)], false);
    follow({ at: (one) => this.gather(one), anything: () => this.refresh() });
    element.dataset["ready"] = "yes";
  }

  // --- moved and filtered --------------------------------------------------------------------------------------------

  private moved(): void {
    this.here();
    this.hint();
    clearTimeout(this.moving);
    this.moving = window.setTimeout(() => void this.relist(), PAUSE_MS);
  }

  /** The tiles have another address, and from another zoom: MapLibre forgets the one change over the other. */
  private filtered(): void {
    const { sources, layers } = overlay(isDark(), address(this.filters), this.filters.hasEnded);
    for (const { id } of layers) this.map.removeLayer(id);
    for (const [id, source] of Object.entries(sources)) this.map.removeSource(id).addSource(id, source);
    for (const layer of layers) this.map.addLayer(layer);
    this.moved();
  }

  /** What has ended is not drawn from afar; the list has it all the same. */
  private hint(): void {
    const hint = document.querySelector<HTMLElement>("#map-hint")!;
    const far = this.filters.hasEnded && this.map.getZoom() < ENDED_FROM;
    hint.hidden = !far;
    hint.textContent = far ? "Zoom in to see on the map what is mended or at an end. The list has it now." : "";
  }

  private async relist(): Promise<void> {
    const { lat, lng } = this.map.getCenter();
    const bounds = this.map.getBounds();
    const box = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    const asked = this.filters.forPage();
    asked.set("lat", lat.toFixed(6));
    asked.set("lon", lng.toFixed(6));
    asked.set("bbox", box.map((edge) => edge.toFixed(5)).join(","));
    await this.list.show(asked);
  }

  /** The address is that of this very map, and the link reports at its middle. */
  private here(): void {
    const { lat, lng } = this.map.getCenter();
    const [north, east, zoom] = [lat.toFixed(5), lng.toFixed(5), this.map.getZoom().toFixed(1)];
    const said = this.filters.forPage();
    for (const [name, value] of [["lat", north], ["lon", east], ["z", zoom]] as const) said.set(name, value);
    history.replaceState(null, "", `/map?${said}`);
    this.filters.keep(north, east, zoom);
    const afar = this.map.getZoom() < REPORT_FROM;
    this.map.getContainer().classList.toggle("app-map--afar", afar);
    const link = document.querySelector<HTMLAnchorElement>("#report-here")!;
    link.href = afar ? "/report" : reportAt(lat, lng);
    link.textContent = afar ? "Report a problem" : "Report a problem at the middle of the map";
  }

  /** Who cannot see the map hears how much is on it. */
  private count(): void {
    const drawn = this.map.queryRenderedFeatures({ layers: [PINS, SQUARES] });
    const count = drawn.reduce((sum, one) => sum + Number(one.properties["count"] ?? 1), 0);
    name(this.map, `Map of road problems, ${count.toLocaleString("en-GB")} in view`);
  }

  // --- clicked -------------------------------------------------------------------------------------------------------

  private pointed(layer: string): void {
    this.map.on("mouseenter", layer, () => (this.map.getCanvas().style.cursor = "pointer"));
    this.map.on("mouseleave", layer, () => (this.map.getCanvas().style.cursor = ""));
  }

  private async clicked(event: MapMouseEvent): Promise<void> {
    const [found] = this.map.queryRenderedFeatures(event.point, { layers: [PINS, SQUARES] });
    if (found?.geometry.type !== "Point") return;
    const at = found.geometry.coordinates as [number, number];
    const reference: unknown = found.properties["reference"];
    if (typeof reference === "string") await this.open(reference, at);
    else this.map.easeTo({ center: at, zoom: Math.min(this.map.getZoom() + 2, 17) });
  }

  /** What the list says of it, beside its pin. */
  private async open(reference: string, at: [number, number], takesFocus = true): Promise<void> {
    const answer = await fetch(`/map/list?${new URLSearchParams({ defect: reference })}`);
    if (!answer.ok) return;
    const told = document.createElement("template");
    told.innerHTML = await answer.text();
    const item = told.content.querySelector(".app-found__item > div");
    if (item) this.say(item, at, takesFocus);
  }

  private say(content: Node, at: [number, number], takesFocus = true): void {
    this.popup?.remove();
    this.popup = new Popup({ maxWidth: "none", offset: 16, focusAfterOpen: takesFocus })
      .setLngLat(at)
      .setDOMContent(content)
      .addTo(this.map);
  }

  /** A right click, or a finger that stays: a report can begin there. */
  private offer(event: MapMouseEvent): void {
    const { lat, lng } = event.lngLat;
    const link = document.createElement("a");
    link.className = "govuk-link";
    link.href = reportAt(lat, lng);
    link.textContent = "Report a problem here";
    this.say(link, [lng, lat]);
  }

  private held(): void {
    let timer = 0;
    const off = () => clearTimeout(timer);
    this.map.on("touchstart", (event) => {
      off();
      if (event.points.length === 1) timer = window.setTimeout(() => this.offer(event as never), HOLD_MS);
    });
    for (const end of ["touchend", "touchmove", "touchcancel"] as const) this.map.on(end, off);
  }

  /** A ring around what somebody points at in the list. */
  private show(item: Listed | null): void {
    this.ring.remove();
    if (item) this.ring.setLngLat([item.lon, item.lat]).addTo(this.map);
  }

  // --- live ----------------------------------------------------------------------------------------------------------

  private gather(one: Happened): void {
    this.happened.push(one);
    const pause = this.map.getZoom() >= NEAR_FROM ? GATHER_MS.near : GATHER_MS.afar;
    this.gathering ||= window.setTimeout(() => this.redraw(), pause);
  }

  /** Ask anew for the tiles in which something happened, and for the list when that is in view. */
  private redraw(): void {
    this.gathering = 0;
    const places = this.happened.splice(0);
    // A tile that is on its way may have left before it happened.
    if (!this.map.isSourceLoaded(DEFECTS)) places.slice(-100).forEach((one) => this.gather(one));
    this.map.refreshTiles(DEFECTS, tilesAt(places));
    const bounds = this.map.getBounds();
    if (places.some(({ lat, lon }) => bounds.contains([lon, lat]))) void this.list.again();
  }

  private refresh(): void {
    askAll(this.map, DEFECTS);
    void this.list.again();
  }
}

async function drawn(element: HTMLElement, filters: Filters): Promise<Map> {
  const { lat, lon, zoom, box } = element.dataset;
  const map = await countyMap(element, {
    label: "Map of road problems",
    ...(lat && lon ? { centre: [Number(lon), Number(lat)] as [number, number] } : {}),
    ...(zoom ? { zoom: Number(zoom) } : {}),
    image: signImage,
    overlay: (dark) => overlay(dark, address(filters), filters.hasEnded),
    // Never from the browser's store without asking: a tile that has not changed is answered with 304.
    more: { transformRequest: (url) => ({ url, ...(url.includes("/defects/tiles/") ? { cache: "no-cache" as const } : {}) }) },
  });
  if (box) {
    const [west, south, east, north] = box.split(",").map(Number) as [number, number, number, number];
    map.fitBounds([west, south, east, north], { padding: 32, maxZoom: 16, animate: false });
  }
  element.append(cross());
  return map;
}

function address(filters: Filters): string {
  const said = filters.forTiles().toString();
  return `${location.origin}/api/v1/defects/tiles/{z}/{x}/{y}.mvt${said ? `?${said}` : ""}`;
}

function reportAt(lat: number, lon: number): string {
  return `/report/where?${new URLSearchParams({ lat: lat.toFixed(6), lon: lon.toFixed(6) })}`;
}

function ringed(): HTMLElement {
  const ring = document.createElement("div");
  ring.className = "app-county__ring";
  return ring;
}

/** Marks the middle, where a report would begin. */
function cross(): HTMLElement {
  const mark = document.createElement("div");
  mark.className = "app-county__cross";
  mark.setAttribute("aria-hidden", "true");
  return mark;
}
