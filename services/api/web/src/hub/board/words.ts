// What a line of the feed says, in plain words: "D-7K3M-9QXF graded P2 (was P10)".
import type { Line } from "../live";
import { element, spelt } from "../parts";

/** By kind. {reference}, {defect}, {other} and {works_order} become links; {facts.x} is a fact of the event. */
const SAID: Record<string, string> = {
  ReportReceived: "{class} reported: {reference}",
  ReportTriaged: "{reference} waits for a person: {facts.why}",
  ReportLinked: "{reference} is of {defect}",
  ReportUnlinked: "{reference} is no longer of {defect}",
  ReportInfoAsked: "The reporter of {reference} was asked for more",
  ReportReferred: "{reference} referred to {facts.target}",
  ReportRejected: "{reference} not taken up: {facts.reason}",
  ReportRestored: "{reference} waits for a person again",
  ReportFoundNoDefect: "{reference}: no defect found there",
  ReportResolved: "{reference} is settled",
  ReportChallenged: "{reference}: its reporter says that it is not settled",
  ReportWithdrawn: "{reference} withdrawn by its reporter",
  ReportTaken: "{reference}: somebody sees to its danger",
  ReportGivenBack: "{reference}: its danger waits for somebody again",
  TriageMissed: "{reference} was not decided about in time",
  DetectionsReceived: "{facts.accepted} detections came: {reference}",
  DetectionsMatched: "Detections matched: {facts.founded} new defects, {facts.joined} of known ones ({reference})",
  DefectRecorded: "{reference} recorded: {class}",
  DefectSighted: "{reference} was seen again",
  DefectGraded: "{reference} graded {facts.band}, was {facts.was}",
  DefectStepped: "{reference} is {after}",
  DefectMerged: "{reference} merged into {other}",
  DefectUnmerged: "{reference} is by itself again, apart from {other}",
  DefectSplit: "{reference} split: {other} is another",
  DefectMadeSafe: "{reference} made safe",
  DefectOrdered: "{reference} ordered: {works_order}",
  DefectRepairedTemporarily: "{reference} mended for now",
  RepairClaimed: "{reference}: the crew says that it is mended",
  RepairRejected: "{reference}: the repair was rejected",
  RepairVerified: "{reference} is mended, and it was verified",
  DefectRecalled: "{reference} called back: its repair failed",
  DeadlineMissed: "{reference} is late: its clock to {facts.clock} ran out",
  DeadlineMoved: "{reference}: its clock to {facts.clock} was moved",
  OrderIssued: "{reference} issued to {contractor}",
  OrderStepped: "{reference}: {after} ({contractor})",
  OrderRegraded: "{reference} graded {facts.band}, was {facts.was}",
  OrderRecharged: "{reference} is paid by the {facts.charge_to} now",
  VisitRecorded: "{contractor} attended {reference}: {facts.outcome}",
  VisitPhotoAdded: "A photo {facts.role} the repair came: {reference}",
  WarrantyStarted: "Warranty of {defect} began: to {facts.ends_on}",
  WarrantyStepped: "Warranty of {defect} is {after}",
  RecallProposed: "{reference} proposed: the repair of {defect} may have failed",
  RecallDecided: "{reference} decided: {facts.decision}",
  PhotoReleased: "A photo is shown to everybody",
  PhotoWithheld: "A photo is not shown",
};
const CLOCKS: Record<string, string> = {
  make_safe: "make safe",
  permanent: "mend",
  inspect: "inspect",
  verify: "verify the repair",
};
const REFERENCES = new Set(["reference", "defect", "other", "works_order"]);
const LINKED = /^[RDWK]-/;

/** Where a thing with a reference is shown. */
export function address(reference: string): string {
  if (reference.startsWith("R-")) return `/hub/reports/${reference}`;
  if (reference.startsWith("D-")) return `/hub/defects/${reference}`;
  if (reference.startsWith("K-")) return `/hub/recalls#${reference}`;
  return `/hub/search?q=${reference}`;
}

/** Whether it should catch the eye, and how. */
export function tone(line: Line): "alarm" | "late" | "good" | "" {
  if (line.kind === "ReportReceived" && line.facts?.["danger"]) return "alarm";
  if (["DeadlineMissed", "TriageMissed", "RecallProposed", "DefectRecalled", "RepairRejected"].includes(line.kind)) return "late";
  return line.kind === "RepairVerified" ? "good" : "";
}

/** The sentence as elements, with its links; on a wall, where nothing can be clicked, without. */
export function sentence(line: Line, linked = true): Node[] {
  const pieces = pattern(line).split(/\{([\w.]+)\}/);
  return pieces.map((piece, index) => (index % 2 ? value(line, piece, linked) : document.createTextNode(piece)));
}

function pattern(line: Line): string {
  const facts = line.facts ?? {};
  if (line.kind === "DefectGraded" && !facts["was"]) return "{reference} graded {facts.band}";
  if (line.kind === "DefectGraded" && facts["was"] === facts["band"]) return "{reference} graded again: {facts.band}";
  if (line.kind === "ReportReceived" && facts["danger"]) return "Danger! {class} reported: {reference}";
  if (line.kind === "ReportLinked" && facts["verdict"] === "same") return "{reference} is of {defect}, which was known";
  if (line.kind === "DefectMadeSafe") return "{reference} made safe; the repair is still to come";
  return SAID[line.kind] ?? `{reference}: ${line.kind.replace(/(?!^)([A-Z])/g, " $1").toLowerCase()}`;
}

function value(line: Line, name: string, linked: boolean): Node {
  const found = name.startsWith("facts.") ? line.facts?.[name.slice(6)] : line[name === "class" ? "class_code" : name];
  const words = String(found ?? "");
  if (REFERENCES.has(name) && LINKED.test(words)) {
    return linked ? element("a", { href: address(words) }, words) : element("span", { class: "board-ref" }, words);
  }
  if (name === "facts.clock") return document.createTextNode(CLOCKS[words] ?? spelt(words));
  if (name === "class") return document.createTextNode(capital(spelt(words) || "something"));
  return document.createTextNode(spelt(words));
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
