// Keeps a page going that nobody touches: a new release, a night, a script that failed, a session that ended.
//
// Once in a while the page is asked for beside itself. What comes says whether the session still holds, and whether there
// is a newer release; the page is loaded anew only when the server has just given it, and never into an error.
import type { LiveState } from "../live";

const LOOK_MS = 5 * 60_000;
/** While somebody must sign in, it is looked for sooner: they may have done so in another window. */
const SOON_MS = 15_000;
/** A page that is open for so long begins afresh, whatever has gathered in its browser. */
const FRESH_MS = 12 * 3600_000;
/** A loss that lasts so long is said in large letters. */
const LONG_MS = 60_000;

export class Keeper {
  private readonly began = Date.now();
  private lookedAt = Date.now();
  private isOut = false;
  private failed = false;
  private long = 0;
  private readonly wanting: (() => void)[] = [];
  private readonly stop = document.querySelector<HTMLElement>("[data-stop]")!;

  /** `script`: the address of this release's script, as the page has it. */
  constructor(private readonly script: string) {
    window.addEventListener("error", () => (this.failed = true));
    window.addEventListener("unhandledrejection", () => (this.failed = true));
    window.setInterval(() => {
      if (this.isOut || Date.now() - this.lookedAt > LOOK_MS) void this.look();
    }, SOON_MS);
  }

  /** Do this when the service is heard again. */
  wants(work: () => void): void {
    this.wanting.push(work);
  }

  state(state: LiveState): void {
    if (state === "live") {
      clearTimeout(this.long);
      this.long = 0;
      this.isOut = false;
      this.stop.hidden = true;
      this.wanting.splice(0).forEach((work) => work());
    } else if (state === "lost" && !this.isOut) {
      this.long ||= window.setTimeout(() => this.say("No connection to Roadmend. It comes back by itself; if it does not, check this screen's network.", false), LONG_MS);
    }
  }

  /** The session has ended: only a person can begin another. */
  out(): void {
    this.isOut = true;
    this.say("This screen is signed out, and shows what was. Sign in again: a session lasts twelve hours.", true);
  }

  private say(words: string, signIn: boolean): void {
    this.stop.querySelector("[data-stop-words]")!.textContent = words;
    this.stop.querySelector<HTMLElement>("[data-stop-link]")!.hidden = !signIn;
    this.stop.hidden = false;
  }

  private async look(): Promise<void> {
    this.lookedAt = Date.now();
    try {
      const answer = await fetch(location.pathname, { cache: "no-store" });
      if (!answer.ok) return;
      if (new URL(answer.url).pathname !== location.pathname) {
        if (!this.isOut) this.out();
        return;
      }
      const isNew = !(await answer.text()).includes(this.script);
      if (isNew || this.isOut || this.failed || Date.now() - this.began > FRESH_MS) location.reload();
    } catch {
      // Not reached: the feed says so, and tries.
    }
  }
}
