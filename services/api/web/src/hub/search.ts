// The search box at the top of every page. Suggestions come while one types, in the body of a request, so that nothing
// half-typed stands in a history or a log. Who reported is looked up by Enter only, and by a whole e-mail address.
import { act } from "./api";
import { addressOf } from "./links";
import { element, spelt, state } from "./parts";
import { attempt } from "./says";

export interface Hit {
  reference: string;
  state: string;
  found_by: string;
  street: string | null;
  class_code?: string;
  kind?: string;
  description?: string;
  contractor?: string;
  defects?: string[];
}

export interface ReportHit extends Hit {
  class_code: string;
  description: string;
  danger: boolean;
  received_at: string;
  defects: string[];
}

export interface LookedUp {
  found: number;
  reports: ReportHit[];
}

type Found = Record<"defects" | "reports" | "works_orders" | "recalls", Hit[]>;

const NAMES: [keyof Found, string][] = [
  ["defects", "Defects"],
  ["reports", "Reports"],
  ["works_orders", "Works orders"],
  ["recalls", "Recalls"],
];
const PAUSE_MS = 150;
const OF_EACH = 5;
const PAGE = "/hub/search";
const HANDED = "roadmend-hub-address";
const ADDRESS = /^[^@\s]+@[^@\s]+\.[^@\s.]{2,}$/;

let lookUp: ((address: string) => Promise<void>) | undefined;

/** The page of results says here what it does with an e-mail address. One that another page handed over comes at once. */
export function onaddress(heard: (address: string) => Promise<void>): void {
  lookUp = heard;
  const handed = sessionStorage.getItem(HANDED);
  sessionStorage.removeItem(HANDED);
  if (handed) void attempt(() => heard(handed));
}

class Box {
  private readonly list = element("ul", { id: "hub-found", role: "listbox", class: "hub-found", "aria-label": "Found", hidden: true });
  private readonly hint = element("p", { class: "hub-found hub-found__hint", role: "status", hidden: true });
  private options: HTMLElement[] = [];
  private at = -1;
  private timer = 0;
  private asked = 0;

  constructor(
    form: HTMLFormElement,
    private readonly input: HTMLInputElement,
  ) {
    for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": "hub-found", "aria-autocomplete": "list" }))
      input.setAttribute(name, value);
    form.append(this.list, this.hint);
    input.addEventListener("input", () => this.typed());
    input.addEventListener("keydown", (event) => this.pressed(event));
    input.addEventListener("blur", () => this.close());
    form.addEventListener("submit", (event) => this.sent(event));
  }

  private get words(): string {
    return this.input.value.trim();
  }

  private typed(): void {
    window.clearTimeout(this.timer);
    const asked = ++this.asked;
    if (this.words.includes("@")) {
      this.close();
      this.hint.textContent = ADDRESS.test(this.words)
        ? "Enter looks up the reports of this address. The record keeps that you did."
        : "Type the whole address: nobody is looked up by a part of one.";
      this.hint.hidden = false;
    } else if (this.words.length < 2) this.close();
    else this.timer = window.setTimeout(() => void this.suggest(asked), PAUSE_MS);
  }

  /** A suggestion that does not come is none: Enter still searches, and says what is wrong. */
  private async suggest(asked: number): Promise<void> {
    const found = await act<Found>("/search", { q: this.words.slice(0, 100), limit: OF_EACH }).catch(() => undefined);
    if (found && asked === this.asked && document.activeElement === this.input) this.show(found);
  }

  private show(found: Found): void {
    this.close();
    const groups = NAMES.filter(([kind]) => found[kind].length).map(([kind, name]) =>
      element(
        "li",
        { role: "group", "aria-label": name },
        element("span", { class: "hub-found__kind", "aria-hidden": "true" }, name),
        ...found[kind].map((hit) => this.option(hit)),
      ),
    );
    this.list.replaceChildren(...groups);
    this.options = [...this.list.querySelectorAll<HTMLElement>('[role="option"]')];
    this.options.forEach((option, index) => (option.id = `hub-found-${index}`));
    if (!groups.length) {
      this.hint.textContent = "Nothing is found so far.";
      this.hint.hidden = false;
      return;
    }
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
  }

  private option(hit: Hit): HTMLElement {
    const what = [spelt(hit.class_code ?? hit.kind ?? ""), hit.street, hit.contractor, hit.description].filter(Boolean).join(" · ");
    const option = element(
      "div",
      { role: "option", class: "hub-found__one", "aria-selected": "false", "data-address": addressOf(hit) },
      element("span", { class: "hub-figure" }, hit.reference),
      state(hit.state),
      element("span", { class: "hub-found__what" }, what),
    );
    option.addEventListener("mousedown", (event) => event.preventDefault());
    option.addEventListener("click", () => go(option));
    return option;
  }

  private pressed(event: KeyboardEvent): void {
    if (event.key === "ArrowDown" && this.options.length) this.mark((this.at + 1) % this.options.length);
    else if (event.key === "ArrowUp" && this.options.length) this.mark((this.at <= 0 ? this.options.length : this.at) - 1);
    else if (event.key === "Escape" && (!this.list.hidden || !this.hint.hidden)) this.close();
    else if (event.key === "Enter" && this.at >= 0) go(this.options[this.at]!);
    else return;
    event.preventDefault();
  }

  private mark(at: number): void {
    this.at = at;
    this.options.forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    this.input.setAttribute("aria-activedescendant", this.options[at]!.id);
    this.options[at]!.scrollIntoView({ block: "nearest" });
  }

  private close(): void {
    this.list.hidden = this.hint.hidden = true;
    [this.options, this.at] = [[], -1];
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  /** An e-mail address never becomes an address of a page: it is handed over, and asked for in a body. */
  private sent(event: Event): void {
    window.clearTimeout(this.timer);
    this.asked++;
    if (!this.words) event.preventDefault();
    if (!this.words.includes("@")) return;
    event.preventDefault();
    const address = this.words;
    if (!ADDRESS.test(address)) return;
    this.close();
    if (lookUp) void attempt(() => lookUp!(address));
    else {
      sessionStorage.setItem(HANDED, address);
      location.assign(PAGE);
    }
  }
}

function go(option: HTMLElement): void {
  location.assign(option.dataset["address"]!);
}

const input = document.querySelector<HTMLInputElement>("#hub-q");
if (input?.form) new Box(input.form, input);
