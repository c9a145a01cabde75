// Keeps the list true: what the feed tells of makes it be read again; what is new is told, and shown when asked for.
import { get } from "../api";
import { live, type Line } from "../live";
import { element } from "../parts";
import type { List } from "./list";
import type { Page } from "./shapes";

/** Many lines come together: one reading for all of them. Of what is on the page it is sooner. */
const SOON_MS = 700;
const LATER_MS = 4000;
const SUBJECTS = new Set(["defect", "works_order", "report"]);

export class Refresh {
  private timer: number | undefined;
  private dueAt = Infinity;
  private fresh: Page | undefined;

  constructor(
    private readonly list: List,
    private readonly query: string,
    private readonly places: { total: HTMLElement; news: HTMLElement; empty: HTMLElement },
  ) {
    live.online((line) => this.heard(line));
    live.onreset(() => this.soon(SOON_MS));
    let lost = false;
    live.onstate((state) => {
      // What was missed while the line was down comes with the next lines; what they do not name is read now.
      if (lost && state === "live") this.soon(SOON_MS);
      lost = state === "lost";
    });
  }

  private heard(line: Line): void {
    if (!SUBJECTS.has(line.subject)) return;
    const shown = this.list.references();
    const named = [line.reference, line["defect"], line["works_order"]];
    this.soon(shown.some((one) => named.includes(one)) ? SOON_MS : LATER_MS);
  }

  /** Read it again within so long. */
  soon(within: number): void {
    const at = Date.now() + within;
    if (at >= this.dueAt) return;
    window.clearTimeout(this.timer);
    this.dueAt = at;
    this.timer = window.setTimeout(() => void this.read(), within);
  }

  private async read(): Promise<void> {
    this.dueAt = Infinity;
    try {
      this.take(await get<Page>(`/queue?${this.query}`));
    } catch {
      this.soon(LATER_MS * 2);
    }
  }

  private take(page: Page): void {
    this.fresh = page;
    this.places.total.textContent = page.total.toLocaleString("en-GB");
    this.places.empty.hidden = page.defects.length > 0;
    if (this.list.idle) return this.show();
    const { above, below, gone } = this.list.update(page.defects);
    const said = [above && `${above} new above`, below && `${below} new below`, gone && `${gone} left`].filter(Boolean).join(", ");
    const before = this.places.news.textContent;
    if (!said) this.places.news.replaceChildren();
    else if (before !== `${said} Show n`) this.places.news.replaceChildren(said, " ", this.button());
  }

  /** Show the list as it is now. */
  show(): void {
    if (this.fresh) this.list.show(this.fresh.defects);
    this.places.news.replaceChildren();
  }

  private button(): HTMLElement {
    const made = element("button", { type: "button", class: "hub-button" }, "Show ", element("kbd", {}, "n"));
    made.addEventListener("click", () => this.show());
    return made;
  }
}
