// The county as a map: `countyMap` makes one in an element, in our look, light or dark as the reader's screen is.
import { AttributionControl, Map, setWorkerUrl } from "maplibre-gl";
import type { LayerSpecification, LngLatLike, MapOptions } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import "./map.scss";
import { keepAsking } from "./again";
import { Moves } from "./moves";
import { ownStyle, type Overlay, type StreetTiles } from "./style";
import { NEAREST } from "./tiles";

setWorkerUrl(workerUrl);

/** The dark scheme is followed while the map is there. */
const NIGHT = matchMedia("(prefers-color-scheme: dark)");

/** By the reader's choice; a wallboard is dark whatever its screen says. */
export function isDark(): boolean {
  return NIGHT.matches || document.documentElement.classList.contains("hub--dark");
}

export const IMAGE_SCALE = 2;
const NOTHING: Overlay = { sources: {}, layers: [] };

export interface CountyMapOptions {
  /** What a screen reader calls the map: "Map of road problems". */
  label: string;
  /** Longitude and latitude. Without one, all of the county is shown. */
  centre?: [number, number];
  /** 13 where there is a centre, unless it is told. */
  zoom?: number;
  /** Sources and layers above the streets, for a light or a dark map. Called again when the scheme changes. */
  overlay?: (dark: boolean) => Overlay;
  /** The images that layers name, IMAGE_SCALE times as large as they are drawn; asked for once each. */
  image?: (id: string) => Promise<ImageData | undefined>;
  /** Further options of MapLibre's own. */
  more?: Partial<MapOptions>;
}

/**
 * A map in an element, ready to be used when the promise is kept.
 *
 * ```ts
 * const { countyMap } = await import("./map/base");
 * const map = await countyMap(element, { label: "Map of road problems", centre: [-2.70, 53.76], zoom: 15 });
 * ```
 *
 * The element needs a height of its own (class `app-map`). `data-basemap` on it is the address of a council's own style,
 * which is then drawn instead of our streets (`look.basemap_style`); should it not come, ours is drawn. `data-credit`
 * is whose data the streets are. Throws where the browser has no WebGL: pages show then what they show without scripts.
 */
export async function countyMap(element: HTMLElement, options: CountyMapOptions): Promise<Map> {
  const told = await streetTiles();
  const overlay = options.overlay ?? (() => NOTHING);
  const map = new Map({
    container: element,
    style: await style(element, told, overlay(isDark())),
    ...view(options, told),
    maxZoom: NEAREST,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    rollEnabled: false,
    fadeDuration: 0,
    ...options.more,
  });
  map.setMissingStyleImageResolver(async (id) => {
    const image = await options.image?.(id);
    if (image && !map.hasImage(id)) map.addImage(id, image, { pixelRatio: IMAGE_SCALE });
  });
  keepAsking(map);
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new Moves(), "bottom-right");
  const credit = element.dataset["credit"];
  if (credit) map.addControl(new AttributionControl({ compact: false, customAttribution: credit }), "bottom-left");
  name(map, options.label);
  const schemeChanged = () => void recolour(map, element, told, overlay);
  NIGHT.addEventListener("change", schemeChanged);
  map.on("remove", () => NIGHT.removeEventListener("change", schemeChanged));
  await map.once("load");
  return map;
}

/** Where the tiles are, asked for until it is known. */
let known: Promise<StreetTiles> | undefined;

export function streetTiles(): Promise<StreetTiles> {
  known ??= askStreetTiles().catch((error: unknown) => {
    known = undefined;
    throw error;
  });
  return known;
}

async function askStreetTiles(): Promise<StreetTiles> {
  const answer = await fetch("/api/v1/streets/tiles");
  if (!answer.ok) throw new Error(`The map's streets were answered with ${answer.status}.`);
  return (await answer.json()) as StreetTiles;
}

function view(options: CountyMapOptions, told: StreetTiles): Partial<MapOptions> {
  if (options.centre) return { center: options.centre as LngLatLike, zoom: options.zoom ?? 13 };
  return told.bounds ? { bounds: told.bounds, fitBoundsOptions: { padding: 16 } } : { center: [-2.7, 53.8], zoom: 5 };
}

async function style(element: HTMLElement, told: StreetTiles, overlay: Overlay): Promise<NonNullable<MapOptions["style"]>> {
  const theirs = element.dataset["basemap"];
  if (theirs) {
    try {
      const answer = await fetch(theirs);
      if (answer.ok) {
        const given = (await answer.json()) as ReturnType<typeof ownStyle>;
        return {
          ...given,
          sources: { ...given.sources, ...overlay.sources },
          layers: [...given.layers, ...overlay.layers],
        };
      }
    } catch {
      // Ours is drawn: a map without that style is better than none.
    }
  }
  return ownStyle(isDark(), told, overlay);
}

/** MapLibre calls its canvas "Map"; a page may have a better name for it. */
export function name(map: Map, label: string): void {
  map.getCanvas().setAttribute("aria-label", `${label}. Arrow keys move it, plus and minus zoom.`);
}

/** In place: what is drawn stays, and so does what somebody has put on it. */
async function recolour(
  map: Map,
  element: HTMLElement,
  told: StreetTiles,
  overlay: (dark: boolean) => Overlay,
): Promise<void> {
  const next = await style(element, told, overlay(isDark()));
  if (typeof next === "string") return;
  for (const layer of next.layers) if (map.getLayer(layer.id)) repaint(map, layer);
}

function repaint(map: Map, layer: LayerSpecification): void {
  for (const [property, value] of Object.entries(layer.paint ?? {})) {
    map.setPaintProperty(layer.id, property as never, value as never);
  }
}
