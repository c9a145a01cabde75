// The counters: asked for anew after lines of the feed, and not more often than once a second.
import { get } from "../api";

/** GET /api/v1/board. */
export interface Board {
  at: string;
  number: number;
  today: { from: string; before: string };
  bands: { band: string | null; open: number; overdue: number }[];
  open: number;
  overdue: number;
  due_today: number;
  unsure: number;
  danger: number;
  parked: number;
  recalls: number;
  right_first_time: { counted: number; of: number; value: number | null };
}

export interface Figure {
  figure: string;
  more: string;
}

const LEAST_MS = 250;
const BETWEEN_MS = 1000;
/** Midnight and a parked delivery have no line of the feed: once in so long it is looked for them. */
const LOOK_MS = 60_000;

/** What each counter shows, by its name in the page. */
export function figures(board: Pick<Board, "bands" | "overdue"> & Partial<Board>): Record<string, Figure> {
  const plain = (count: number | undefined) => ({ figure: count === undefined ? "–" : number(count), more: "" });
  const rft = board.right_first_time;
  const share = rft && rft.value !== null ? `${Math.round(rft.value * 100)}%` : "–";
  return {
    ...Object.fromEntries(board.bands.map((one) => [`band-${one.band ?? "none"}`, { figure: number(one.open), more: one.overdue ? `${number(one.overdue)} late` : "" }])),
    overdue: plain(board.overdue),
    due: plain(board.due_today),
    unsure: plain(board.unsure),
    danger: plain(board.danger),
    parked: plain(board.parked),
    recalls: plain(board.recalls),
    rft: { figure: share, more: rft ? `${number(rft.counted)} of ${number(rft.of)}` : "" },
  };
}

function number(count: number): string {
  return count.toLocaleString("en-GB");
}

export class Counters {
  private asking = false;
  private again = false;
  private timer = 0;
  private askedAt = 0;
  private lines = 0;
  private shown = "";
  private readonly heard: ((board: Board, changedByItself: boolean) => void)[] = [];
  /** Nothing is asked for: a past day is shown. */
  paused = false;

  constructor(private readonly places: Iterable<HTMLElement>) {
    window.setInterval(() => {
      if (!document.hidden) this.changed();
    }, LOOK_MS);
  }

  /** Hear each answer; `changedByItself`: it is another one although no line came since the one before. */
  onanswer(heard: (board: Board, changedByItself: boolean) => void): void {
    this.heard.push(heard);
  }

  /** A line came. */
  line(): void {
    this.lines++;
    this.changed();
  }

  /** They may be others now. */
  changed(): void {
    if (this.paused) return;
    this.again = true;
    if (this.asking || this.timer) return;
    const wait = Math.max(LEAST_MS, this.askedAt + BETWEEN_MS - Date.now());
    this.timer = window.setTimeout(() => void this.ask(), wait);
  }

  show(told: Record<string, Figure>): void {
    for (const place of this.places) {
      const { figure, more } = told[place.dataset["count"]!] ?? { figure: "–", more: "" };
      put(place.querySelector("[data-figure]"), figure);
      put(place.querySelector("[data-more]"), more);
      place.classList.toggle("board-count--some", figure !== "0" && figure !== "–");
    }
  }

  private async ask(): Promise<void> {
    this.timer = 0;
    [this.asking, this.again, this.askedAt] = [true, false, Date.now()];
    const lines = this.lines;
    try {
      const board = await get<Board>("/board");
      if (!this.paused) this.take(board, lines === 0);
      this.lines -= lines;
    } catch {
      // Not reached: the connection's return asks again.
    }
    this.asking = false;
    if (this.again) this.changed();
  }

  private take(board: Board, quiet: boolean): void {
    this.show(figures(board));
    const { at: _at, number: _number, ...counted } = board;
    const now = JSON.stringify(counted);
    const changed = this.shown !== "" && now !== this.shown;
    this.shown = now;
    this.heard.forEach((heard) => heard(board, quiet && changed));
  }
}

function put(place: Element | null, words: string): void {
  if (place && place.textContent !== words) place.textContent = words;
}
