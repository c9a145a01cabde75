// The fields of an act on many, and what they say.
import { element } from "../parts";
import type { Kind } from "./shapes";

export type Body = Record<string, unknown>;

interface Form {
  title: (many: string) => string;
  /** What the button does: "Assign 11". */
  verb: string;
  fields: (contractors: Record<string, string>) => HTMLElement[];
  body: (form: HTMLFormElement) => Body;
}

const FACTS: [string, string][] = [
  ["danger", "Danger to people"],
  ["wheel_path", "In the wheel path"],
  ["cycle_lane", "In a cycle lane"],
  ["crossing", "On a crossing"],
  ["collapse", "Collapse or void"],
  ["obstruction", "Obstruction"],
  ["flooding", "Flooding"],
  ["missing_cover", "Missing cover"],
];
const GRADES: [string, string][] = [
  ["", "By the rules"],
  ["1", "1, least"],
  ["2", "2"],
  ["3", "3"],
  ["4", "4, worst"],
];

export const FORMS: Record<Kind, Form> = {
  assign: {
    title: (many) => `Assign ${many}`,
    verb: "Assign",
    fields: (contractors) => [
      field("Contractor", choose("contractor", [["", "By policy: who has the lot"], ...Object.entries(contractors)])),
      field("Why", text("reason", "Assigned from the queue."), "It stands in the record of each order."),
    ],
    body: (form) => ({ contractor: valueOf(form, "contractor") || null, reason: valueOf(form, "reason") }),
  },
  grade: {
    title: (many) => `Confirm and grade ${many}`,
    verb: "Grade",
    fields: () => [
      element("div", { class: "hub-row" }, field("Depth, mm", measure("depth_mm")), field("Width, mm", measure("width_mm"))),
      element("div", { class: "hub-row" }, field("Impact", choose("impact", GRADES)), field("Likelihood", choose("likelihood", GRADES))),
      element("fieldset", { class: "hub-queue__facts" }, element("legend", {}, "What is so there"), ...FACTS.map(([name, words]) => tick(name, words))),
      field("Why", text("why", ""), "What is left empty stays as it is known of each."),
    ],
    body: (form) => ({
      why: valueOf(form, "why"),
      facts: Object.fromEntries(FACTS.filter(([name]) => form.querySelector<HTMLInputElement>(`[name="${name}"]`)!.checked).map(([name]) => [name, true])),
      ...numbers(form, "depth_mm", "width_mm", "impact", "likelihood"),
    }),
  },
  refer: {
    title: (many) => `Refer ${many} to their owner`,
    verb: "Refer",
    fields: () => [field("Whose they are", text("owner", ""), "As Openreach, United Utilities, Network Rail."), field("Why", text("why", ""))],
    body: (form) => ({ owner: valueOf(form, "owner"), why: valueOf(form, "why") }),
  },
  message: {
    title: (many) => `Write to the people of ${many}`,
    verb: "Send for",
    fields: () => [
      field(
        "What they should know",
        element("textarea", { class: "hub-area", name: "words", id: "act-words", rows: "5", maxlength: "1000", required: true }),
        "Everybody who reported or follows them reads it, each about the own one. Names, numbers and addresses are taken out.",
      ),
    ],
    body: (form) => ({ words: valueOf(form, "words") }),
  },
};

function field(words: string, control: HTMLElement, hint?: string): HTMLElement {
  if (hint) control.setAttribute("aria-describedby", `${control.id}-hint`);
  return element(
    "div",
    { class: "hub-field" },
    element("label", { for: control.id }, words),
    hint && element("span", { class: "hub-hint", id: `${control.id}-hint` }, hint),
    control,
  );
}

function text(name: string, value: string): HTMLInputElement {
  return element("input", { class: "hub-input", type: "text", name, id: `act-${name}`, value, required: true, minlength: "3", maxlength: "500", autocomplete: "off" });
}

function measure(name: string): HTMLInputElement {
  return element("input", { class: "hub-input", type: "number", name, id: `act-${name}`, min: "0", max: "100000", step: "any" });
}

function choose(name: string, options: [string, string][]): HTMLSelectElement {
  return element("select", { class: "hub-select", name, id: `act-${name}` }, ...options.map(([value, words]) => element("option", { value }, words)));
}

function tick(name: string, words: string): HTMLElement {
  return element("label", { class: "hub-choice" }, element("input", { type: "checkbox", name }), words);
}

function valueOf(form: HTMLFormElement, name: string): string {
  return form.querySelector<HTMLInputElement>(`[name="${name}"]`)!.value.trim();
}

function numbers(form: HTMLFormElement, ...names: string[]): Body {
  const given = names.map((name) => [name, valueOf(form, name)] as const).filter(([, value]) => value !== "");
  return Object.fromEntries(given.map(([name, value]) => [name, Number(value)]));
}
