// Repairs that wait for a person: j and k go through them, v accepts, x rejects.
import "./hub/shell";
import { save } from "./hub/conflict";
import "./hub/verification/compare";
import { Desk } from "./hub/verification/desk";
import "./hub/verification/desk.scss";
import { hold } from "./hub/verification/held";
import { choices, verdictForm, type Verdict } from "./hub/verification/verdict";

const KINDS = ["OrderStepped", "VisitRecorded", "VisitPhotoAdded", "RepairClaimed", "RepairRejected", "RepairVerified", "DefectSighted"];

choices("Verdict", { v: "Accept the repair", x: "Reject the repair" });
const desk = new Desk({
  name: "order",
  kinds: KINDS,
  nothing: "No repair waits for you.",
  onshow: (one) => verdictForm(one, wrong, decide),
});

const busy = () => desk.isBeingDecided();

function wrong({ value, ticked }: Verdict): string {
  const needsTick = document.querySelector('[data-verdict-form] [name="site_check"]') !== null;
  return value === "passed" && needsTick && !ticked ? "The evidence is lacking: tick that somebody stood before it, or reject it." : "";
}

function decide(given: Verdict): void {
  const { value, why, ticked } = given;
  const [reference, seen] = [desk.reference!, desk.seen];
  const words = value === "passed" ? "accepted" : "rejected";
  desk.putAway(reference);
  hold(
    `${reference} is ${words}.`,
    async () => {
      const mine = [`${reference} is ${words}`, why];
      const again = () => desk.bringBack(reference, given);
      const body = { verdict: value, why, site_check: ticked, seen };
      if (await save(`/works-orders/${reference}/verify`, body, { mine, again, busy })) desk.settle(reference);
    },
    () => void desk.bringBack(reference, given),
    () => desk.putBack(reference, given),
  );
}
