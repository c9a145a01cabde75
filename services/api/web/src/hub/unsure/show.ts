// Draws a question: the same elements as templates/hub/unsure.html draws for the first.
import { band, element, moment, span, spelt, state } from "../parts";
import type { Candidate, Fact, Question, Shot } from "./kinds";

const TELLS: Record<Fact["tells"], string> = { for: "alike", against: "unlike", neither: "open" };

export function report(question: Question): Node[] {
  return [
    element("h2", { id: "unsure-report" }, "Report ", link(`/reports/${question.reference}`, question.reference)),
    ...(question.danger ? [element("p", { class: "hub-tag hub-tag--bad" }, "Danger, says the reporter")] : []),
    element("p", { class: "unsure-words" }, question.description || "No words"),
    shots(question.photos, "the report"),
    facts([
      ["What", spelt(question.class_code)],
      ["Seen", when(question.observed_at)],
      ["Where", where(question.address || question.street, question.street_side)],
      ["Accuracy", `${Math.round(question.accuracy_m)} m`],
      ["Came by", `${spelt(question.channel)}, ${moment(question.received_at)}`],
      ["Read by", moment(question.triage_due_at)],
    ]),
  ];
}

/** The chosen candidate, and buttons for the others. */
export function candidates(question: Question, chosen: number, choose: (index: number) => void): Node[] {
  const one = question.candidates[chosen]!;
  const several = question.candidates.length > 1;
  const title = several ? `Which of these ${question.candidates.length}?` : "Is it this one?";
  return [
    element("h2", { id: "unsure-candidate" }, title),
    ...(several ? [choices(question.candidates, chosen, choose)] : []),
    element(
      "article",
      { class: "unsure-one" },
      element("h3", {}, link(`/hub/defects/${one.reference}`, one.reference), " ", band(one.band), " ", state(one.state)),
      shots(one.photos, one.reference),
      ...one.words.map((told) =>
        element(
          "blockquote",
          { class: "unsure-words" },
          `${told.description} `,
          element("cite", {}, `${told.reference}, ${moment(told.received_at)}`),
        ),
      ),
      facts([
        ["What", spelt(one.class_code)],
        ["Opened", when(one.opened_at)],
        ["Last seen", when(one.last_seen_at)],
        ...(one.repaired_at ? [["Repaired", when(one.repaired_at)] as [string, string]] : []),
        ["Where", where(one.street, one.street_side)],
        ["Accuracy", `${Math.round(one.accuracy_m)} m`],
        ["Seen by", `${counted(one.reports, "report")}, ${counted(one.detections, "detection")}`],
      ]),
    ),
  ];
}

function choices(all: Candidate[], chosen: number, choose: (index: number) => void): HTMLElement {
  const buttons = all.map((one, index) => {
    const button = element(
      "button",
      { type: "button", class: "hub-button unsure-choice", "aria-pressed": String(index === chosen) },
      element("kbd", {}, String(index + 1)),
      ` ${one.reference}, ${Math.round(one.distance_m)} m`,
    );
    button.addEventListener("click", () => choose(index));
    return button;
  });
  return element("div", { class: "unsure-choices", role: "group", "aria-label": "Candidates" }, ...buttons);
}

export function compared(one: Candidate): Node[] {
  const rows = one.facts.map((fact) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, fact.what),
      element("td", {}, fact.words),
      element("td", { class: `unsure-tells unsure-tells--${fact.tells}` }, TELLS[fact.tells]),
    ),
  );
  return [
    element(
      "table",
      { class: "hub-table unsure-compared" },
      element("caption", { class: "hub-hidden" }, `The report beside ${one.reference}`),
      element("tbody", {}, ...rows),
    ),
    element("p", { class: "unsure-why" }, element("strong", {}, "Why it asks:"), ` ${one.why}`),
  ];
}

function shots(photos: Shot[], of: string): HTMLElement {
  if (photos.length === 0) return element("p", { class: "unsure-shots unsure-shots--none" }, "No photo");
  const shown = photos.map((one, index) => {
    const repair = one.role === "report" ? "" : `, ${one.role} the repair`;
    const size = { width: String(one.width_px), height: String(one.height_px) };
    const image = element("img", { src: one.url, ...size, alt: `Photo ${index + 1} of ${of}${repair}` });
    return element("a", { class: "unsure-shot", href: one.url, target: "_blank", rel: "noopener" }, image);
  });
  return element("div", { class: "unsure-shots" }, ...shown);
}

function facts(all: [string, string][]): HTMLElement {
  const pairs = all.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value)));
  return element("dl", { class: "unsure-facts" }, ...pairs);
}

function when(at: string): string {
  return `${moment(at)}, ${span(at)} ago`;
}

function where(street: string | null, side: string | null): string {
  return `${street || "Street not known"}${side ? `, ${side} side` : ""}`;
}

function counted(count: number, name: string): string {
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}

function link(href: string, words: string): HTMLElement {
  return element("a", { href }, words);
}
