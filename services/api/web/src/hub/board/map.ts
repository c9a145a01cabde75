// The board's map: open defects from the server's tiles, live; or those of a past day while it is played.
import { Popup, type GeoJSONSource, type Map, type MapMouseEvent, type MapGeoJSONFeature } from "maplibre-gl";
import { askAll } from "../../map/again";
import { countyMap, isDark, name } from "../../map/base";
import { tilesAt } from "../../map/tiles";
import { get } from "../api";
import type { Line } from "../live";
import { band, element, moment, state } from "../parts";
import { COUNTS, DEFECTS, HEAT, overlay, pinOf, PINS, SQUARES, WAITING, waitingLayer } from "./layers";
import { markImage } from "./marks";
import { address } from "./words";

/** How long happenings are gathered before tiles are asked for: one near is drawn in some milliseconds, one of all in sixty. */
const GATHER_MS = { near: 500, afar: 4000 };
const NEAR_FROM = 13;
const CLOSE = 16;
/** More places than this at once: all is asked for anew. */
const MANY = 500;
const OPEN = "candidate confirmed monitor third_party made_safe ordered repaired_temporary repair_claimed repair_rejected recalled deferred_to_scheme";

interface Place {
  lat: number;
  lon: number;
}

export class BoardMap {
  private happened: Place[] = [];
  private everywhere = false;
  private gathering = 0;
  private popup: Popup | undefined;
  private wanted = new URLSearchParams();
  private points = "";
  private played: GeoJSON.FeatureCollection | undefined;
  private heat = false;
  private tomorrow = 0;

  /** Draw it; `still`: nobody moves it; `scale`: signs so much larger. Throws where the browser has no WebGL. */
  static async start(place: HTMLElement, label: string, { still = false, scale = 1 } = {}): Promise<BoardMap> {
    const made: { board?: BoardMap } = {};
    const map = await countyMap(place, {
      label,
      image: markImage,
      overlay: (dark) => (made.board ? made.board.overlay(dark) : overlay({ dark, of: tiles(new URLSearchParams()), heat: false, tomorrow: 0, scale })),
      more: {
        // The feed says when a tile is another: none is asked for by the clock, and never from the browser's store.
        refreshExpiredTiles: false,
        interactive: !still,
        transformRequest: (url) => ({ url, ...(url.includes("/defects/tiles/") ? { cache: "no-cache" as const } : {}) }),
      },
    });
    made.board = new BoardMap(map, label, scale);
    return made.board;
  }

  private constructor(
    private readonly map: Map,
    private readonly label: string,
    private readonly scale: number,
  ) {
    map.on("idle", () => this.count());
    map.on("click", (event) => this.clicked(event));
    for (const layer of [PINS, SQUARES]) this.pointed(layer);
    this.count();
  }

  // --- what is shown -------------------------------------------------------------------------------------------------

  /** Only defects that a filter of the tiles lets through: "band=E". */
  filter(wanted: URLSearchParams): void {
    this.wanted = wanted;
    this.draw();
  }

  /** What waits for a person in place of defects: danger, unsure or recalls; "" for defects. */
  async wait(what: string): Promise<void> {
    this.points = what;
    this.draw();
    if (what) await this.locate();
  }

  /** Squares with numbers, or heat. */
  warm(heat: boolean): void {
    this.heat = heat;
    this.draw();
  }

  /** What is due before this moment (seconds since 1970) is due today. */
  until(tomorrow: number): void {
    if (this.tomorrow === tomorrow) return;
    this.tomorrow = tomorrow;
    if (this.map.getLayer(PINS)) this.map.setLayoutProperty(PINS, "icon-image", pinOf(tomorrow) as never);
  }

  /** Defects of a past moment; undefined: the live ones again. */
  play(of: GeoJSON.FeatureCollection | undefined): void {
    const source = this.map.getSource<GeoJSONSource>(DEFECTS);
    const goesOn = Boolean(of && this.played);
    this.played = of;
    if (of && goesOn && source?.type === "geojson") void source.setData(of);
    else this.draw();
  }

  /** Fly to a place. */
  go({ lat, lon }: Place): void {
    this.map.easeTo({ center: [lon, lat], zoom: Math.max(this.map.getZoom(), CLOSE) });
  }

  private overlay(dark: boolean) {
    return overlay({ dark, of: this.played ?? tiles(this.wanted), heat: this.heat, tomorrow: this.tomorrow, scale: this.scale });
  }

  private draw(): void {
    const { sources, layers } = this.overlay(isDark());
    for (const id of [WAITING, PINS, COUNTS, SQUARES, HEAT]) if (this.map.getLayer(id)) this.map.removeLayer(id);
    for (const id of [WAITING, DEFECTS]) if (this.map.getSource(id)) this.map.removeSource(id);
    this.popup?.remove();
    if (this.points && !this.played) return;
    for (const [id, source] of Object.entries(sources)) this.map.addSource(id, source);
    for (const layer of layers) this.map.addLayer(layer);
  }

