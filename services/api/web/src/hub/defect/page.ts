// A page of the hub that is made anew by the server when the feed speaks of its thing: only what changed is exchanged,
// and what somebody types, which is in dialogs, stays.
import { pageAt } from "../api";
import { live, type Line } from "../live";
import { attempt } from "../says";

const PAUSE_MS = 250;
/** What a focus is found again by, in a part that was exchanged. */
const MARKS = ["data-act", "data-act-not", "data-photo", "data-sighting", "href"];

export class LivingPage {
  private readonly known = new Map<string, string>();
  private readonly heard: (() => void)[] = [];
  private waiting = 0;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly reference: string,
    /** Other references whose lines speak of it too: of orders and reports that the page names. */
    private readonly others: () => Set<string>,
  ) {
    for (const part of parts(document)) this.known.set(part.dataset["part"]!, part.outerHTML);
    live.online((line) => this.hear(line));
    live.onreset(() => void this.refresh());
  }

  /** What an act rests on that is begun now: the newest event of the thing that the page knows. */
  get seen(): number {
    return Number(document.querySelector<HTMLElement>("[data-seen]")?.dataset["seen"] ?? 0);
  }

  /** Called after each exchange of something. */
  onrefresh(run: () => void): void {
    this.heard.push(run);
  }

  /** Ask for the page again, now; after an act of one's own. */
  refresh(): Promise<void> {
    this.running = this.running.then(() => attempt(() => this.exchange()));
    return this.running;
  }

  private hear(line: Line): void {
    const named = [line.reference, line["defect"], line["other"], line["works_order"]];
    const others = this.others();
    if (!named.some((one) => typeof one === "string" && (one === this.reference || others.has(one)))) return;
    window.clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => void this.refresh(), PAUSE_MS);
  }

  private async exchange(): Promise<void> {
    const made = await pageAt(location.pathname);
    let changed = false;
    for (const part of parts(made)) changed = this.exchanged(part) || changed;
    if (!changed) return;
    this.tell();
    this.heard.forEach((run) => run());
  }

  private exchanged(part: HTMLElement): boolean {
    const name = part.dataset["part"]!;
    const html = part.outerHTML;
    const shown = document.querySelector<HTMLElement>(`[data-part="${name}"]`);
    if (!shown || this.known.get(name) === html) return false;
    this.known.set(name, html);
    const focus = shown.contains(document.activeElement) ? place(document.activeElement!) : "";
    shown.replaceWith(document.adoptNode(part));
    if (focus) document.querySelector<HTMLElement>(`[data-part="${name}"] ${focus}`)?.focus();
    return true;
  }

  /** Say what happened last. */
  private tell(): void {
    const newest = document.querySelector("[data-part='story'] li");
    const words = newest?.querySelector("[data-said]")?.textContent ?? "Something has changed.";
    const by = newest?.querySelector("[data-by]")?.textContent;
    const shown = document.querySelector("[data-changed]");
    if (shown) shown.textContent = `Just now: ${words}${by ? ` (${by})` : ""}`;
  }
}

function parts(from: Document): HTMLElement[] {
  return [...from.querySelectorAll<HTMLElement>("[data-part]")];
}

function place(focused: Element): string {
  const mark = MARKS.find((name) => focused.hasAttribute(name));
  return mark ? `[${mark}="${CSS.escape(focused.getAttribute(mark)!)}"]` : "";
}
