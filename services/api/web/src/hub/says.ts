// What the hub says in passing, at the foot of the page: done, failed, undo. Errors stay until they are put away.
import { element } from "./parts";

export interface Offer {
  name: string;
  run: () => void | Promise<void>;
}

const STAYS_MS = 8000;

/** Say that something was done, with an undo where there is one. `until` is when the offer ends. */
export function say(words: string, offer?: Offer, staysMs = STAYS_MS): void {
  show("status", words, offer, staysMs);
}

/** Say what went wrong. */
export function fault(problem: unknown): void {
  show("alert", problem instanceof Error ? problem.message : String(problem), undefined, 0);
}

/** Do something for a button or a key; what goes wrong is said. */
export async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (problem) {
    fault(problem);
  }
}

function show(role: "status" | "alert", words: string, offer: Offer | undefined, staysMs: number): void {
  const place = document.querySelector<HTMLElement>("[data-says]")!;
  const said = element("div", { class: `hub-said hub-said--${role}`, role }, element("p", {}, words));
  const away = () => said.remove();
  if (offer) {
    const button = element("button", { type: "button", class: "hub-button" }, offer.name);
    button.addEventListener("click", () => {
      away();
      void attempt(async () => offer.run());
    });
    said.append(button);
  }
  const close = element("button", { type: "button", class: "hub-button hub-button--quiet", "aria-label": "Put away" }, "×");
  close.addEventListener("click", away);
  said.append(close);
  place.append(said);
  if (staysMs) window.setTimeout(away, staysMs);
}
