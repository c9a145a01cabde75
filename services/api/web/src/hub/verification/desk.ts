// A list, and one thing of it beside it: as verification and recalls are worked through. The server makes both parts of
// the page; they are read again from the page's own address, so that they are written once, in its template.
import { pageAt } from "../api";
import { command } from "../keys";
import { live } from "../live";
import { element } from "../parts";
import { present } from "../presence";
import { attempt, say } from "../says";
import { draft, writeBack, type Verdict } from "./verdict";

export interface DeskOptions {
  /** Of the query: "order" in /hub/verification?order=W-… */
  name: string;
  /** Lines of the feed after which the list is read again. */
  kinds: string[];
  /** Called with the part that shows one thing, whenever it shows another or has changed. */
  onshow: (one: HTMLElement) => void;
  /** What is said when nothing is left. */
  nothing: string;
}

const PAUSE_MS = 400;

export class Desk {
  private readonly decided = new Set<string>();
  /** What was written about each thing and is not saved, until it is shown again. */
  private readonly drafts = new Map<string, Verdict>();
  private asked = 0;
  private timer = 0;
  private leave: (() => void) | undefined;

  constructor(private readonly options: DeskOptions) {
    document.addEventListener("click", (event) => this.clicked(event));
    command(
      { name: "Next", key: "j", group: "List", run: () => this.step(1) },
      { name: "Previous", key: "k", group: "List", run: () => this.step(-1) },
    );
    const kinds = new Set(options.kinds);
    live.online(({ kind }) => {
      if (kinds.has(kind)) this.readSoon();
    });
    live.onreset(() => this.readSoon());
    live.keeps(() => this.drafts.size > 0);
    this.keepAddress();
    this.shown();
  }

  get one(): HTMLElement {
    return document.querySelector<HTMLElement>('[data-part="one"]')!;
  }

  get reference(): string | undefined {
    return this.one.dataset["reference"];
  }

  /** What an act on it says that it rests on. */
  get seen(): number {
    return Number(this.one.dataset["seen"]);
  }

  /** Show another thing; the list's row of it gets the focus. */
  async show(address: string): Promise<void> {
    const asked = ++this.asked;
    const page = await pageAt(address);
    if (asked !== this.asked) return;
    history.replaceState(null, "", address);
    this.swapList(page);
    this.swapOne(page);
    document.querySelector<HTMLElement>("[data-row][aria-current]")?.focus();
  }

  showReference(reference: string): Promise<void> {
    return this.show(this.address(reference));
  }

  /** It is decided, or will be in a moment: it leaves the list, and the next one comes. */
  putAway(reference: string): void {
    const rows = this.rows();
    const at = rows.findIndex((row) => row.dataset["row"] === reference);
    this.decided.add(reference);
    this.hideDecided();
    // Until the next one is there, no key decides this one again.
    this.one.inert = true;
    const next = rows[at + 1] ?? rows[at - 1];
    if (next) void attempt(() => this.show(next.getAttribute("href")!));
    else this.showNothing();
  }

  /** It was not decided after all: it is shown again, with what was written. */
  bringBack(reference: string, written: Verdict): Promise<void> {
    this.restore(reference, written);
    return attempt(() => this.showReference(reference));
  }

  /** It could not be saved: the same, but where another is being decided it waits in the list. */
  putBack(reference: string, written: Verdict): void {
    if (!this.isBeingDecided()) return void this.bringBack(reference, written);
    this.restore(reference, written);
    say(`${reference} is not decided: it is in the list again, with what you wrote.`, { name: "Show it", run: () => this.showReference(reference) }, 0);
  }

  private restore(reference: string, written: Verdict): void {
    this.decided.delete(reference);
    this.drafts.set(reference, written);
    this.hideDecided();
  }

  /** It was decided: what the list says is true again. */
  settle(reference: string): void {
    this.decided.delete(reference);
    this.readSoon();
  }

  private address(reference: string): string {
    const address = new URL(location.href);
    address.searchParams.set(this.options.name, reference);
    return address.pathname + address.search;
  }

