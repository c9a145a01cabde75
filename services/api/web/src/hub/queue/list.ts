// The rows on the page: where one is, what is selected, and how both survive when the list is read again.
import { row, tellLeft } from "./rows";
import type { Row } from "./shapes";

const GONE = "hub-queue__gone";

export class List {
  /** By reference. What has left the list stays selected until it is shown anew. */
  readonly selected = new Set<string>();
  onselect: () => void = () => undefined;
  private anchor: string | undefined;

  constructor(private readonly body: HTMLTableSectionElement) {
    body.addEventListener("change", (event) => this.boxChanged(event.target as HTMLInputElement));
    body.addEventListener("click", (event) => this.boxClicked(event));
    body.addEventListener("focusin", (event) => this.rove((event.target as HTMLElement).closest("tr")));
    window.setInterval(() => body.querySelectorAll<HTMLElement>("[data-due]").forEach(tellLeft), 30_000);
  }

  private get rows(): HTMLTableRowElement[] {
    return [...this.body.rows];
  }

  references(): string[] {
    return this.rows.filter((one) => !one.classList.contains(GONE)).map(nameOf);
  }

  /** The row with the focus, or where it was last. */
  get current(): HTMLTableRowElement | undefined {
    return this.rows.find((one) => linkOf(one).tabIndex === 0);
  }

  /** What an act is for: the selected ones, else the row that one is on. */
  chosen(): string[] {
    if (this.selected.size) return this.rows.map(nameOf).filter((one) => this.selected.has(one));
    const at = this.current;
    return at?.ariaCurrent ? [nameOf(at)] : [];
  }

  /** Whether nobody would lose a place by it: nothing is selected, and neither the focus nor the pointer is in the list. */
  get idle(): boolean {
    return !this.selected.size && !this.body.contains(document.activeElement) && !this.body.matches(":hover");
  }

  // --- moving and selecting ---

  /** The next row, or the one before: its link gets the focus. The first time, the first. */
  move(by: number): void {
    const all = this.rows;
    const at = this.current?.ariaCurrent ? all.indexOf(this.current) + by : 0;
    const to = all[Math.max(0, Math.min(at, all.length - 1))];
    if (!to) return;
    linkOf(to).focus({ preventScroll: true });
    to.scrollIntoView({ block: "nearest" });
  }

  private rove(to: HTMLTableRowElement | null): void {
    if (!to) return;
    for (const one of this.rows) {
      const on = one === to;
      linkOf(one).tabIndex = boxOf(one).tabIndex = on ? 0 : -1;
      if (on) one.setAttribute("aria-current", "true");
      else one.removeAttribute("aria-current");
    }
  }

  /** Select the row that one is on, or let it go; with `through`, all from the last one selected. */
  toggle(through = false): void {
    const at = this.current;
    if (!at) return;
    if (through) this.range(nameOf(at));
    else this.pick(nameOf(at), !this.selected.has(nameOf(at)));
  }

  all(): void {
    for (const one of this.references()) this.selected.add(one);
    this.tell();
  }

  none(): void {
    this.selected.clear();
    this.tell();
  }

  private pick(reference: string, on: boolean): void {
    if (on) this.selected.add(reference);
    else this.selected.delete(reference);
    this.anchor = reference;
    this.tell();
  }

  private range(to: string): void {
    const all = this.rows.map(nameOf);
    const [first, last] = [all.indexOf(this.anchor ?? to), all.indexOf(to)].sort((one, other) => one - other) as [number, number];
    for (const one of all.slice(Math.max(first, 0), last + 1)) this.selected.add(one);
    this.tell();
  }

  private boxChanged(box: HTMLInputElement): void {
    if (box.matches(".hub-queue__box")) this.pick(nameOf(box.closest("tr")!), box.checked);
  }

  private boxClicked(event: MouseEvent): void {
    const box = (event.target as HTMLElement).closest<HTMLInputElement>(".hub-queue__box");
    if (!box) return;
    if (event.shiftKey && this.anchor) this.range(nameOf(box.closest("tr")!));
    // A click with the pointer leaves the keys to the list.
    if (event.detail) linkOf(box.closest("tr")!).focus({ preventScroll: true });
  }

  private tell(): void {
    for (const one of this.rows) {
      const on = this.selected.has(nameOf(one));
      boxOf(one).checked = on;
      one.classList.toggle("hub-queue__selected", on);
    }
    this.onselect();
  }

  // --- read again ---

  /** Put right what is shown, each row where it is. Returns what is new and what has left, neither of which moves anything. */
  update(fresh: Row[]): { above: number; below: number; gone: number } {
    const known = new Map(this.rows.map((one) => [nameOf(one), one]));
    const at = this.current && fresh.findIndex(({ reference }) => reference === nameOf(this.current!));
    let [above, below] = [0, 0];
    fresh.forEach((one, index) => {
      const before = known.get(one.reference);
      if (before) redraw(before, row(one));
      else if (at !== undefined && index > at) below += 1;
      else above += 1;
      before?.classList.remove(GONE);
      known.delete(one.reference);
    });
    for (const gone of known.values()) gone.classList.add(GONE);
    return { above, below, gone: known.size };
  }

  /** Show just these, in their order; the focus stays in its row, or in the one that took its place. */
  show(fresh: Row[]): void {
    const known = new Map(this.rows.map((one) => [nameOf(one), one]));
    const focused = this.body.contains(document.activeElement);
    const [was, place] = [this.current, this.current ? this.rows.indexOf(this.current) : 0];
    const made = fresh.map((one) => {
      const before = known.get(one.reference);
      before?.classList.remove(GONE);
      if (before) redraw(before, row(one));
      return before ?? row(one);
    });
    this.body.replaceChildren(...made);
    for (const one of this.selected) if (!fresh.some(({ reference }) => reference === one)) this.selected.delete(one);
    const on = was && made.includes(was) ? was : made[Math.min(place, made.length - 1)];
    this.rove(on ?? null);
    if (focused && on) linkOf(on).focus({ preventScroll: true });
    this.tell();
  }
}

function nameOf(one: HTMLTableRowElement): string {
  return one.dataset["reference"]!;
}

function linkOf(one: HTMLTableRowElement): HTMLAnchorElement {
  return one.querySelector<HTMLAnchorElement>("th a")!;
}

function boxOf(one: HTMLTableRowElement): HTMLInputElement {
  return one.querySelector<HTMLInputElement>(".hub-queue__box")!;
}

/** The cells that differ; the one with the box and the link itself stay, so that the focus does. */
function redraw(before: HTMLTableRowElement, now: HTMLTableRowElement): void {
  for (const name of ["state", "order"]) before.dataset[name] = now.dataset[name] ?? "";
  [...now.cells].forEach((cell, index) => {
    const old = before.cells[index]!;
    if (index === 0) return;
    if (index === 1) {
      old.querySelector(".hub-tag")?.remove();
      const danger = cell.querySelector(".hub-tag");
      if (danger) old.append(danger);
    } else if (old.textContent !== cell.textContent) {
      old.replaceWith(cell.cloneNode(true));
    }
  });
}
