// A row of the queue, the same as templates/hub/queue_parts.html makes.
import { band, element, span, spelt, state } from "../parts";
import type { NextClock, Row } from "./shapes";

const SOON_MS = 86_400_000;

export function row(one: Row): HTMLTableRowElement {
  const made = element("tr", { "data-reference": one.reference, "data-state": one.state, "data-order": one.works_order ?? "" });
  made.append(
    element(
      "td",
      { class: "hub-queue__pick" },
      element("input", { type: "checkbox", class: "hub-queue__box", tabindex: "-1", "aria-label": `Select ${one.reference}` }),
    ),
    element("th", { scope: "row" }, link(one.reference), one.danger && " ", one.danger && element("span", { class: "hub-tag hub-tag--danger" }, "Danger")),
    element("td", { class: "hub-queue__band" }, band(one.band)),
    element("td", { class: "hub-queue__kind" }, one.kind),
    element("td", { class: "hub-queue__where" }, one.street ?? "No street", one.area && small(one.area)),
    element("td", { class: "hub-queue__state" }, state(one.state)),
    element("td", { class: "hub-queue__clock" }, ...clock(one.next, one.due_why)),
    element("td", { class: "hub-queue__who" }, ...holder(one)),
    element("td", { class: "hub-table__number hub-figure hub-queue__reports" }, String(one.reports)),
  );
  return made;
}

function link(reference: string): HTMLElement {
  return element("a", { href: `/hub/defects/${reference}`, tabindex: "-1" }, reference);
}

function small(words: string, title?: string): HTMLElement {
  return element("span", { class: "hub-queue__basis", title }, words);
}

function clock(next: NextClock | null, why: string[]): (Node | string)[] {
  if (!next) return [element("span", { class: "hub-soft" }, "No clock runs")];
  const left = element("span", { "data-due": next.due_at });
  tellLeft(left);
  return [left, " ", element("strong", {}, next.to_do), small(`${next.basis ? `${next.basis}, ` : ""}by ${next.by}`, why.join(" "))];
}

function holder(one: Row): (Node | string)[] {
  if (!one.contractor) return [element("span", { class: "hub-soft" }, "Nobody yet")];
  return [one.contractor.name, small(`${one.works_order ?? ""} ${spelt(one.order_state ?? "")}`)];
}

/** How long is left, in words and colour. */
export function tellLeft(tag: HTMLElement): void {
  const due = new Date(tag.dataset["due"]!).getTime();
  const now = Date.now();
  const tone = due < now ? " hub-tag--bad" : due < now + SOON_MS ? " hub-tag--wait" : "";
  const words = `${span(new Date(due))} ${due < now ? "late" : "left"}`;
  if (tag.textContent !== words) tag.textContent = words;
  tag.className = `hub-tag${tone}`;
}
