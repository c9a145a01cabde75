// Recalls: j and k go through them, a is the repair's failure, n is not; a supervisor rules on what is disputed.
import "./hub/shell";
import { save } from "./hub/conflict";
import { attempt } from "./hub/says";
import "./hub/verification/compare";
import { Desk } from "./hub/verification/desk";
import "./hub/verification/desk.scss";
import { drawPlaces } from "./hub/verification/footprints";
import { hold } from "./hub/verification/held";
import "./hub/verification/recalls.scss";
import { choices, verdictForm, type Verdict } from "./hub/verification/verdict";

const KINDS = ["RecallProposed", "RecallDecided", "ReportTriaged", "OrderIssued"];

choices("Decision", { a: "It is the repair's failure", n: "It is not the repair's failure" });
const desk = new Desk({ name: "recall", kinds: KINDS, nothing: "No recall waits for you.", onshow: show });

const busy = () => desk.isBeingDecided();

// Other pages name a recall behind a #.
const named = () => {
  const reference = location.hash.slice(1);
  if (!reference) return;
  history.replaceState(null, "", location.pathname + location.search);
  void attempt(() => desk.showReference(reference));
};
window.addEventListener("hashchange", named);
named();

function show(one: HTMLElement): void {
  verdictForm(one, () => "", decide);
  const map = one.querySelector<HTMLElement>("[data-map]");
  const reference = one.dataset["reference"];
  if (map && reference) drawPlaces(map, reference).catch(() => map.replaceChildren("The map cannot be drawn here. The list says where everything is."));
}

function decide(given: Verdict): void {
  const { value, why } = given;
  const [reference, seen] = [desk.reference!, desk.seen];
  const rules = document.querySelector<HTMLElement>("[data-verdict-form]")!.dataset["rule"] === "yes";
  const words = `${reference} is ${value === "attributable" ? "the repair's failure" : "not the repair's failure"}`;
  desk.putAway(reference);
  hold(
    `${words}.`,
    async () => {
      const again = () => desk.bringBack(reference, given);
      const path = `/recalls/${reference}/${rules ? "rule" : "decide"}`;
      if (await save(path, { decision: value, why, seen }, { mine: [words, why], again, busy })) desk.settle(reference);
    },
    () => void desk.bringBack(reference, given),
    () => desk.putBack(reference, given),
  );
}
