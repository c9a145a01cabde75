// Views of one's own: save the filters that hold, rename, delete.
import { act, get } from "../api";
import { dialog } from "../palette";
import { element } from "../parts";
import { attempt } from "../says";
import type { View } from "./shapes";

/** Save what the queue shows now under a name. */
export function saveView(query: string): void {
  if (document.querySelector("dialog[open]")) return;
  const name = nameField("view-name", "");
  const wrong = element("p", { class: "hub-error", role: "alert" });
  const form = element(
    "form",
    {},
    element("div", { class: "hub-field" }, element("label", { for: "view-name" }, "Name"), name),
    wrong,
    element("button", { class: "hub-button hub-button--main" }, "Save"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void orTell(wrong, async () => {
      await act("/queue/views", { name: name.value, query });
      location.assign(`/hub/queue?${query}`);
    });
  });
  dialog("Save this view", form);
  name.focus();
}

/** All of one's own, each to be renamed or deleted. */
export async function manageViews(): Promise<void> {
  const { own } = await get<{ own: View[] }>("/queue/views");
  const wrong = element("p", { class: "hub-error", role: "alert" });
  const opened = dialog("My views", own.length ? list(own, wrong) : element("p", {}, "You have saved none yet."), wrong);
  opened.addEventListener("close", () => {
    if (opened.dataset["changed"]) location.reload();
  });
}

function list(own: View[], wrong: HTMLElement): HTMLElement {
  return element("ul", { class: "hub-plain-list" }, ...own.map((one) => item(one, wrong)));
}

function item(one: View, wrong: HTMLElement): HTMLElement {
  const name = nameField(`view-${one.id}`, one.name);
  const rename = element("button", { class: "hub-button" }, "Rename");
  const remove = element("button", { type: "button", class: "hub-button" }, "Delete");
  const made = element(
    "li",
    {},
    element("form", { class: "hub-row" }, element("label", { class: "hub-hidden", for: `view-${one.id}` }, `Name of ${one.name}`), name, rename, remove),
  );
  const changed = () => (made.closest("dialog")!.dataset["changed"] = "yes");
  made.querySelector("form")!.addEventListener("submit", (event) => {
    event.preventDefault();
    void orTell(wrong, async () => {
      await act(`/queue/views/${one.id}`, { name: name.value }, "PUT");
      changed();
      wrong.textContent = "";
      rename.textContent = "Renamed";
    });
  });
  remove.addEventListener("click", () => {
    void orTell(wrong, async () => {
      await act(`/queue/views/${one.id}`, undefined, "DELETE");
      changed();
      made.remove();
    });
  });
  return made;
}

function nameField(id: string, value: string): HTMLInputElement {
  return element("input", { class: "hub-input", type: "text", id, value, required: true, maxlength: "60", autocomplete: "off" });
}

async function orTell(place: HTMLElement, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (problem) {
    place.textContent = problem instanceof Error ? problem.message : String(problem);
  }
}

export const openViews = (): void => void attempt(manageViews);