  /** What is shown stays shown when the list is read again, also where nobody has chosen it. */
  private keepAddress(): void {
    if (this.reference && !location.hash) history.replaceState(null, "", this.address(this.reference));
  }

  private rows(): HTMLAnchorElement[] {
    return [...document.querySelectorAll<HTMLAnchorElement>("[data-row]")].filter((row) => !row.parentElement!.hidden);
  }

  private clicked(event: MouseEvent): void {
    const row = (event.target as Element).closest<HTMLAnchorElement>("[data-row]");
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    void attempt(() => this.show(row.getAttribute("href")!));
  }

  private step(by: number): void {
    const rows = this.rows();
    const at = rows.findIndex((row) => row.dataset["row"] === this.reference);
    rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.click();
  }

  private readSoon(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void attempt(() => this.readAgain()), PAUSE_MS);
  }

  private async readAgain(): Promise<void> {
    const asked = this.asked;
    const page = await pageAt(location.pathname + location.search);
    if (asked !== this.asked) return;
    this.swapList(page);
    const [was, is] = [this.one.dataset, part(page, "one").dataset];
    // What is decided and not sent yet still waits, for the server.
    if ([was["reference"], is["reference"]].some((one) => one && this.decided.has(one))) return;
    if (was["reference"] === is["reference"] && was["version"] === is["version"]) return;
    if (was["reference"] && this.isBeingDecided()) this.tellOfChange();
    else this.swapOne(page);
  }

  /** Nothing is taken from under somebody who is writing, nor put before them. */
  isBeingDecided(): boolean {
    const form = this.one.inert ? null : this.one.querySelector("form");
    return form !== null && (form.contains(document.activeElement) || Boolean(form.querySelector("textarea")?.value));
  }

  private tellOfChange(): void {
    if (this.one.querySelector("[data-changed]")) return;
    const button = element("button", { type: "button", class: "hub-button" }, "Show what is true now");
    button.addEventListener("click", () => void attempt(() => this.showReference(this.reference!)));
    this.one.prepend(
      element("p", { class: "hub-notice hub-notice--bad hub-row", role: "alert", "data-changed": true }, "Somebody has changed this meanwhile.", button),
    );
  }

  private swapList(page: Document): void {
    const focused = document.activeElement?.id;
    const list = document.querySelector<HTMLElement>('[data-part="list"]')!;
    const scrolled = list.scrollTop;
    list.replaceChildren(...part(page, "list").childNodes);
    list.scrollTop = scrolled;
    this.hideDecided();
    if (focused) list.querySelector<HTMLElement>(`#${CSS.escape(focused)}`)?.focus();
  }

  private swapOne(page: Document): void {
    const written = this.one.inert ? undefined : draft(this.one);
    if (this.reference && written) this.drafts.set(this.reference, written);
    this.one.replaceWith(document.importNode(part(page, "one"), true));
    this.keepAddress();
    this.shown();
  }

  /** Others see who looks at it, and who writes. */
  private shown(): void {
    this.leave?.();
    const place = this.one.querySelector<HTMLElement>("[data-present]");
    this.leave = this.reference && place ? present(this.reference, place) : undefined;
    this.options.onshow(this.one);
    const written = this.reference && this.drafts.get(this.reference);
    if (!written) return;
    this.drafts.delete(this.reference!);
    writeBack(this.one, written);
  }

  private hideDecided(): void {
    document.querySelectorAll<HTMLElement>("[data-row]").forEach((row) => {
      row.parentElement!.hidden = this.decided.has(row.dataset["row"]!);
    });
  }

  private showNothing(): void {
    const empty = element("section", { class: "desk__one", "data-part": "one", "aria-label": "Nothing" }, element("p", { class: "hub-notice" }, this.options.nothing));
    this.leave?.();
    this.leave = undefined;
    this.one.replaceWith(empty);
    history.replaceState(null, "", location.pathname);
  }
}

function part(page: Document, name: string): HTMLElement {
  return page.querySelector<HTMLElement>(`[data-part="${name}"]`)!;
}
