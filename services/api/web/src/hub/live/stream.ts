// One reading of the feed, kept up for as long as it is wanted: lost, it is tried again where it was. Not EventSource's:
// that hides the beats by which silence is noticed, takes no place to begin at, and does not say that one is signed out.
import { Parser, type Message } from "./parser";

/** Longer than two beats of the server's to staff, and short enough for a loss to be shown within five seconds. */
const SILENCE_MS = 4500;
const AGAIN_MS = [0, 1000, 2000, 3000];
/** The server's words where the record is not what was read. */
const RESET = "Reset";

/** The last line that was heard: "123-5f0c9a31". */
export type Place = string;

export function numberOf(place: Place): number {
  return Number.parseInt(place, 10) || 0;
}

export interface Heard {
  line(kind: string, data: string, place: Place): void;
  reset(place: Place): void;
  /** It is heard again; `since` is when it was last, and `lines` came of what was missed meanwhile. Null: the first time. */
  live(back: { since: number; lines: number } | null): void;
  /** It is not heard since then. */
  lost(since: number): void;
  /** The session has ended. */
  out(): void;
}

export class Stream {
  private reading: AbortController | undefined;
  private waking: (() => void) | undefined;
  private ended = false;
  private everLive = false;
  private restarting = false;
  /** While it is caught up: up to which line, and how many have come. */
  private catching: { to: number; lines: number } | undefined;

  /** `heardAt` and `lostAt`: how another page's stream stood, from which this one takes over. */
  constructor(
    public place: Place,
    private readonly heard: Heard,
    public heardAt: number,
    /** Since when nothing is heard; null while it is. */
    public lostAt: number | null,
  ) {
    void this.run();
  }

  get isLive(): boolean {
    return this.everLive && this.lostAt === null;
  }

  /** Begin again from an earlier line: who has heard the later ones passes over them. */
  goBackTo(place: Place): void {
    this.place = place;
    this.again();
  }

  /** Try at once, whatever it waits for. */
  again(): void {
    this.restarting = true;
    this.reading?.abort();
    this.waking?.();
  }

  end(): void {
    this.ended = true;
    this.again();
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.ended; ) {
      const began = Date.now();
      const opened = await this.read();
      if (this.ended) return;
      if (opened || this.restarting) failures = 0;
      else failures++;
      if (failures) this.lose();
      // A stream's planned end is followed by the next one at once; one that ends as soon as it began is not.
      const hasty = opened && !this.restarting && Date.now() - began < AGAIN_MS[1]!;
      this.restarting = false;
      await this.pause(AGAIN_MS[hasty ? 1 : Math.min(failures, AGAIN_MS.length - 1)]!);
    }
  }

  /** Read until it ends, for whatever reason. Whether anything was heard at all. */
  private async read(): Promise<boolean> {
    const reading = (this.reading = new AbortController());
    let silence = 0;
    let opened = false;
    const listen = (forMs = SILENCE_MS) => {
      clearTimeout(silence);
      silence = window.setTimeout(() => {
        this.lose();
        reading.abort();
      }, forMs);
    };
    listen(this.lostAt !== null ? SILENCE_MS : Math.max(500, this.heardAt + SILENCE_MS - Date.now()));
    try {
      const answer = await this.asked(reading.signal);
      if (!answer) return false;
      const parser = new Parser((message) => this.take(message), (words) => this.told(words));
      const pieces = answer.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await pieces.read(); !piece.done; piece = await pieces.read()) {
        opened = true;
        listen();
        this.heardAt = Date.now();
        parser.push(piece.value);
      }
    } catch {
      // Broken off: by the network, by silence, or by ourselves.
    } finally {
      clearTimeout(silence);
      reading.abort();
    }
    return opened;
  }

  private async asked(signal: AbortSignal): Promise<ReadableStream<BufferSource> | null> {
    const headers = { Accept: "text/event-stream", "Last-Event-ID": this.place };
    const answer = await fetch("/api/v1/feed?whole=true", { headers, cache: "no-store", signal });
    if (answer.status === 401 || answer.status === 403) {
      this.ended = true;
      this.heard.out();
    }
    return answer.ok ? (answer.body as ReadableStream<BufferSource> | null) : null;
  }

  private take({ id, event, data }: Message): void {
    if (id) this.place = id;
    if (event === RESET) this.heard.reset(this.place);
    else if (data) this.heard.line(event, data, this.place);
    if (this.catching && data && event !== RESET) this.catching.lines++;
    this.caughtUp();
  }

  /** The comment at the beginning says how far the record has come. */
  private told(words: string): void {
    const [name, newest] = words.trim().split(" ");
    if (name !== "newest" || !newest) return;
    this.catching = { to: numberOf(newest), lines: 0 };
    this.caughtUp();
  }

  private caughtUp(): void {
    if (!this.catching || numberOf(this.place) < this.catching.to) return;
    const { lines } = this.catching;
    this.catching = undefined;
    const since = this.lostAt;
    this.lostAt = null;
    if (since !== null || !this.everLive) this.heard.live(since === null ? null : { since, lines });
    this.everLive = true;
  }

  private lose(): void {
    if (this.lostAt !== null) return;
    this.lostAt = this.heardAt;
    this.heard.lost(this.lostAt);
  }

  /** About so long: not all browsers come at once after a restart. */
  private pause(ms: number): Promise<void> {
    return new Promise((awake) => {
      const timer = window.setTimeout(awake, ms * (0.75 + Math.random() / 2));
      this.waking = () => {
        clearTimeout(timer);
        awake();
      };
    });
  }
}
