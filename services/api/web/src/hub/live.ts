// The live feed as the hub hears it: every line once and in order, and always a word on whether it is heard.

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
  actor?: string;
  [more: string]: unknown;
}

export type LiveState = "connecting" | "live" | "lost";
type OnLine = (line: Line) => void;
type OnState = (state: LiveState, words: string) => void;

class Live {
  private readonly lineHeard: OnLine[] = [];
  private readonly stateHeard: OnState[] = [];
  private readonly resets: (() => void)[] = [];
  private stream: EventSource | undefined;
  private state: LiveState = "connecting";
  private words = "Connecting";
  /** The newest line's number; 0 before the first. */
  number = 0;

  /** Hear every line from now on. */
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

  /** Hear that the record is another one: what is shown must be loaded anew. */
  onreset(heard: () => void): void {
    this.resets.push(heard);
  }

  private open(): void {
    if (this.stream) return;
    const stream = (this.stream = new EventSource("/api/v1/feed"));
    stream.onopen = () => this.become("live", "Live");
    stream.onerror = () => this.become("lost", "Connection lost. Trying again");
    stream.addEventListener("Reset", () => this.resets.forEach((heard) => heard()));
    for (const kind of KINDS) stream.addEventListener(kind, (event) => this.hear(event as MessageEvent<string>));
  }

  private hear(event: MessageEvent<string>): void {
    const line = { ...(JSON.parse(event.data) as Line), kind: event.type };
    if (line.number <= this.number) return;
    this.number = line.number;
    this.lineHeard.forEach((heard) => heard(line));
  }

  private become(state: LiveState, words: string): void {
    [this.state, this.words] = [state, words];
    this.stateHeard.forEach((heard) => heard(state, words));
  }
}

const KINDS = (document.body.dataset["kinds"] ?? "").split(" ").filter(Boolean);

export const live = new Live();
