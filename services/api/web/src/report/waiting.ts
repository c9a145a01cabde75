// Tells of the reports that are kept on this phone: that they wait, that they were sent and under which reference, or
// why one was not taken. Sends them when the page is opened and when the signal returns.
import { drop, outbox, type Waiting } from "./kept";
import { flush, isDue, listen } from "./outbox";
import { button } from "./place";

const AGAIN_MS = 10_000;

/** The key of a refused report that this page puts right. */
export const puttingRight = new URLSearchParams(location.search).get("right");

export async function waitingReports(): Promise<void> {
  const place = document.querySelector<HTMLElement>("[data-waiting]");
  if (!place || !("indexedDB" in window)) return;
  listen(() => void refreshed());
  addEventListener("online", () => void flush());
  await refreshed();
  await flush();
  setInterval(() => void again(), AGAIN_MS);
}

/** A weak signal comes and goes without any event. */
async function again(): Promise<void> {
  if (navigator.onLine && (await outbox()).some(isDue)) await flush();
}

function render(place: HTMLElement, all: Waiting[]): void {
  place.replaceChildren(...all.filter(({ key }) => key !== puttingRight).map((one) => told(one)));
}

function told(one: Waiting): HTMLElement {
  const box = document.createElement("div");
  box.className = "govuk-inset-text";
  const words = document.createElement("p");
  words.className = "govuk-body";
  box.append(words);
  if (one.refused !== undefined) {
    words.textContent = `A report that was kept on this phone was not taken. ${one.refused}`;
    const right = document.createElement("p");
    right.className = "govuk-body";
    right.append(link(`/report/offline?right=${one.key}`, "Put it right"));
    box.append(right, button("Throw it away", () => void forget(one)));
  } else if (isDue(one)) {
    words.textContent = "Kept on this phone, will be sent when there is signal.";
  } else {
    words.textContent = "Your report was sent. Your reference is ";
    const reference = document.createElement("strong");
    reference.textContent = one.reference!;
    const follow = document.createElement("p");
    follow.className = "govuk-body";
    follow.append(link(one.link!, "Follow your report"));
    words.append(reference, ".");
    box.append(follow, button("Hide this", () => void forget(one)));
  }
  return box;
}

function link(address: string, words: string): HTMLElement {
  const made = document.createElement("a");
  made.className = "govuk-link";
  made.href = address;
  made.textContent = words;
  return made;
}

async function forget(one: Waiting): Promise<void> {
  await drop(one.key);
  await refreshed();
}

/** Show how it is now. */
export async function refreshed(): Promise<void> {
  const place = document.querySelector<HTMLElement>("[data-waiting]");
  if (place) render(place, await outbox());
}
