// What is parked, as it is now: the feed does not tell of it, so it is asked for while the page is looked at.
import "./hub/shell";
import { get } from "./hub/api";
import { redraw } from "./hub/settings/forms";

const EVERY_MS = 4000;
const said = document.querySelector<HTMLElement>("[data-parked-said]")!;

async function look(): Promise<void> {
  const counted = await get<Record<"deliveries" | "messages", number>>("/parked/counts");
  for (const name of ["deliveries", "messages"] as const) {
    const part = document.querySelector<HTMLElement>(`#${name}`)!;
    if (part.dataset["count"] === String(counted[name])) continue;
    await redraw(`#${name}`);
    said.textContent = `${counted[name]} ${name} are parked.`;
  }
}

window.setInterval(() => {
  // A connection that is lost is said at the top; the next look tries again.
  if (!document.hidden && !document.querySelector("dialog[open]")) void look().catch(() => undefined);
}, EVERY_MS);
