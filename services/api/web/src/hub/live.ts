// The live feed as the hub hears it: every line once and in order, and always a word on whether it is heard.
//
// A browser has one stream, however many pages of the hub it shows: six connections to a host are all that HTTP/1.1 has.
// The page that holds the lock reads, and passes on what it hears; when it goes, or is put to sleep, the next one reads.
import { numberOf, Stream, type Heard, type Place } from "./live/stream";

/** One line of the feed, as staff see it: GET /api/v1/feed. */
export interface Line {
  number: number;
  kind: string;
  at: string;
  subject: string;
  reference?: string;
  class_code?: string;
  area_code?: string;
  lat?: number;
  lon?: number;
  before?: string;
  after?: string;
  band?: string;
  actor?: string;
  facts?: Record<string, unknown>;
  [more: string]: unknown;
}

export type LiveState = "connecting" | "live" | "lost";
/** What was caught up after a loss: when it had been heard last, and how many lines came. */
export interface Back {
  since: number;
  lines: number;
}
type OnLine = (line: Line) => void;
type OnState = (state: LiveState, words: string) => void;

type Said =
  | { say: "out" | "who" }
  | { say: "awake"; heardAt: number; lostAt: number | null }
  | { say: "line"; kind: string; data: string; place: Place }
  | { say: "reset" | "hello"; place: Place }
  | { say: "live"; back: Back | null }
  | { say: "lost"; since: number };

const NAME = "roadmend-feed-1";
/** A page that reads says so often that it is awake; who has not said so for so long is asleep. */
const AWAKE_MS = 1000;
const ASLEEP_MS = 3000;
/** How long it is said what was caught up. */
const BACK_MS = 30_000;
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/London" });

class Live {
  private readonly lineHeard: OnLine[] = [];
  private readonly stateHeard: OnState[] = [];
  private readonly resets: (() => void)[] = [];
  private readonly backs: ((back: Back) => void)[] = [];
  private readonly outs: (() => void)[] = [];
  private readonly unsaved: (() => boolean)[] = [];
  private state: LiveState = "connecting";
  private words = "Connecting";
  private place: Place = document.body.dataset["feed"] ?? "0";
  private stream: Stream | undefined;
  private channel: BroadcastChannel | undefined;
  private opened = false;
  private heardAt = Date.now();
  private lostAt: number | null = null;
  private waiting: AbortController | undefined;
  private signs = 0;
  private helloAt = 0;
  private watching = 0;
  private calming = 0;
  /** The newest line's number; 0 before the first. */
  number = numberOf(this.place);
  /** Who is signing out is on the way elsewhere. */
  signingOut = false;

  /** Hear every line that was written after this page was made. */
  online(heard: OnLine): void {
    this.lineHeard.push(heard);
    this.open();
  }

  /** Hear of the connection: at once, and at each change. */
  onstate(heard: OnState): void {
    this.stateHeard.push(heard);
    heard(this.state, this.words);
    this.open();
  }

  /** Hear that the record is another one: what is shown must be loaded anew. Nobody hears it: the page is. */
  onreset(heard: () => void): void {
    this.resets.push(heard);
  }

  /** Hear what was caught up, when its lines have come. */
  onback(heard: (back: Back) => void): void {
    this.backs.push(heard);
  }

  /** Hear that the session has ended. Nobody hears it: the page goes to sign-in, unless something was typed in it. */
  onout(heard: () => void): void {
    this.outs.push(heard);
  }

  /** Tell whether something would be lost that stands in no field: while it would, the page is not left by itself. */
  keeps(unsaved: () => boolean): void {
    this.unsaved.push(unsaved);
  }

  private open(): void {
    if (this.opened) return;
    this.opened = true;
    window.addEventListener("online", () => this.stream?.again());
    window.addEventListener("offline", () => this.stream?.again());
    // Without locks (a page over plain HTTP from another machine) each page reads for itself.
    if (!navigator.locks) return this.lead();
    this.channel = new BroadcastChannel(NAME);
    this.channel.onmessage = (event: MessageEvent<Said>) => this.told(event.data);
    this.hello();
    void this.wait();
    document.addEventListener("visibilitychange", () => this.watch());
    this.watch();
  }

  // --- who reads -----------------------------------------------------------------------------------------------------

  private wait(): Promise<void> {
    this.waiting = new AbortController();
    return this.hold({ signal: this.waiting.signal });
  }

  private steal(): Promise<void> {
    this.waiting?.abort();
    return this.hold({ steal: true });
  }

  private async hold(options: LockOptions): Promise<void> {
    try {
      await navigator.locks.request(NAME, options, () => {
        this.lead();
        return new Promise(() => undefined);
      });
    } catch {
      // It was not waited for any longer, or another page took the lock: this one was asleep.
      if (!this.stream) return;
      this.stream.end();
      this.stream = undefined;
      clearInterval(this.signs);
      this.watch();
      void this.wait();
    }
  }

