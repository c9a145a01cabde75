// Photos from after the work against those from before: beside each other, or one over the other with a slider; and
// each in its full size.
import { command } from "../keys";
import { dialog } from "../palette";
import { element } from "../parts";

const one = () => document.querySelector<HTMLElement>("[data-compare]");

document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLElement>("[data-photo], [data-slide], [data-full], [data-enlarge]");
  const compare = button?.closest<HTMLElement>("[data-compare]");
  if (!button || !compare) return;
  if (button.dataset["photo"]) show(compare, button);
  else if ("slide" in button.dataset) slide(compare);
  else enlarge(compare, button.closest<HTMLElement>("[data-pane]") ?? compare);
});
document.addEventListener("input", (event) => {
  const cut = event.target as HTMLInputElement;
  if ("cut" in cut.dataset) cut.closest<HTMLElement>("[data-compare]")!.style.setProperty("--cut", `${cut.value}%`);
});
command(
  { name: "Slide the photos over each other", key: "s", group: "Photos", when: () => one() !== null, run: () => one()!.querySelector<HTMLElement>("[data-slide]")!.click() },
  { name: "Full size", key: "f", group: "Photos", when: () => one()?.querySelector("[data-picture]") != null, run: () => enlarge(one()!, one()!) },
);

function show(compare: HTMLElement, button: HTMLElement): void {
  const role = button.dataset["role"]!;
  compare.querySelectorAll(`[data-photo][data-role="${role}"]`).forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
  const pane = compare.querySelector(`[data-pane="${role}"]`)!;
  const picture = pane.querySelector<HTMLImageElement>("[data-picture]")!;
  picture.src = button.dataset["photo"]!;
  picture.alt = button.querySelector("img")!.alt;
  pane.querySelector("[data-caption]")!.textContent = button.querySelector("[data-told]")!.textContent;
}

function slide(compare: HTMLElement): void {
  const button = compare.querySelector<HTMLButtonElement>("[data-slide]")!;
  if (button.disabled) return;
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  compare.classList.toggle("compare--over", on);
  compare.querySelector<HTMLElement>("[data-cut-field]")!.hidden = !on;
  if (on) compare.querySelector<HTMLElement>("[data-cut]")!.focus();
}

interface Photo {
  url: string;
  label: string;
}

/** All photos of the comparison, one at a time; that of the pane first. The keys go on, and Z shows every pixel. */
function enlarge(compare: HTMLElement, first: HTMLElement): void {
  const photos = photosOf(compare);
  const start = first.querySelector<HTMLImageElement>("[data-picture]")?.getAttribute("src");
  if (!start || document.querySelector("dialog[open]")) return;
  let at = Math.max(0, photos.findIndex(({ url }) => url === start));
  const picture = element("img", { class: "full__picture" });
  const said = element("p", { role: "status", class: "full__said" });
  const place = element("div", { class: "full__place", tabindex: "0", role: "region", "aria-label": "Photo; arrow keys go on, Z shows every pixel" }, picture);
  const original = element("a", { target: "_blank", rel: "noopener" }, "As it came");
  const go = (by: number) => {
    at = (at + by + photos.length) % photos.length;
    const { url, label } = photos[at]!;
    picture.src = url;
    picture.alt = label;
    original.href = `${url}?copy=original`;
    said.textContent = `${label}, ${at + 1} of ${photos.length}`;
  };
  const button = (name: string, key: string, run: () => void) => {
    const made = element("button", { type: "button", class: "hub-button" }, `${name} `, element("kbd", {}, key));
    made.addEventListener("click", run);
    return made;
  };
  const grow = () => place.classList.toggle("full__place--whole");
  const tools = element("div", { class: "hub-row" }, button("Previous", "←", () => go(-1)), button("Next", "→", () => go(1)), button("Every pixel", "z", grow), original, said);
  const opened = dialog("Photo", tools, place);
  opened.classList.add("full");
  opened.addEventListener("keydown", (event) => {
    const moves = place.classList.contains("full__place--whole") && document.activeElement === place;
    if (event.key === "z") grow();
    else if (event.key === "ArrowLeft" && !moves) go(-1);
    else if (event.key === "ArrowRight" && !moves) go(1);
    else return;
    event.preventDefault();
  });
  go(0);
  place.focus();
}

function photosOf(compare: HTMLElement): Photo[] {
  const strip = [...compare.querySelectorAll<HTMLElement>("[data-photo]")].map((button) => ({ url: button.dataset["photo"]!, label: button.querySelector("img")!.alt }));
  const panes = [...compare.querySelectorAll<HTMLImageElement>("[data-picture]")].map((picture) => ({ url: picture.getAttribute("src")!, label: picture.alt }));
  return strip.length ? strip : panes;
}
