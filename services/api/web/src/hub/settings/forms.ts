// Forms that act through /api/v1 as their attributes say, and the dialogs that they stand in; written once for all
// settings. `data-act` is the address, fields are the body, `data-redraw` what of the page is then made anew by the
// server, `data-say` what is said, `data-then` what else follows, `data-undo` the address that takes it back.
import "./settings.scss";
import { act, Problem } from "../api";
import { command } from "../keys";
import { element } from "../parts";
import { attempt, say } from "../says";

type Body = Record<string, unknown>;
type Then = (answer: unknown, body: Body, form: HTMLFormElement) => void | Promise<void>;
const following = new Map<string, Then>();

/** What follows when a form with this `data-then` has acted. */
export function then(name: string, run: Then): void {
  following.set(name, run);
}

/** Parts of the page, made anew by the server. The focus stays on what is called the same. */
export async function redraw(...selectors: string[]): Promise<void> {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const selector of selectors) {
    const old = document.querySelector<HTMLElement>(selector);
    const now = fresh.querySelector<HTMLElement>(selector);
    if (!old || !now) continue;
    const focused = old.contains(document.activeElement) ? called(document.activeElement) : "";
    old.replaceWith(document.adoptNode(now));
    if (focused) ([...now.querySelectorAll<HTMLElement>("button, a, input")].find((one) => called(one) === focused) ?? now).focus();
  }
  document.querySelectorAll<HTMLInputElement>("[data-filter]").forEach(filter);
  document.dispatchEvent(new Event(REDRAWN));
}

/** Said of the document when a part of the page was made anew. */
export const REDRAWN = "hub:redrawn";

function called(one: Element | null): string {
  return one?.getAttribute("aria-label") ?? one?.textContent ?? "";
}

export function openDialog(id: string, fill: Record<string, string> = {}): void {
  const opened = document.querySelector<HTMLDialogElement>(`dialog#${id}`);
  if (!opened || document.querySelector("dialog[open]")) return;
  const form = opened.querySelector("form");
  form?.reset();
  if (form) forget(form);
  for (const [name, value] of Object.entries(fill)) put(opened, name, value);
  if (form) sayWhen(form);
  opened.showModal();
}

function put(opened: HTMLDialogElement, name: string, value: string): void {
  const form = opened.querySelector("form");
  if (name === "act" && form) form.dataset["act"] = value;
  opened.querySelectorAll(`[data-text="${name}"]`).forEach((place) => (place.textContent = value));
  const field = form?.elements.namedItem(name);
  if (field instanceof RadioNodeList || field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = value;
}

/** Fields that go with a choice are there only with it. */
function sayWhen(form: HTMLFormElement): void {
  form.querySelectorAll<HTMLElement>("[data-when]").forEach((part) => {
    const [name, value] = part.dataset["when"]!.split("=");
    const fits = new FormData(form).get(name!) === value;
    part.hidden = !fits;
    part.querySelectorAll<HTMLInputElement>("input, select").forEach((field) => (field.disabled = !fits));
  });
}

export function bodyOf(form: HTMLFormElement): Body {
  const body: Body = {};
  for (const field of form.elements) {
    if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement || field instanceof HTMLTextAreaElement)) continue;
    if (!field.name || field.disabled) continue;
    if ("list" in field.dataset) {
      const list = (body[field.name] ??= []) as string[];
      if ((field as HTMLInputElement).checked) list.push(field.value);
    } else if ((field.type === "radio" || field.type === "checkbox") && !(field as HTMLInputElement).checked) continue;
    else if (field.value !== "") body[field.name] = "whole" in field.dataset ? Number(field.value) : field.value;
    else if ("nothing" in field.dataset) body[field.name] = null;
  }
  return body;
}

async function send(form: HTMLFormElement): Promise<void> {
  const body = bodyOf(form);
  forget(form);
  try {
    const answer = await act<unknown>(form.dataset["act"]!, body);
    form.closest("dialog")?.close();
    if ("reset" in form.dataset) form.reset();
    await following.get(form.dataset["then"] ?? "")?.(answer, body, form);
    const words = form.dataset["say"];
    if (words) say(words, offer(form, body));
    if (form.dataset["redraw"]) await redraw(form.dataset["redraw"]);
  } catch (problem) {
    if (problem instanceof Problem && form.closest("dialog, [data-errors]")) tell(form, problem);
    else throw problem;
  }
}

