// Photos at full size, by keys: one after the other, or before and after side by side; and who may see them.
import { act } from "../api";
import { dialog } from "../palette";
import { element } from "../parts";
import { say } from "../says";
import { filled, WHY } from "./form";
import type { LivingPage } from "./page";

interface Shot {
  reference: string;
  role: string;
  words: string;
  public: boolean;
  alt: string;
}

function shots(): Shot[] {
  return [...document.querySelectorAll<HTMLElement>("[data-photo]")].map((button) => ({
    reference: button.dataset["photo"]!,
    role: button.dataset["role"]!,
    words: button.dataset["words"]!,
    public: button.dataset["public"] === "yes",
    alt: button.querySelector("img")?.alt ?? "Photo",
  }));
}

export function watchPhotos(page: LivingPage): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const photo = target.closest<HTMLElement>("[data-photo]");
    if (photo) openPhoto(page, photo.dataset["photo"]!);
    else if (target.closest("[data-compare]")) compare();
  });
}

/** Open one; the arrow keys go on. */
export function openPhoto(page: LivingPage, reference?: string): void {
  const all = shots();
  let at = Math.max(0, all.findIndex((one) => one.reference === reference));
  if (all.length === 0) return;
  const figure = element("figure", { class: "hub-viewer__shot" });
  const foot = element("div", { class: "hub-row" });
  const said = element("p", { role: "status" });
  const opened = dialog("Photo", figure, said, foot);
  opened.classList.add("hub-viewer");
  const draw = () => {
    const one = all[at]!;
    figure.replaceChildren(picture(one));
    said.textContent = `${at + 1} of ${all.length}. ${one.words}. ${one.public ? "Everybody may see it." : "Only those whom it concerns may see it."}`;
    foot.replaceChildren(...(all.length > 1 ? [step("Before it", -1), step("Next", 1)] : []), whoSees(page, one, opened));
  };
  const go = (by: number) => {
    at = (at + by + all.length) % all.length;
    draw();
  };
  const step = (name: string, by: number) => {
    const button = element("button", { type: "button", class: "hub-button" }, name, " ", element("kbd", {}, by < 0 ? "←" : "→"));
    button.addEventListener("click", () => go(by));
    return button;
  };
  opened.addEventListener("keydown", (event) => {
    if ((event.target as Element).closest("input, textarea")) return;
    if (event.key === "ArrowRight") go(1);
    else if (event.key === "ArrowLeft") go(-1);
    else return;
    event.preventDefault();
    opened.querySelector<HTMLElement>(".hub-dialog__head button")?.focus();
  });
  draw();
}

function picture(one: Shot): HTMLImageElement {
  return element("img", { src: `/api/v1/photos/${one.reference}`, alt: one.alt });
}

function whoSees(page: LivingPage, one: Shot, opened: HTMLDialogElement): HTMLElement {
  const [name, verb] = one.public ? ["Withhold it from the public", "withhold"] : ["Release it to everybody", "release"];
  const button = element("button", { type: "button", class: "hub-button" }, name);
  button.addEventListener("click", () => {
    const form = filled([{ ...WHY, hint: "Faces and number plates: is there any?" }], name, (given) => decide(page, one.reference, verb, String(given["why"])), () => opened.close());
    button.replaceWith(form);
    form.querySelector("textarea")?.focus();
  });
  return button;
}

async function decide(page: LivingPage, reference: string, verb: string, why: string): Promise<void> {
  await act(`/photos/${reference}/${verb}`, { why });
  const other = verb === "release" ? "withhold" : "release";
  say(verb === "release" ? "Everybody may see the photo." : "The photo is withheld.", {
    name: "Undo",
    run: () => decide(page, reference, other, "Undone."),
  });
  await page.refresh();
}

/** Before and after side by side, each to be leafed through by itself. */
function compare(): void {
  const all = shots();
  const opened = dialog("Before and after", element("div", { class: "hub-viewer__pair" }, leaf("Before", all.filter(({ role }) => role === "before")), leaf("After", all.filter(({ role }) => role === "after"))));
  opened.classList.add("hub-viewer");
}

function leaf(name: string, all: Shot[]): HTMLElement {
  let at = all.length - 1;
  const place = element("div", { class: "hub-viewer__shot" });
  const said = element("figcaption", {});
  const draw = () => {
    const one = all[at];
    if (!one) return;
    place.replaceChildren(picture(one));
    said.textContent = `${name}, ${at + 1} of ${all.length}: ${one.words}`;
  };
  const turn = (words: string, by: number) => {
    const button = element("button", { type: "button", class: "hub-button", "aria-label": `${words} photo, ${name.toLowerCase()}` }, words);
    button.addEventListener("click", () => {
      at = (at + by + all.length) % all.length;
      draw();
    });
    return button;
  };
  draw();
  return element("figure", {}, said, place, ...(all.length > 1 ? [element("div", { class: "hub-row" }, turn("Earlier", -1), turn("Later", 1))] : []));
}
