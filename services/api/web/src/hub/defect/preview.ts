// What would follow, as the service has worked it out by doing it and taking it back: clocks, position, what moves, and
// who is told what.
import { element, moment, spelt } from "../parts";
import { counted, metres } from "./known";

interface Side {
  reference: string;
  state: string;
  band: string | null;
  reports: number;
  detections: number;
  make_safe_due_at: string | null;
  permanent_due_at: string | null;
  inspect_due_at: string | null;
  known_at: string;
}

interface ToldTo {
  who: string;
  by_email: number;
  by_text: number;
  leaves_at: string;
  subject: string;
  text: string;
}

export interface Preview {
  stands: string | null;
  changes: { before: Side | null; after: Side; moved_m: number }[];
  moving: { reports: string[]; detections: number; passers_by: number; unreached: number };
  orders: { reference: string; before: string | null; after: string }[];
  told: ToldTo[];
}

const WHO: Record<string, string> = { reporters: "who reported it", followers: "who follow it", place: "who follow its place" };

export function previewed(seen: Preview): HTMLElement {
  const people = seen.told.reduce((sum, one) => sum + one.by_email + one.by_text, 0);
  return element(
    "div",
    { class: "hub-preview" },
    element("div", {}, element("h3", {}, "What would follow"), ...seen.changes.map(change), moving(seen), ...seen.orders.map(order)),
    element(
      "div",
      { class: "hub-preview__told" },
      element("h3", {}, people ? `${counted(people, "message")} would go out` : "Nobody would be told"),
      ...seen.told.map(told),
      seen.moving.unreached ? element("p", { class: "hub-soft" }, `${counted(seen.moving.unreached, "report")} that would move: no address to tell, or not wanted.`) : null,
    ),
  );
}

function change({ before, after, moved_m }: Preview["changes"][number]): HTMLElement {
  const rows = before
    ? [
        ["State", spelt(before.state), spelt(after.state)],
        ["Band", before.band ?? "none", after.band ?? "none"],
        ["Make safe by", when(before.make_safe_due_at), when(after.make_safe_due_at)],
        ["Mend by", when(before.permanent_due_at), when(after.permanent_due_at)],
        ["Look at it by", when(before.inspect_due_at), when(after.inspect_due_at)],
        ["Known since", when(before.known_at), when(after.known_at)],
        ["Reports", String(before.reports), String(after.reports)],
        ["Detections", String(before.detections), String(after.detections)],
      ].filter(([, one, other]) => one !== other)
    : [
        ["State", "", spelt(after.state)],
        ["Band", "", after.band ?? "none"],
        ["Look at it by", "", when(after.inspect_due_at)],
        ["Reports", "", String(after.reports)],
        ["Detections", "", String(after.detections)],
      ];
  const position = moved_m >= 0.05 ? element("p", {}, `Its position would move by ${metres(moved_m)}.`) : null;
  const lines = rows.map(([name, one, other]) => element("tr", {}, element("th", { scope: "row" }, name!), element("td", {}, one || "–"), element("td", {}, other!)));
  const head = element("thead", {}, element("tr", {}, ...["", "Now", "Then"].map((name) => element("th", { scope: "col" }, name || element("span", { class: "hub-hidden" }, "What")))));
  return element(
    "div",
    {},
    element("h4", {}, before ? after.reference : "The new defect"),
    rows.length ? element("table", { class: "hub-table" }, head, element("tbody", {}, ...lines)) : element("p", { class: "hub-soft" }, "It would stay as it is."),
    position,
  );
}

function moving({ moving: { reports, detections, passers_by } }: Preview): HTMLElement {
  const parts = [reports.length ? `${counted(reports.length, "report")} (${reports.join(", ")})` : "", detections ? counted(detections, "detection") : "", passers_by ? `${passers_by} passer-by` : ""].filter(Boolean);
  return element("p", {}, parts.length ? `Would move: ${parts.join(", ")}.` : "No report or detection would move.");
}

function order({ reference, before, after }: Preview["orders"][number]): HTMLElement {
  return element("p", {}, `Works order ${reference}: ${before ? `${spelt(before)}, then ` : ""}${spelt(after)}.`);
}

function told(one: ToldTo): HTMLElement {
  const by = [one.by_email ? `${one.by_email} by e-mail` : "", one.by_text ? `${one.by_text} by text` : ""].filter(Boolean).join(", ");
  return element(
    "details",
    { class: "hub-letter", open: true },
    element("summary", {}, `${counted(one.by_email + one.by_text, "person", "people")} ${WHO[one.who] ?? ""} (${by}), ${moment(one.leaves_at)}`),
    element("p", {}, element("strong", {}, one.subject)),
    element("p", { class: "hub-words" }, one.text.trim()),
  );
}

function when(at: string | null): string {
  return at ? moment(at) : "none";
}
