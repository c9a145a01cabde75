// The sound of a danger: once for all tabs of a browser, again every half minute, and muted for a while by who wishes.

/** "refused": the browser makes no sound before something is pressed. "elsewhere": another tab makes it. */
export type Sound = "quiet" | "on" | "refused" | "elsewhere" | "muted";

const AGAIN_MS = 30_000;
const MUTE_MS = 15 * 60_000;
const LOCK = "roadmend-hub-danger";
const CHOICE = "roadmend-hub-sound";
/** Two notes, rising, at about the loudness of speech: it is heard all day by people at work. */
const NOTES = [659, 880];

export class Alarm {
  private context: AudioContext | undefined;
  private called = false;
  private release: (() => void) | undefined;
  private asking = false;
  private heard = false;
  private timer = 0;
  /** How often this tab has sounded. */
  sounded = 0;

  /** `person`: whose mute it is. `changed` is called when what `sound` answers may be another. */
  constructor(
    private readonly person: string,
    private readonly changed: () => void,
  ) {
    window.addEventListener("storage", (event) => {
      if (event.key === this.muteKey) this.look();
    });
    for (const gesture of ["pointerdown", "keydown"]) {
      window.addEventListener(gesture, () => {
        if (this.called && stored(CHOICE) === "on") this.start();
      });
    }
  }

  get sound(): Sound {
    if (!this.called) return "quiet";
    if (this.mutedUntil) return "muted";
    if (this.release) return "on";
    return this.heard || (this.context?.state === "running" && this.asking) ? "elsewhere" : "refused";
  }

  /** Until when it is muted, in ms since 1970; 0: it is not. */
  get mutedUntil(): number {
    const until = Number(stored(this.muteKey) ?? 0);
    return until > Date.now() ? until : 0;
  }

  /** Sound from now on, or no more. `anew`: something is new, so at once. */
  call(wanted: boolean, anew: boolean): void {
    this.called = wanted;
    if (wanted && !this.context) this.prepare();
    if (wanted && anew && this.release) this.ring();
    this.look();
  }

  /** Somebody pressed something for it: now the browser lets it sound. */
  start(): void {
    keep(CHOICE, "on");
    if (!this.context) this.prepare();
    void this.context?.resume().then(() => this.look());
  }

  /** Be quiet for a quarter of an hour, in every tab. */
  mute(): void {
    keep(this.muteKey, String(Date.now() + MUTE_MS));
    this.look();
  }

  unmute(): void {
    keep(this.muteKey, "0");
    if (this.release) this.ring();
    this.look();
  }

  private get muteKey(): string {
    return `roadmend-hub-muted ${this.person}`;
  }

  private prepare(): void {
    this.context = new AudioContext();
    this.context.addEventListener("statechange", () => this.look());
  }

  /** Take the one place at the bell while this tab can sound and is to; leave it when it cannot. */
  private look(): void {
    const able = this.called && this.context?.state === "running";
    if (able && !this.release && !this.asking) this.ask();
    if (!able) this.release?.();
    this.changed();
    void this.listen();
  }

  /** Whether another tab sounds: then this one need not ask for a sound of its own. */
  private async listen(): Promise<void> {
    if (!("locks" in navigator)) return;
    const { held = [] } = await navigator.locks.query();
    this.heard = !this.release && held.some(({ name }) => name === LOCK);
    this.changed();
  }

  private ask(): void {
    this.asking = true;
    const hold = () =>
      new Promise<void>((done) => {
        if (!this.called) return done();
        this.release = () => {
          window.clearTimeout(this.timer);
          this.release = undefined;
          this.asking = false;
          done();
        };
        this.ring();
        this.changed();
      });
    // Without TLS a browser has no locks: then each tab sounds for itself.
    const held = "locks" in navigator ? navigator.locks.request(LOCK, hold) : hold();
    void Promise.resolve(held).then(() => {
      this.asking = false;
      this.look();
    });
  }

  private ring(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ring(), AGAIN_MS);
    if (!this.context || this.mutedUntil || !this.called) return;
    NOTES.forEach((pitch, index) => note(this.context!, pitch, index * 0.22));
    this.sounded += 1;
    this.changed();
  }
}

function note(context: AudioContext, pitch: number, after: number): void {
  const [at, tone, loud] = [context.currentTime + after, context.createOscillator(), context.createGain()];
  tone.frequency.value = pitch;
  loud.gain.setValueAtTime(0.0001, at);
  loud.gain.exponentialRampToValueAtTime(0.25, at + 0.03);
  loud.gain.exponentialRampToValueAtTime(0.0001, at + 0.5);
  tone.connect(loud).connect(context.destination);
  tone.start(at);
  tone.stop(at + 0.55);
}

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A browser that keeps nothing asks again on the next page.
  }
}