  private async locate(): Promise<void> {
    const what = this.points;
    const { points } = await get<{ points: (Place & { reference: string; class_code: string; at: string })[] }>(`/board/points/${what}`);
    if (what !== this.points || this.played) return;
    const features = points.map(({ lat, lon, ...properties }): GeoJSON.Feature => ({
      type: "Feature",
      geometry: { type: "Point", coordinates: [lon, lat] },
      properties: { ...properties, count: 1 },
    }));
    const data: GeoJSON.FeatureCollection = { type: "FeatureCollection", features };
    const there = this.map.getSource<GeoJSONSource>(WAITING);
    if (there) return void there.setData(data);
    this.map.addSource(WAITING, { type: "geojson", data });
    this.map.addLayer(waitingLayer(what));
  }

  /** Who cannot see the map hears how much is on it. */
  private count(): void {
    const layers = [PINS, SQUARES, WAITING].filter((id) => this.map.getLayer(id));
    const drawn = layers.length ? this.map.queryRenderedFeatures({ layers }) : [];
    const count = drawn.reduce((sum, one) => sum + Number(one.properties["count"] ?? 1), 0);
    this.map.getContainer().dataset["drawn"] = String(count);
    name(this.map, `${this.label}, ${count.toLocaleString("en-GB")} in view`);
  }

  // --- live ----------------------------------------------------------------------------------------------------------

  /** A line came. */
  line(line: Line): void {
    if (this.played) return;
    if (line.kind === "DetectionsMatched") this.gather([]);
    else if (this.points) this.gather([]);
    else if (line.subject === "defect" && typeof line.lat === "number" && typeof line.lon === "number") this.gather([{ lat: line.lat, lon: line.lon }]);
  }

  /** All may be otherwise. */
  refresh(): void {
    if (this.played) return;
    if (this.points) void this.locate().catch(() => undefined);
    else if (this.map.getSource(DEFECTS)) askAll(this.map, DEFECTS);
  }

  private gather(places: Place[]): void {
    if (!places.length) this.everywhere = true;
    this.happened.push(...places);
    if (this.happened.length > MANY) [this.happened, this.everywhere] = [[], true];
    this.gathering ||= window.setTimeout(() => this.redraw(), this.map.getZoom() >= NEAR_FROM ? GATHER_MS.near : GATHER_MS.afar);
  }

  /** Ask anew for the tiles in which something happened. */
  private redraw(): void {
    this.gathering = 0;
    if (this.played) return;
    const [places, everywhere] = [this.happened.splice(0), this.everywhere];
    this.everywhere = false;
    if (everywhere) return this.refresh();
    if (this.points || !this.map.getSource(DEFECTS)) return;
    // A tile that is on its way may have left before it happened.
    if (!this.map.isSourceLoaded(DEFECTS)) this.gather(places.slice(-100));
    this.map.refreshTiles(DEFECTS, tilesAt(places));
  }

  // --- clicked -------------------------------------------------------------------------------------------------------

  private pointed(layer: string): void {
    this.map.on("mouseenter", layer, () => (this.map.getCanvas().style.cursor = "pointer"));
    this.map.on("mouseleave", layer, () => (this.map.getCanvas().style.cursor = ""));
  }

  private clicked(event: MapMouseEvent): void {
    const layers = [WAITING, PINS, SQUARES].filter((id) => this.map.getLayer(id));
    const [found] = this.map.queryRenderedFeatures(event.point, { layers });
    if (found?.geometry.type !== "Point") return;
    const at = found.geometry.coordinates as [number, number];
    if (typeof found.properties["reference"] === "string") this.tell(found, at);
    else this.map.easeTo({ center: at, zoom: Math.min(this.map.getZoom() + 2, 17) });
  }

  private tell({ properties }: MapGeoJSONFeature, at: [number, number]): void {
    const said = properties as Record<string, string | number | undefined>;
    const due = said["due_at"];
    const content = element(
      "div",
      { class: "board-popup" },
      element("p", {}, element("a", { href: address(String(said["reference"])) }, String(said["reference"]))),
      element("p", {}, said["band"] || said["state"] ? band(String(said["band"] ?? "") || null) : null, " ", said["state"] ? state(String(said["state"])) : null),
      element("p", {}, String(said["class"] ?? said["class_code"] ?? "").replaceAll("_", " ")),
      due ? element("p", {}, `${said["overdue"] ? "Was due" : "Due"} ${moment(new Date(Number(due) * 1000))}`) : null,
      said["at"] ? element("p", {}, `Waits since ${moment(String(said["at"]))}`) : null,
    );
    this.popup?.remove();
    this.popup = new Popup({ maxWidth: "none", offset: 16 }).setLngLat(at).setDOMContent(content).addTo(this.map);
  }
}

/** The tiles of what is open, or of those among it that a filter lets through. */
function tiles(wanted: URLSearchParams): string {
  const said = new URLSearchParams(OPEN.split(" ").map((one) => ["state", one]));
  for (const [name, value] of wanted) said.append(name, value);
  return `${location.origin}/api/v1/defects/tiles/{z}/{x}/{y}.mvt?${said}`;
}
