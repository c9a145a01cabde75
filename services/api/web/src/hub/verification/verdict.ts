// The form by which a person decides: a choice by one key, a reason, Enter.
import { command } from "../keys";
import { element } from "../parts";

export interface Verdict {
  /** Of the choice: "passed", "attributable". */
  value: string;
  why: string;
  /** Whether the form's own tick was set; false where it has none. */
  ticked: boolean;
}

const LEAST = 3;
let suggested = "";

/** Give each choice its key. Once a page. */
export function choices(group: string, named: Record<string, string>): void {
  for (const [key, name] of Object.entries(named))
    command({ name, key, group, when: () => radio(key) !== null, run: () => choose(radio(key)!) });
}

function radio(key: string): HTMLInputElement | null {
  return document.querySelector(`[data-part="one"]:not([inert]) [data-verdict-form] [data-key="${key}"]:enabled`);
}

/** A reason is suggested where there is a usual one, ready to be written over. */
function choose(chosen: HTMLInputElement): void {
  chosen.checked = true;
  const why = chosen.form!.querySelector("textarea")!;
  if (!why.value || why.value === suggested) why.value = suggested = chosen.dataset["suggest"] ?? "";
  why.focus();
  why.select();
}

/** `wrong` says what is still to be done, or nothing; then it is decided. */
export function verdictForm(one: HTMLElement, wrong: (verdict: Verdict) => string, decide: (verdict: Verdict) => void): void {
  const form = one.querySelector<HTMLFormElement>("[data-verdict-form]");
  if (!form) return;
  suggested = "";
  form.addEventListener("change", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.type === "radio") choose(event.target);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !(event.target instanceof HTMLTextAreaElement)) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = read(form);
    const told = missing(given) || wrong(given);
    show(form, told);
    if (!told) decide(given);
  });
}

/** What is written in the form and not decided; undefined where nothing is. */
export function draft(one: HTMLElement): Verdict | undefined {
  const form = one.querySelector<HTMLFormElement>("[data-verdict-form]");
  const given = form && read(form);
  return given?.why ? given : undefined;
}

/** What was written and not saved stands in the form again; where there is nothing to decide any more, above it. */
export function writeBack(one: HTMLElement, { value, why, ticked }: Verdict): void {
  const form = one.querySelector<HTMLFormElement>("[data-verdict-form]");
  if (!form) {
    const words = element("p", { class: "hub-notice" }, `Not saved, as there is nothing to decide any more. You wrote: ${why}`);
    one.prepend(words);
    return;
  }
  const chosen = form.querySelector<HTMLInputElement>(`input[type="radio"][value="${CSS.escape(value)}"]`);
  if (chosen) chosen.checked = true;
  if (chosen?.dataset["suggest"] === why) suggested = why;
  const tick = form.querySelector<HTMLInputElement>('input[type="checkbox"]');
  if (tick) tick.checked = ticked;
  form.querySelector("textarea")!.value = why;
}

function read(form: HTMLFormElement): Verdict {
  const given = new FormData(form);
  return {
    value: String(given.get("verdict") ?? ""),
    why: String(given.get("why") ?? "").trim(),
    ticked: form.querySelector<HTMLInputElement>('input[type="checkbox"]')?.checked ?? false,
  };
}

function missing({ value, why }: Verdict): string {
  if (!value) return "Choose one of the two.";
  return why.length < LEAST ? "Say why: who reads it later was not there." : "";
}

function show(form: HTMLFormElement, told: string): void {
  const wrong = form.querySelector<HTMLElement>("[data-wrong]")!;
  const why = form.querySelector("textarea")!;
  wrong.textContent = told;
  wrong.hidden = !told;
  why.toggleAttribute("aria-invalid", false);
  if (told) {
    why.setAttribute("aria-invalid", "true");
    why.focus();
  }
}