  private lead(): void {
    clearTimeout(this.watching);
    const share = (said: Said) => {
      this.channel?.postMessage(said);
      this.told(said);
    };
    const heard: Heard = {
      line: (kind, data, place) => share({ say: "line", kind, data, place }),
      reset: (place) => share({ say: "reset", place }),
      live: (back) => share({ say: "live", back }),
      lost: (since) => share({ say: "lost", since }),
      out: () => share({ say: "out" }),
    };
    const stream = (this.stream = new Stream(this.place, heard, this.heardAt, this.lostAt));
    this.channel?.postMessage({ say: "who" } satisfies Said);
    this.signs = window.setInterval(() => {
      const { heardAt, lostAt } = stream;
      this.channel?.postMessage({ say: "awake", heardAt, lostAt } satisfies Said);
    }, AWAKE_MS);
  }

  /** While somebody looks at this page, another that has fallen asleep does not go on holding the feed. */
  private watch(): void {
    clearTimeout(this.watching);
    if (this.stream || document.hidden) return;
    this.watching = window.setTimeout(() => {
      if (!this.stream) void this.steal();
    }, ASLEEP_MS);
  }

  /** Say where this page is; who reads goes back to there. */
  private hello(): void {
    this.helloAt = Date.now();
    this.channel?.postMessage({ say: "hello", place: this.place } satisfies Said);
  }

  private answer(place: Place): void {
    if (!this.stream) return;
    if (numberOf(place) < numberOf(this.stream.place)) this.stream.goBackTo(place);
    const since = this.stream.lostAt;
    if (since !== null) this.channel?.postMessage({ say: "lost", since } satisfies Said);
    else if (this.stream.isLive) this.channel?.postMessage({ say: "live", back: null } satisfies Said);
  }

  // --- what is heard -------------------------------------------------------------------------------------------------

  private told(said: Said): void {
    if (said.say === "hello") return this.answer(said.place);
    if (said.say === "who") return this.hello();
    this.watch();
    if (said.say === "awake") [this.heardAt, this.lostAt] = [said.heardAt, said.lostAt];
    else if (said.say === "line") this.hear(said.kind, said.data, said.place);
    else if (said.say === "reset") this.reset(said.place);
    else if (said.say === "live") this.live(said.back);
    else if (said.say === "lost") this.become("lost", `Connection lost at ${TIME.format(said.since)}. Trying again`);
    else if (said.say === "out") this.out();
  }

  private hear(kind: string, data: string, place: Place): void {
    const number = numberOf(place);
    if (number <= this.number) return;
    if (number > this.number + 1) {
      // Between this page and the one that reads lines are missing: they come once more, from where this page is.
      if (this.stream) this.stream.goBackTo(this.place);
      else if (Date.now() - this.helloAt > 1000) this.hello();
      return;
    }
    [this.number, this.place] = [number, place];
    const line = { ...(JSON.parse(data) as Line), kind };
    this.lineHeard.forEach((heard) => heard(line));
  }

  private reset(place: Place): void {
    [this.number, this.place] = [numberOf(place), place];
    if (this.resets.length) this.resets.forEach((heard) => heard());
    else if (!this.hasUnsaved()) location.reload();
    else this.become("live", "The record was restored: load this page again");
  }

  private live(back: Back | null): void {
    if (!back) {
      if (this.state !== "live") this.become("live", "Live");
      return;
    }
    const lines = back.lines === 1 ? "1 line" : `${back.lines.toLocaleString("en-GB")} lines`;
    this.become("live", `Back. ${lines} caught up since ${TIME.format(back.since)}`);
    this.backs.forEach((heard) => heard(back));
    this.calming = window.setTimeout(() => this.become("live", "Live"), BACK_MS);
  }

  /** The session has ended, as the feed or any request was told: here it is decided what becomes of the page. */
  out(): void {
    // Who signs in on another page then takes the lock.
    clearInterval(this.signs);
    const stays = this.outs.length === 0 && this.hasUnsaved();
    const words = stays ? "Signed out. Sign in again in another window" : "Signed out. Sign in again";
    if (this.words !== words) this.become("lost", words);
    if (this.outs.length) this.outs.forEach((heard) => heard());
    else if (!stays && !this.signingOut) location.assign(`/hub/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  }

  /** Whether something would be lost that somebody has written here. */
  private hasUnsaved(): boolean {
    return hasTyped() || this.unsaved.some((one) => one());
  }

  private become(state: LiveState, words: string): void {
    clearTimeout(this.calming);
    [this.state, this.words] = [state, words];
    this.stateHeard.forEach((heard) => heard(state, words));
  }
}

function hasTyped(): boolean {
  const fields = document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("input:not(#hub-q), textarea");
  return [...fields].some((field) => field.value !== field.defaultValue);
}

export const live = new Live();
