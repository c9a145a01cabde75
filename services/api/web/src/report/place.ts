// "Use my location", and a map whose pin can be put on the exact spot. The map comes only when it is asked for.
import type { PinPicker } from "../map/pin";
import type { StreetTiles } from "../map/style";

const PIN_M = 5;
const PAUSE_MS = 250;
const SHOWN = 8;

interface Fields {
  q: HTMLInputElement;
  lat: HTMLInputElement;
  lon: HTMLInputElement;
  accuracy: HTMLInputElement;
}

export function placeForm(): void {
  const form = document.querySelector<HTMLFormElement>("[data-where]");
  if (form) new PlaceForm(form);
}

class PlaceForm {
  private readonly fields: Fields;
  private readonly said = status();
  private picker: Promise<PinPicker> | undefined;
  private readonly holder: HTMLElement;
  private readonly asked: HTMLElement;
  private readonly mapSaid = status();

  constructor(form: HTMLFormElement) {
    const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement;
    this.fields = { q: field("q"), lat: field("lat"), lon: field("lon"), accuracy: field("accuracy") };
    this.holder = form.querySelector<HTMLElement>("[data-pin]")!;
    const locate = form.querySelector<HTMLElement>("[data-locate]")!;
    if ("geolocation" in navigator) locate.append(button("Use my location", () => this.locate()), this.said);
    // With the button that was pressed the focus went: it has it again where the button had to come back.
    this.asked = button("Show it on a map", () => void this.showMap().then(() => this.asked.focus()));
    this.holder.before(this.asked, this.mapSaid);
    // What is typed last is what is meant.
    this.fields.q.addEventListener("input", () => this.forgetPoint());
    for (const degrees of [this.fields.lat, this.fields.lon]) {
      degrees.addEventListener("input", () => (this.fields.accuracy.value = ""));
    }
    new Suggestions(this.fields.q);
    if (this.fields.lat.value !== "") void this.showMap();
  }

  private forgetPoint(): void {
    this.fields.lat.value = this.fields.lon.value = this.fields.accuracy.value = "";
  }

  private locate(): void {
    this.said.textContent = "Finding where you are";
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        this.point(coords.latitude, coords.longitude, coords.accuracy);
        this.said.textContent = `Found, to within ${Math.max(1, Math.round(coords.accuracy))} metres. Move the pin if it is not there.`;
        void this.showMap();
      },
      (error) => {
        const refused = error.code === error.PERMISSION_DENIED;
        this.said.textContent = refused
          ? "Your browser does not let us know where you are. Type the place instead."
          : "We could not find where you are. Try again outdoors, or type the place.";
      },
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 30_000 },
    );
  }

  private point(lat: number, lon: number, accuracy: number): void {
    this.fields.q.value = "";
    this.fields.lat.value = lat.toFixed(6);
    this.fields.lon.value = lon.toFixed(6);
    this.fields.accuracy.value = String(Math.max(1, Math.round(accuracy)));
  }

  /** A map that is there already is moved to where the phone was found. */
  private async showMap(): Promise<void> {
    this.asked.remove();
    this.mapSaid.textContent = "";
    try {
      const before = this.picker;
      const picker = await (this.picker ??= this.drawn());
      const point = this.known();
      if (before && point) picker.put(point);
    } catch {
      this.picker = undefined;
      this.mapSaid.before(this.asked);
      this.mapSaid.textContent = "The map did not come. Try again, or go on without it.";
    }
  }

  /** Around the pin, or what is typed, or else the middle of the county. */
  private async drawn(): Promise<PinPicker> {
    const [{ pinPicker }, { streetTiles }] = await Promise.all([import("../map/pin"), import("../map/base")]);
    const { bounds } = await streetTiles();
    const at = this.known() ?? (await this.typed()) ?? middle(bounds);
    return pinPicker(this.holder, { ...at, onmove: (to) => this.point(to.lat, to.lon, PIN_M) });
  }

  private known(): Start | undefined {
    const { lat, lon } = this.fields;
    return lat.value === "" || lon.value === "" ? undefined : { lat: Number(lat.value), lon: Number(lon.value), zoom: 17 };
  }

  private async typed(): Promise<Start | undefined> {
    const typed = this.fields.q.value.trim() || this.holder.dataset["typed"];
    if (!typed || typed.length < 2) return undefined;
    const answer = await fetch(`/api/v1/places?limit=1&q=${encodeURIComponent(typed)}`);
    const found = answer.ok ? ((await answer.json()) as Found) : { places: [], did_you_mean: [] };
    const place = found.places[0] ?? found.did_you_mean[0];
    return place && { lat: place.lat, lon: place.lon, zoom: place.kind === "street" ? 16 : 15 };
  }
}

function middle(bounds: StreetTiles["bounds"]): Start {
  if (!bounds) return { lat: 53.8, lon: -2.7, zoom: 5 };
  const [west, south, east, north] = bounds;
  return { lat: (south + north) / 2, lon: (west + east) / 2, zoom: 10 };
}

/** Places that begin so, under the field, as the browser itself shows such lists: by keyboard and aloud, too. */
class Suggestions {
  private readonly list = document.createElement("datalist");
  private waiting = 0;
  private asking: AbortController | undefined;

  constructor(private readonly field: HTMLInputElement) {
    this.list.id = `${field.id}-places`;
    field.after(this.list);
    field.setAttribute("list", this.list.id);
    field.addEventListener("input", () => {
      clearTimeout(this.waiting);
      this.waiting = window.setTimeout(() => void this.ask(), PAUSE_MS);
    });
  }

  /** A question that is overtaken is not waited for; without an answer the field is what it was. */
  private async ask(): Promise<void> {
    const typed = this.field.value.trim();
    this.asking?.abort();
    if (typed.length < 3) return this.list.replaceChildren();
    const asking = (this.asking = new AbortController());
    try {
      const address = `/api/v1/places?limit=${SHOWN}&q=${encodeURIComponent(typed)}`;
      const answer = await fetch(address, { signal: asking.signal });
      if (!answer.ok) return;
      const { places, did_you_mean } = (await answer.json()) as Found;
      this.list.replaceChildren(...[...places, ...did_you_mean].map(({ label }) => new Option(label, label)));
    } catch {
      // Overtaken, or no signal.
    }
  }
}

/** What a map begins with. */
interface Start {
  lat: number;
  lon: number;
  zoom: number;
}

interface Found {
  places: Called[];
  did_you_mean: Called[];
}

interface Called {
  kind: string;
  label: string;
  lat: number;
  lon: number;
}

export function button(words: string, press: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "govuk-button govuk-button--secondary";
  made.textContent = words;
  made.addEventListener("click", press);
  return made;
}

export function status(): HTMLElement {
  const made = document.createElement("p");
  made.className = "govuk-body app-said";
  made.setAttribute("role", "status");
  return made;
}