function offer(form: HTMLFormElement, body: Body): { name: string; run: () => Promise<void> } | undefined {
  const undo = form.dataset["undo"];
  if (!undo) return undefined;
  const again = form.dataset["redraw"];
  return {
    name: "Undo",
    run: async () => {
      await act(undo, body);
      if (again) await redraw(again);
    },
  };
}

/** What is wrong, beside its field, and the focus there; what belongs to no field stands above the button. */
function tell(form: HTMLFormElement, problem: Problem): void {
  let first: HTMLElement | undefined;
  for (const [name, reason] of Object.entries(problem.fields)) {
    const found = form.elements.namedItem(name);
    const field = found instanceof RadioNodeList ? (found[0] as HTMLInputElement) : (found as HTMLInputElement | null);
    if (!field) continue;
    const said = element("p", { class: "hub-error", id: `${field.id}-error`, role: "alert" }, reason.charAt(0).toUpperCase() + reason.slice(1));
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-errormessage", said.id);
    (field.closest(".hub-field, .hub-fieldset") ?? form).append(said);
    first ??= field;
  }
  if (first) first.focus();
  else form.querySelector("button:not([type=button])")?.before(element("p", { class: "hub-notice hub-notice--bad", role: "alert" }, problem.detail));
}

function forget(form: HTMLFormElement): void {
  form.querySelectorAll(".hub-error, .hub-notice--bad").forEach((said) => said.remove());
  form.querySelectorAll("[aria-invalid]").forEach((field) => {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-errormessage");
  });
}

function filter(input: HTMLInputElement): void {
  const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  document.querySelectorAll<HTMLElement>(input.dataset["filter"]!).forEach((row) => {
    const words = row.textContent.toLowerCase();
    row.hidden = !wanted.every((word) => words.includes(word));
  });
}

/** Letters and digits that are not taken for each other when they are read out. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";

function madeUp(): string {
  const numbers = crypto.getRandomValues(new Uint32Array(20));
  return [...numbers].map((number, at) => (at && at % 5 === 0 ? "-" : "") + LETTERS[number % LETTERS.length]).join("");
}

document.addEventListener("submit", (event) => {
  const form = event.target as HTMLFormElement;
  if (!form.dataset["act"]) return;
  event.preventDefault();
  const button = event.submitter as HTMLButtonElement | null;
  if (button) button.disabled = true;
  void attempt(() => send(form)).finally(() => {
    if (button) button.disabled = false;
  });
});

document.addEventListener("click", (event) => {
  const pressed = (event.target as Element).closest<HTMLElement>("[data-open], [data-close], [data-make], [data-copy]");
  if (!pressed) return;
  const { open, make, copy } = pressed.dataset;
  if (open) openDialog(open, JSON.parse(pressed.dataset["fill"] ?? "{}") as Record<string, string>);
  else if (make) document.querySelector<HTMLInputElement>(`#${make}`)!.value = madeUp();
  else if (copy) void attempt(() => copied(document.querySelector<HTMLInputElement>(`#${copy}`)!, pressed));
  else pressed.closest("dialog")?.close();
});

async function copied(field: HTMLInputElement, button: HTMLElement): Promise<void> {
  field.select();
  // Browsers copy for a page on https, or on this machine, only.
  if (!navigator.clipboard) throw new Error("It is selected: press Ctrl C to copy it.");
  await navigator.clipboard.writeText(field.value);
  button.textContent = "Copied";
  window.setTimeout(() => (button.textContent = "Copy"), 3000);
}

document.addEventListener("change", (event) => {
  const form = (event.target as HTMLInputElement).form;
  if (form?.dataset["act"]) sayWhen(form);
});
document.addEventListener("input", (event) => {
  if (event.target instanceof HTMLInputElement && event.target.dataset["filter"]) filter(event.target);
});

/** By its words, since a part that was made anew has another element, or none. */
document.querySelectorAll<HTMLElement>("[data-command]").forEach(({ dataset, textContent }) => {
  const name = textContent.trim();
  const found = () => [...document.querySelectorAll<HTMLElement>("[data-command]")].find((one) => one.textContent.trim() === name);
  command({ name, group: dataset["command"]!, when: () => found() !== undefined, run: () => found()?.click() });
});
