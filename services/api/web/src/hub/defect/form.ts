// Forms in dialogs: what the service would not take is said beside its field, and what was typed stays.
import { Problem } from "../api";
import { dialog } from "../palette";
import { element } from "../parts";

export interface Field {
  name: string;
  label: string;
  /** yesno: as known, yes or no. choice: one of `choices`, the first of which may be empty. */
  kind: "text" | "area" | "number" | "date" | "yesno" | "choice";
  hint?: string;
  choices?: [value: string, words: string][];
  value?: string;
  /** What is said where it is left empty, or is no more than two letters. */
  needed?: string;
  /** Stands below this heading with others. */
  group?: string;
}

export type Values = Record<string, string | number | boolean>;

export const WHY: Field = { name: "why", label: "Why", kind: "area", hint: "It goes on record. Nothing about a person.", needed: "Say why, in a few words." };

/** Letters that a reason has at least, for the service. */
const LEAST = 3;
let count = 0;

/** What is about to be saved, in the form's own words. */
export function inWords(fields: Field[], given: Values): string[] {
  return fields.flatMap(({ name, label, choices }) => {
    const value = given[name];
    if (value === undefined || value === "") return [];
    const words = choices?.find(([choice]) => choice === value)?.[1] ?? (typeof value === "boolean" ? (value ? "yes" : "no") : String(value));
    return [`${label}: ${words}`];
  });
}

/** Does it; false: it was not done, and the form stays with its words. */
export type Submit = (values: Values) => Promise<boolean | void>;

/** A dialog with a form. It closes when `submit` has done it. */
export function ask(
  title: string,
  fields: Field[],
  button: string,
  submit: Submit,
  ...content: (Node | string)[]
): HTMLDialogElement {
  const form = filled(fields, button, submit, () => opened.close());
  const opened = dialog(title, ...content, form);
  form.querySelector<HTMLElement>("input, textarea, select")?.focus();
  return opened;
}

/** The form alone, for a dialog with more in it. */
export function filled(
  fields: Field[],
  button: string,
  submit: Submit,
  done: () => void,
): HTMLFormElement {
  const id = `form-${++count}`;
  const wrong = element("p", { class: "hub-error", role: "alert" });
  const send = element("button", { class: "hub-button hub-button--main" }, button);
  const form = element("form", { class: "hub-form", novalidate: true, id }, wrong, ...grouped(fields, id), element("p", {}, send));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clear(form, wrong);
    const given = read(form, fields);
    const missing = fields.find(({ name, needed }) => needed && String(given[name] ?? "").length < LEAST);
    if (missing) return beside(form, id, missing.name, missing.needed!);
    send.disabled = true;
    submit(given)
      .then((did) => {
        if (did !== false) done();
      })
      .catch((problem: unknown) => show(form, id, fields, wrong, problem))
      .finally(() => (send.disabled = false));
  });
  return form;
}

function grouped(fields: Field[], id: string): HTMLElement[] {
  const made: HTMLElement[] = [];
  const groups = new Map<string, HTMLElement>();
  for (const field of fields) {
    if (!field.group) {
      made.push(drawn(field, id));
      continue;
    }
    let group = groups.get(field.group);
    if (!group) {
      group = element("fieldset", { class: "hub-form__group" }, element("legend", {}, field.group));
      groups.set(field.group, group);
      made.push(group);
    }
    group.append(drawn(field, id));
  }
  return made;
}

function drawn(field: Field, form: string): HTMLElement {
  const id = `${form}-${field.name}`;
  const told = [field.hint ? `${id}-hint` : "", `${id}-wrong`].filter(Boolean).join(" ");
  const control = controlOf(field, { id, name: field.name, "aria-describedby": told, autocomplete: "off" });
  return element(
    "div",
    { class: "hub-field" },
    element("label", { for: id }, field.label),
    field.hint ? element("span", { class: "hub-hint", id: `${id}-hint` }, field.hint) : null,
    element("span", { class: "hub-error", id: `${id}-wrong` }),
    control,
  );
}

function controlOf(field: Field, attributes: Record<string, string>): HTMLElement {
  if (field.kind === "area") {
    const area = element("textarea", { ...attributes, class: "hub-area", rows: "3", maxlength: "1000" });
    area.value = field.value ?? "";
    return area;
  }
  if (field.kind === "choice" || field.kind === "yesno") {
    const choices: [string, string][] = field.choices ?? [["", "as known"], ["yes", "yes"], ["no", "no"]];
    return element("select", { ...attributes, class: "hub-select" }, ...choices.map(([value, words]) => element("option", { value, selected: value === field.value }, words)));
  }
  const input = element("input", { ...attributes, class: "hub-input", type: field.kind === "number" ? "text" : field.kind, inputmode: field.kind === "number" ? "decimal" : undefined });
  input.value = field.value ?? "";
  return input;
}

function read(form: HTMLFormElement, fields: Field[]): Values {
  const values: Values = {};
  for (const { name, kind } of fields) {
    const typed = (form.elements.namedItem(name) as HTMLInputElement).value.trim();
    if (name === "why" || name === "reason") values[name] = typed;
    else if (typed === "") continue;
    else if (kind === "yesno") values[name] = typed === "yes";
    else if (kind === "number") values[name] = Number.isNaN(Number(typed)) ? typed : Number(typed);
    else values[name] = typed;
  }
  return values;
}

function clear(form: HTMLFormElement, wrong: HTMLElement): void {
  wrong.textContent = "";
  form.querySelectorAll(".hub-field .hub-error").forEach((one) => (one.textContent = ""));
  form.querySelectorAll("[aria-invalid]").forEach((one) => one.removeAttribute("aria-invalid"));
}

/** What is wrong with a field stands beside it, all else above the form. */
function show(form: HTMLFormElement, id: string, fields: Field[], wrong: HTMLElement, problem: unknown): void {
  const told = problem instanceof Problem ? Object.entries(problem.fields) : [];
  const placed = told.flatMap(([path, reason]) => {
    const name = path.split(".").at(-1)!;
    const field = fields.find((one) => one.name === name);
    return field ? [{ name, words: `${field.label}: ${reason}.` }] : [];
  });
  placed.reverse().forEach(({ name, words }) => beside(form, id, name, words));
  if (placed.length === 0 || !(problem instanceof Problem) || problem.status !== 422) {
    wrong.textContent = problem instanceof Error ? problem.message : String(problem);
  }
}

function beside(form: HTMLFormElement, id: string, name: string, words: string): void {
  document.getElementById(`${id}-${name}-wrong`)!.textContent = words;
  const control = form.elements.namedItem(name) as HTMLElement;
  control.setAttribute("aria-invalid", "true");
  control.focus();
}
