// Repairs that wait for a person: j and k go through them, v accepts, x rejects.
import "./hub/shell";
import { act } from "./hub/api";
import "./hub/verification/compare";
import { Desk } from "./hub/verification/desk";
import "./hub/verification/desk.scss";
import { hold } from "./hub/verification/held";
import { choices, verdictForm, type Verdict } from "./hub/verification/verdict";

const KINDS = ["OrderStepped", "VisitRecorded", "VisitPhotoAdded", "RepairClaimed", "RepairRejected", "RepairVerified"];

choices("Verdict", { v: "Accept the repair", x: "Reject the repair" });
const desk = new Desk({
  name: "order",
  kinds: KINDS,
  nothing: "No repair waits for you.",
  onshow: (one) => verdictForm(one, wrong, decide),
});

function wrong({ value, ticked }: Verdict): string {
  const needsTick = document.querySelector('[data-verdict-form] [name="site_check"]') !== null;
  return value === "passed" && needsTick && !ticked ? "The evidence is lacking: tick that somebody stood before it, or reject it." : "";
}

function decide({ value, why, ticked }: Verdict): void {
  const reference = desk.reference!;
  desk.putAway(reference);
  hold(
    `${reference} is ${value === "passed" ? "accepted" : "rejected"}.`,
    async () => {
      await act(`/works-orders/${reference}/verify`, { verdict: value, why, site_check: ticked });
      desk.settle(reference);
    },
    () => desk.bringBack(reference),
  );
}
