// How long a clock still runs, or how late it is, behind the time that the server has written.
import { span } from "../parts";

const EACH_MS = 30_000;
let running = false;

export function watchDue(): void {
  write();
  if (!running) window.setInterval(write, EACH_MS);
  running = true;
}

function write(): void {
  for (const time of document.querySelectorAll<HTMLTimeElement>("time[data-due]")) {
    const words = time.dataset["words"] ?? (time.dataset["words"] = time.textContent);
    const late = new Date(time.dateTime).getTime() < Date.now();
    time.classList.toggle("hub-late", late);
    time.textContent = `${words}, ${late ? `${span(time.dateTime)} late` : `in ${span(time.dateTime)}`}`;
  }
}
