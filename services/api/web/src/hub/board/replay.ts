// Plays a past day: a bar with a day, a speed, a slider and a button; keys for all of it; Escape goes back to now.
import { command } from "../keys";
import { attempt } from "../says";
import { PastDay, type Standing } from "./day";
import type { Line } from "../live";

const SPEEDS = [1, 10, 60, 300, 1200];
/** So often the page is drawn while it plays. */
const FRAME_MS = 500;
const STEP_MS = 5 * 60_000;
const LONG_STEP_MS = 60 * 60_000;
const WHEN = new Intl.DateTimeFormat("en-GB", {
  weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: "Europe/London",
});

export interface Stage {
  /** A past day is shown from now on; null: the live board again. */
  shows(day: PastDay | null): void;
  /** The moment is another one, `words` say which. `lines` came, oldest first; `anew`: what was shown before is of a later moment. */
  moment(day: PastDay, lines: Line[], anew: boolean, words: string): void;
  /** So many lines are shown at most. */
  most: number;
}

export class Replay {
  private day: PastDay | undefined;
  private speed = 60;
  private playing = 0;
  private going = false;
  private wanted: number | undefined;
  private readonly title = document.title;

  constructor(
    private readonly bar: HTMLElement,
    private readonly stage: Stage,
  ) {
    this.part<HTMLFormElement>("form").addEventListener("submit", (event) => {
      event.preventDefault();
      void attempt(() => this.start(this.part<HTMLInputElement>("day").value));
    });
    this.part("play").addEventListener("click", () => this.toggle());
    this.part("live").addEventListener("click", () => this.stop());
    this.part<HTMLInputElement>("slider").addEventListener("input", () => this.to(this.day!.start + Number(this.part<HTMLInputElement>("slider").value) * 1000));
    this.part<HTMLSelectElement>("speed").addEventListener("change", () => (this.speed = Number(this.part<HTMLSelectElement>("speed").value)));
    this.keys();
  }

  get isOn(): boolean {
    return this.day !== undefined;
  }

  private keys(): void {
    const when = () => this.isOn;
    const group = "Replay";
    command(
      { name: "Replay a day", key: "p", group, when: () => !this.isOn, run: () => this.part<HTMLInputElement>("day").focus() },
      { name: "Play or pause", key: " ", group, when, run: () => this.toggle() },
      { name: "Five minutes back", key: "ArrowLeft", group, when, run: () => this.step(-STEP_MS) },
      { name: "Five minutes on", key: "ArrowRight", group, when, run: () => this.step(STEP_MS) },
      { name: "An hour back", key: "Shift+ArrowLeft", group, when, run: () => this.step(-LONG_STEP_MS) },
      { name: "An hour on", key: "Shift+ArrowRight", group, when, run: () => this.step(LONG_STEP_MS) },
      { name: "Slower", key: "[", group, when, run: () => this.quicker(-1) },
      { name: "Faster", key: "]", group, when, run: () => this.quicker(1) },
      { name: "Back to now", key: "Escape", group, when, run: () => this.stop() },
    );
  }

  async start(day: string): Promise<void> {
    if (!day) return;
    this.part("note").textContent = "Reading the record of that day.";
    try {
      this.day = await PastDay.load(day);
    } catch (problem) {
      this.part("note").textContent = "";
      throw problem;
    }
    this.bar.dataset["on"] = "yes";
    const slider = this.part<HTMLInputElement>("slider");
    slider.max = String((this.day.end - this.day.start) / 1000);
    this.part("note").textContent = this.day.isEmpty ? "Nothing happened on that day." : "";
    this.stage.shows(this.day);
    this.to(this.day.start);
    this.play(true);
    this.part("play").focus();
  }

  stop(): void {
    this.play(false);
    this.day = undefined;
    delete this.bar.dataset["on"];
    document.title = this.title;
    this.part("note").textContent = "";
    this.stage.shows(null);
    this.part("day").focus();
  }

  private toggle(): void {
    this.play(!this.playing);
  }

  private play(on: boolean): void {
    clearInterval(this.playing);
    this.playing = on ? window.setInterval(() => this.tick(), FRAME_MS) : 0;
    this.part("play").textContent = on ? "Pause" : "Play";
  }

  private tick(): void {
    if (!this.day || this.going) return;
    if (this.day.at >= this.day.end) return this.play(false);
    this.to(this.day.at + FRAME_MS * this.speed);
  }

  private step(by: number): void {
    if (this.day) this.to((this.wanted ?? this.day.at) + by);
  }

  private quicker(by: number): void {
    const select = this.part<HTMLSelectElement>("speed");
    const index = Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(this.speed) + by));
    this.speed = SPEEDS[index]!;
    select.value = String(this.speed);
  }

  /** Go to a moment. While one is on its way only the last that is wanted next counts. */
  private to(moment: number): void {
    this.wanted = Math.min(this.day!.end, Math.max(this.day!.start, moment));
    if (!this.going) void attempt(() => this.go());
  }

  private async go(): Promise<void> {
    this.going = true;
    try {
      while (this.wanted !== undefined && this.day) {
        const { day, wanted } = { day: this.day, wanted: this.wanted };
        this.wanted = undefined;
        const { lines, anew } = await day.go(wanted, this.stage.most);
        if (day === this.day) this.shown(day, lines, anew);
      }
    } finally {
      this.going = false;
    }
  }

  private shown(day: PastDay, lines: Line[], anew: boolean): void {
    const words = WHEN.format(day.at);
    this.part("moment").textContent = words;
    const slider = this.part<HTMLInputElement>("slider");
    slider.value = String((day.at - day.start) / 1000);
    slider.setAttribute("aria-valuetext", words);
    document.title = `Replay ${words}`;
    this.stage.moment(day, lines, anew, words);
  }

  private part<T extends HTMLElement = HTMLElement>(name: string): T {
    return this.bar.querySelector<T>(`[data-replay="${name}"]`)!;
  }
}

/** What was open then, for the map. */
export function asFeatures(open: Map<string, Standing>): GeoJSON.FeatureCollection {
  const features = [...open].map(([reference, { lat, lon, overdue, ...more }]): GeoJSON.Feature => ({
    type: "Feature",
    geometry: { type: "Point", coordinates: [lon, lat] },
    properties: { reference, ...more, count: 1, overdue: overdue ? 1 : 0, danger: 0 },
  }));
  return { type: "FeatureCollection", features };
}

/** What was open then, counted as the board counts. */
export function asCounts(open: Map<string, Standing>, order: (string | null)[]): { bands: { band: string | null; open: number; overdue: number }[]; overdue: number } {
  const bands = order.map((band) => ({ band, open: 0, overdue: 0 }));
  const by = new Map(bands.map((one) => [one.band, one]));
  let late = 0;
  for (const { band, overdue } of open.values()) {
    const one = by.get(band);
    if (one) one.open++;
    if (one && overdue) one.overdue++;
    if (overdue) late++;
  }
  return { bands, overdue: late };
}
