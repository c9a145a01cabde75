// A pin that somebody puts on the exact spot: by dragging, by a tap on the map, by arrow keys, or by buttons. The street
// and the side that it is on are said back.
import { Marker, type Map } from "maplibre-gl";
import { countyMap } from "./base";
import { pictureButton } from "./moves";
import { sentence, spotAt, type Spot } from "./spot";

export interface Place {
  lat: number;
  lon: number;
}

export interface PinOptions extends Place {
  /** Called at each move by hand, at once. */
  onmove?: (place: Place) => void;
  /** Called when the spot has been looked up; null where it could not be. */
  onspot?: (spot: Spot | null) => void;
  /** 17 unless it is told. */
  zoom?: number;
}

export interface PinPicker {
  /** Undefined where the browser cannot draw maps: keys and buttons move the pin all the same. */
  map: Map | undefined;
  place(): Place;
  /** Put the pin there, and the map with it. `onmove` is not called. */
  put(place: Place): void;
}

const STEP_M = 1;
const LEAP_M = 10;
const METRES_A_DEGREE = 111_320;
const PAUSE_MS = 350;

/** Of pickers in the page: an id for each one's caption. */
let count = 0;

const WAYS = [
  { key: "ArrowUp", place: "north", drawn: "M6 15l6-6 6 6", east: 0, north: 1 },
  { key: "ArrowLeft", place: "west", drawn: "M15 6l-6 6 6 6", east: -1, north: 0 },
  { key: "ArrowRight", place: "east", drawn: "M9 6l6 6-6 6", east: 1, north: 0 },
  { key: "ArrowDown", place: "south", drawn: "M6 9l6 6 6-6", east: 0, north: -1 },
] as const;

const PIN =
  "M12 1C7 1 3 5 3 10c0 6.5 9 13 9 13s9-6.5 9-13c0-5-4-9-9-9z M12 6.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 1 1 0-7z";

/**
 * Fills an empty element with a map, its pin, the buttons that nudge it, and a line that says where it is.
 *
 * ```ts
 * const { pinPicker } = await import("./map/pin");
 * await pinPicker(element, { lat: 53.7584, lon: -2.7063, onmove: ({ lat, lon }) => { … } });
 * ```
 *
 * `data-basemap` and `data-credit` of the element are those of `countyMap`.
 */
export async function pinPicker(element: HTMLElement, options: PinOptions): Promise<PinPicker> {
  const picker = new Picker(element, options);
  await picker.draw();
  return picker;
}

class Picker implements PinPicker {
  map: Map | undefined;
  private marker: Marker | undefined;
  private readonly canvas = made("div", "app-map app-pin__map");
  private readonly said = made("p", "govuk-body app-pin__said");
  private at: Place;
  private asking: AbortController | undefined;
  private waiting = 0;

  constructor(
    element: HTMLElement,
    private readonly options: PinOptions,
  ) {
    this.at = { lat: options.lat, lon: options.lon };
    Object.assign(this.canvas.dataset, { ...element.dataset });
    this.said.setAttribute("role", "status");
    element.classList.add("app-pin");
    element.replaceChildren(this.canvas, this.nudges(), this.said);
    this.look();
  }

  place(): Place {
    return { ...this.at };
  }

  put(place: Place): void {
    this.set(place);
    this.map?.easeTo({ center: [place.lon, place.lat] });
  }

  async draw(): Promise<void> {
    const { lat, lon } = this.at;
    try {
      this.map = await countyMap(this.canvas, {
        label: "Map with a pin on the place of the problem",
        centre: [lon, lat],
        zoom: this.options.zoom ?? 17,
      });
    } catch {
      this.canvas.remove();
      return;
    }
    this.marker = new Marker({ element: this.pin(), anchor: "bottom", draggable: true })
      .setLngLat([this.at.lon, this.at.lat])
      .addTo(this.map);
    this.marker.on("dragend", () => {
      const { lat, lng } = this.marker!.getLngLat();
      this.move({ lat, lon: lng });
    });
    this.map.on("click", (event) => this.move({ lat: event.lngLat.lat, lon: event.lngLat.lng }));
  }

  private pin(): HTMLElement {
    const pin = pictureButton("Pin. Arrow keys move it 1 metre, with Shift 10 metres", "pin", PIN, () => undefined);
    pin.classList.add("app-pin__pin");
    pin.addEventListener("click", (event) => event.stopPropagation());
    pin.addEventListener("keydown", (event) => this.pressed(event));
    return pin;
  }

  private pressed(event: KeyboardEvent): void {
    const way = WAYS.find(({ key }) => key === event.key);
    if (way === undefined) return;
    // The map behind would move, and the page scroll.
    event.preventDefault();
    event.stopPropagation();
    this.nudge(way, event.shiftKey ? LEAP_M : STEP_M);
  }

  private nudges(): HTMLElement {
    const group = made("div", "app-pin__nudges");
    group.setAttribute("role", "group");
    const caption = made("span", "app-pin__caption");
    caption.id = `app-pin-caption-${(count += 1)}`;
    caption.textContent = "Move the pin 1 metre";
    group.setAttribute("aria-labelledby", caption.id);
    group.append(
      caption,
      ...WAYS.map((way) =>
        pictureButton(`Move the pin 1 metre ${way.place}`, way.place, way.drawn, () => this.nudge(way, STEP_M)),
      ),
    );
    return group;
  }

  private nudge(way: (typeof WAYS)[number], metres: number): void {
    const { lat, lon } = this.at;
    const east = METRES_A_DEGREE * Math.cos((lat * Math.PI) / 180);
    this.move({ lat: lat + (way.north * metres) / METRES_A_DEGREE, lon: lon + (way.east * metres) / east });
    if (this.map && !this.map.getBounds().contains([this.at.lon, this.at.lat])) {
      this.map.easeTo({ center: [this.at.lon, this.at.lat] });
    }
  }

  private move(place: Place): void {
    this.set(place);
    this.options.onmove?.(this.place());
  }

  private set(place: Place): void {
    this.at = place;
    this.marker?.setLngLat([place.lon, place.lat]);
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => this.look(), PAUSE_MS);
  }

  /** Say where it is. A question that is overtaken is not waited for. */
  private async look(): Promise<void> {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    const spot = await spotAt(this.at.lat, this.at.lon, asking.signal);
    if (asking.signal.aborted) return;
    this.said.textContent = spot ? sentence(spot) : "";
    this.options.onspot?.(spot);
  }
}

function made(tag: string, className: string): HTMLElement {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}
