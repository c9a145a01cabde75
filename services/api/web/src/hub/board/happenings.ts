// What just happened, newest first: the last lines of the feed in words. Never more than MOST of them, however long the
// page is open.
import { get } from "../api";
import type { Back, Line } from "../live";
import { band, element } from "../parts";
import { sentence, tone } from "./words";

export const MOST = 200;
/** Lines are put into the page together: a hundred a second would be a hundred layouts. */
const GATHER_MS = 200;
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: "Europe/London" });
const DATED = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "Europe/London" });

export interface HappeningsOptions {
  most?: number;
  /** False where nothing can be clicked. */
  linked?: boolean;
  /** Somebody wants to see on the map where it was. */
  onplace?: (line: Line) => void;
}

export class Happenings {
  private waiting: Line[] = [];
  private newest = 0;
  private gathering = 0;
  /** What is heard while the last lines are asked for. */
  private meanwhile: Line[] | undefined;
  private readonly most: number;

  constructor(
    private readonly list: HTMLElement,
    private readonly options: HappeningsOptions = {},
  ) {
    this.most = options.most ?? MOST;
  }

  /** The last lines of the record, whatever was shown before. */
  async load(): Promise<void> {
    const heard: Line[] = (this.meanwhile = []);
    const told = await get<{ lines: Line[] }>(`/feed/lines?limit=${this.most}`).catch((problem: unknown) => {
      if (this.meanwhile === heard) this.meanwhile = undefined;
      throw problem;
    });
    // Asked for again, or put away, since.
    if (this.meanwhile !== heard) return;
    this.clear();
    [...told.lines, ...heard].forEach((line) => this.add(line));
    this.flush();
  }

  /** One more. One that is there already is not shown twice. */
  add(line: Line): void {
    this.meanwhile?.push(line);
    if (line.number <= this.newest) return;
    this.newest = line.number;
    this.waiting.push(line);
    if (this.waiting.length > this.most) this.waiting.shift();
    this.gathering ||= window.setTimeout(() => this.flush(), GATHER_MS);
  }

  /** A rule where the connection was lost. */
  mark(back: Back): void {
    this.flush();
    const from = CLOCK.format(back.since);
    const words = `The connection was lost at ${from}. ${back.lines} caught up, none is missing.`;
    this.list.prepend(element("li", { class: "board-line board-line--mark" }, words));
    this.trim();
  }

  clear(): void {
    clearTimeout(this.gathering);
    this.gathering = this.newest = 0;
    this.waiting = [];
    this.meanwhile = undefined;
    this.list.replaceChildren();
  }

  private flush(): void {
    clearTimeout(this.gathering);
    this.gathering = 0;
    const made = this.waiting.splice(0).map((line) => this.item(line));
    this.list.prepend(...made.reverse());
    this.trim();
  }

  private trim(): void {
    // A rule counts for nothing, and goes with what lies below it.
    let spare = this.list.querySelectorAll("[data-number]").length - this.most;
    while (spare > 0) if (this.take().hasAttribute("data-number")) spare--;
    while (this.list.children.length > 2 * this.most) this.take();
  }

  private take(): Element {
    const last = this.list.lastElementChild!;
    last.remove();
    return last;
  }

  private item(line: Line): HTMLElement {
    const mark = tone(line);
    const item = element(
      "li",
      { class: `board-line${mark ? ` board-line--${mark}` : ""}`, "data-number": String(line.number) },
      element("time", { datetime: line.at, class: "hub-figure" }, written(line.at)),
      element("span", { class: "board-line__band" }, line.band ? band(line.band) : null),
      element("span", { class: "board-line__words" }, ...sentence(line, this.options.linked)),
    );
    if (this.options.onplace && typeof line.lat === "number") item.append(this.placed(line));
    return item;
  }

  private placed(line: Line): HTMLElement {
    const button = element("button", { type: "button", class: "board-line__place", "aria-label": `Show ${line.reference ?? "it"} on the map` }, "◎");
    button.addEventListener("click", () => this.options.onplace?.(line));
    return button;
  }
}

/** A time of today is told without its day. */
function written(at: string): string {
  const when = new Date(at);
  return Date.now() - when.getTime() < 12 * 3600_000 ? CLOCK.format(when) : DATED.format(when);
}
