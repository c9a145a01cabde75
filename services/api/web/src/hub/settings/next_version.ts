// The next version of the policy. Who adopts it has seen what it changes: any change of the text takes the preview away.
import { act, get } from "../api";
import { element, moment } from "../parts";
import { attempt, say } from "../says";

interface Change {
  section: string;
  key: string;
  was: string | null;
  now: string | null;
}

interface Checked {
  fault: { line: number; key: string; words: string } | null;
  name: string;
  approver: string;
  effective_from: string;
  instead_of: number;
  warnings: string[];
  changes: Change[];
  lines: string[];
}

/** What was checked, and so may be adopted. */
interface Given {
  text: string;
  source: string;
}

export class NextVersion {
  private readonly text: HTMLTextAreaElement;
  private readonly fault: HTMLElement;
  private readonly preview: HTMLElement;
  private source = "pasted text";

  constructor(private readonly section: HTMLElement) {
    this.text = section.querySelector("textarea")!;
    this.fault = section.querySelector("#policy-fault")!;
    this.preview = section.querySelector("#preview")!;
    this.text.addEventListener("input", () => this.forget());
    section.querySelector("#check")!.addEventListener("submit", (event) => {
      event.preventDefault();
      void attempt(() => this.check());
    });
    section.querySelector("[data-begin]")!.addEventListener("click", () => void attempt(() => this.begin()));
    const file = section.querySelector<HTMLInputElement>("#policy-file")!;
    file.addEventListener("change", () => void attempt(() => this.read(file)));
  }

  private async begin(): Promise<void> {
    const { text } = await get<{ text: string }>(`/policies/${this.section.dataset["current"]!}`);
    this.put(text, "pasted text");
  }

  private async read(input: HTMLInputElement): Promise<void> {
    const file = input.files?.[0];
    if (!file) return;
    const text = await file.text();
    input.value = "";
    if (text.includes("\uFFFD")) throw new Error("This file is not UTF-8 text. Save it as UTF-8 and choose it again.");
    this.put(text, file.name);
  }

  private put(text: string, source: string): void {
    this.text.value = text;
    this.source = source;
    this.forget();
    this.text.focus();
    this.text.setSelectionRange(0, 0);
    this.text.scrollTop = 0;
  }

  private forget(): void {
    this.fault.hidden = true;
    this.text.removeAttribute("aria-invalid");
    this.text.removeAttribute("aria-errormessage");
    this.preview.hidden = true;
    this.preview.replaceChildren();
  }

  private async check(): Promise<void> {
    this.forget();
    const body = { text: this.text.value, source: this.source };
    const checked = await act<Checked>("/policies/check", body);
    if (this.text.value !== body.text) say("The text has changed since: check it again.");
    else if (checked.fault) this.tell(checked.fault);
    else this.show(checked, body);
  }

  private tell({ line, key, words }: NonNullable<Checked["fault"]>): void {
    this.fault.textContent = `Line ${line}${key ? `, ${key}` : ""}: ${words}`;
    this.fault.hidden = false;
    this.text.setAttribute("aria-invalid", "true");
    this.text.setAttribute("aria-errormessage", this.fault.id);
    const lines = this.text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    this.text.focus();
    this.text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
    this.text.scrollTop = (this.text.scrollHeight * Math.max(0, line - 6)) / lines.length;
  }

  private show(checked: Checked, given: Given): void {
    const adopt = element("button", { type: "button", class: "hub-button hub-button--main" }, `Adopt it as ${this.section.dataset["person"]!}`);
    adopt.addEventListener("click", () => {
      adopt.disabled = true;
      void attempt(() => this.adopt(checked, given)).finally(() => (adopt.disabled = false));
    });
    this.preview.replaceChildren(
      element("h3", {}, `What ${checked.name} changes against version ${checked.instead_of}`),
      element(
        "dl",
        { class: "hub-facts" },
        ...fact("Approver", checked.approver),
        ...fact("Effective from", moment(checked.effective_from) + `, ${checked.effective_from.slice(0, 4)}`),
        ...fact("Changes", String(checked.changes.length)),
      ),
      ...checked.warnings.map((words) => element("p", { class: "hub-notice" }, words)),
      table(checked),
      element("details", {}, element("summary", {}, "Line by line"), lines(checked.lines)),
      element("p", { class: "hub-soft" }, "It is adopted under your own name. What was decided stays decided under its own version."),
      adopt,
    );
    this.preview.hidden = false;
    this.preview.focus();
  }

  private async adopt(checked: Checked, given: Given): Promise<void> {
    const body = { ...given, instead_of: checked.instead_of };
    const { id } = await act<{ id: number }>("/policies", body);
    say(`Version ${id} is adopted.`);
    location.assign(`/hub/settings/policy?was=${checked.instead_of}&then=${id}`);
  }
}

function fact(name: string, words: string): HTMLElement[] {
  return [element("dt", {}, name), element("dd", {}, words)];
}

function table({ changes }: Checked): HTMLElement {
  if (!changes.length) return element("p", {}, "It says the same; only comments or the order of lines differ.");
  const heads = ["Section", "Key", "In force", "New"].map((words) => element("th", { scope: "col" }, words));
  const rows = changes.map(({ section, key, was, now }) =>
    element("tr", {}, element("td", {}, section), element("th", { scope: "row" }, key), element("td", {}, value(was, "del")), element("td", {}, value(now, "ins"))),
  );
  const made = element("table", { class: "hub-table hub-changes" }, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows));
  return element("div", { class: "hub-scroll", tabindex: "0", role: "region", "aria-label": "What it changes" }, made);
}

function value(written: string | null, as: "ins" | "del"): HTMLElement {
  return written === null ? element("span", { class: "hub-soft" }, "not given") : element(as, {}, written);
}

function lines(all: string[]): HTMLElement {
  const kinds: Record<string, string> = { "+": " hub-diff__line--in", "-": " hub-diff__line--out" };
  const made = all.map((line) => element("span", { class: `hub-diff__line${kinds[line.charAt(0)] ?? ""}` }, `${line}\n`));
  return element("pre", { class: "hub-diff", tabindex: "0" }, ...made);
}
