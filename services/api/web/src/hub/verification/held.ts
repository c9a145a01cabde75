// A verdict that nothing can take back once it is sent: it is held for some seconds, in which it can be undone. Who
// leaves the page sends it at once.
import { live } from "../live";
import { fault, say } from "../says";

const HELD_MS = 8000;
const waiting = new Set<() => void>();
let sending = 0;
live.keeps(() => waiting.size + sending > 0);

/** `send` is called when the time is over; `undone` where somebody took it back; `refused` where it failed, which is said. */
export function hold(words: string, send: () => Promise<unknown>, undone: () => void, refused: () => void): void {
  const go = () => {
    if (!stop()) return;
    sending++;
    send()
      .catch((problem: unknown) => {
        fault(problem);
        refused();
      })
      .finally(() => sending--);
  };
  const timer = window.setTimeout(go, HELD_MS);
  const stop = () => {
    window.clearTimeout(timer);
    return waiting.delete(go);
  };
  waiting.add(go);
  const undo = () => {
    if (stop()) undone();
  };
  say(words, { name: "Undo", run: undo }, HELD_MS);
}

window.addEventListener("pagehide", () => [...waiting].forEach((go) => go()));
