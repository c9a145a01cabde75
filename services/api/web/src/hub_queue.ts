// The queue: what breaks first at the top, kept true by the feed, acted on by keys and by buttons.
import "./hub/shell";
import "./hub/queue/queue.scss";
import { command } from "./hub/keys";
import { Acts } from "./hub/queue/acts";
import { List } from "./hub/queue/list";
import { Refresh } from "./hub/queue/refresh";
import type { Kind } from "./hub/queue/shapes";
import { openViews, saveView } from "./hub/queue/views";
import { attempt, say } from "./hub/says";

const page = document.querySelector<HTMLElement>("[data-queue]")!;
const part = <E extends HTMLElement>(name: string): E => page.querySelector<E>(`[data-${name}]`)!;

const query = page.dataset["query"]!;
const asked = new URLSearchParams(query);
if (page.dataset["after"]) asked.set("after", page.dataset["after"]);
asked.set("limit", page.dataset["page"]!);

const list = new List(part<HTMLTableSectionElement>("rows"));
const acts = new Acts(JSON.parse(page.dataset["contractors"]!) as Record<string, string>);
const refresh = new Refresh(list, String(asked), { total: part("total"), news: part("news"), empty: part("empty") });
acts.ondone = () => refresh.soon(0);

const [picked, none] = [part("picked"), page.querySelector<HTMLButtonElement>('[data-act="none"]')!];
list.onselect = () => {
  const many = list.selected.size;
  picked.textContent = many ? `${many} selected` : "None selected";
  none.hidden = !many;
};

const on = (kind: Kind) => () => acts.open(kind, list.chosen());

/** To the verification of the repair that one is on, where one waits. */
function verify(): void {
  const at = list.current;
  if (!at?.ariaCurrent) return say("Move to a defect first: j and k move.");
  if (at.dataset["state"] !== "repair_claimed") return say("No repair of it waits to be checked.");
  location.assign(`/hub/verification?order=${at.dataset["order"] ?? ""}`);
}

const runs: Record<string, () => void> = {
  assign: on("assign"),
  grade: on("grade"),
  refer: on("refer"),
  message: on("message"),
  verify,
  all: () => list.all(),
  none: () => list.none(),
  acts: () => void attempt(() => acts.last()),
  "save-view": () => saveView(query),
  views: openViews,
};
for (const button of page.querySelectorAll<HTMLButtonElement>("[data-act]")) {
  button.addEventListener("click", runs[button.dataset["act"]!]!);
}

const follow = (name: string) => () => page.querySelector<HTMLAnchorElement>(`[data-${name}]`)?.click();
const group = "Queue";
command(
  { name: "Next defect", key: "j", group, run: () => list.move(1) },
  { name: "Previous defect", key: "k", group, run: () => list.move(-1) },
  { name: "Select this defect", key: "x", group, run: () => list.toggle() },
  { name: "Select all from the last selected to this", key: "X", group, run: () => list.toggle(true) },
  { name: "Select all shown", group, run: runs["all"]! },
  { name: "Select none", key: "Escape", group, when: () => list.selected.size > 0, run: runs["none"]! },
  { name: "Open this defect", key: "Enter", group, run: () => list.current?.querySelector("a")?.click() },
  { name: "Assign", key: "a", group, run: runs["assign"]! },
  { name: "Confirm and grade", key: "c", group, run: runs["grade"]! },
  { name: "Refer to its owner", key: "r", group, run: runs["refer"]! },
  { name: "Write to its people", key: "m", group, run: runs["message"]! },
  { name: "Verify its repair", key: "v", group, run: verify },
  { name: "Undo my last act", key: "u", group, run: () => acts.undoLast() },
  { name: "My last acts", group, run: runs["acts"]! },
  { name: "Show what is new", key: "n", group, run: () => refresh.show() },
  { name: "To the filters", key: "f", group, run: () => page.querySelector<HTMLInputElement>('[data-filters] [name="q"]')?.select() },
  { name: "Next page", key: "]", group, when: () => page.querySelector("[data-next]") !== null, run: follow("next") },
  { name: "First page", key: "[", group, when: () => page.querySelector("[data-first]") !== null, run: follow("first") },
  { name: "Save this view", group, when: () => query !== "", run: runs["save-view"]! },
  { name: "My views", group, run: openViews },
);

// What is not set would only make the address long.
part<HTMLFormElement>("filters").addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});
// One box of choices at a time, and Escape closes it.
for (const box of page.querySelectorAll<HTMLDetailsElement>(".hub-queue__group")) {
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !box.open) return;
    event.stopPropagation();
    box.open = false;
    box.querySelector("summary")!.focus();
  });
}
document.addEventListener("click", (event) => {
  for (const box of page.querySelectorAll<HTMLDetailsElement>(".hub-queue__group[open]")) {
    if (!box.contains(event.target as Node)) box.open = false;
  }
});
