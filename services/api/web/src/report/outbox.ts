// Sends finished reports that were kept on this phone, each once: the key that it was kept under goes along, so that a
// report whose answer was lost is told its reference again, and a photo that is there already is the same photo.
import { keep, outbox, type Waiting } from "./kept";

export const TAG = "send-reports";
const CHANNEL = "roadmend-outbox";

/** Send what waits. True: nothing waits any more. One sender at a time, page or service worker. */
export async function flush(): Promise<boolean> {
  return navigator.locks.request(CHANNEL, async () => {
    let left = false;
    for (const waiting of (await outbox()).filter(isDue)) {
      try {
        await send(waiting);
      } catch {
        // No signal, or the service is away: it waits for the next time.
        left = true;
      }
      tell();
    }
    return !left;
  });
}

export function isDue(one: Waiting): boolean {
  return one.refused === undefined && (one.reference === undefined || one.photos.length > 0);
}

async function send(waiting: Waiting): Promise<void> {
  if (waiting.reference === undefined) await sendReport(waiting);
  while (waiting.reference !== undefined && waiting.photos.length > 0) {
    await sendPhoto(waiting, waiting.photos[0]!);
    waiting.photos = waiting.photos.slice(1);
    await keep(waiting);
  }
}

async function sendReport(waiting: Waiting): Promise<void> {
  const answer = await fetch("/api/v1/reports", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": waiting.key },
    body: JSON.stringify(waiting.body),
  });
  if (answer.status === 429 || answer.status >= 500) throw new Error(`answered with ${answer.status}`);
  const told = (await answer.json()) as Told;
  if (answer.ok) {
    waiting.reference = told.reference;
    waiting.link = told.tracking.link;
    waiting.secret = told.tracking.secret;
    // Others may use this phone: what was written, and by whom, does not stay on it.
    waiting.body = null;
  } else if (waiting.body?.observed_at && told.errors?.some(({ field }) => field === "observed_at")) {
    // The clock of this phone is wrong: the service takes the time at which the report comes.
    delete waiting.body.observed_at;
    return sendReport(waiting);
  } else {
    waiting.refused = told.detail ?? "It was not taken.";
  }
  await keep(waiting);
}

interface Told {
  reference: string;
  tracking: { link: string; secret: string };
  detail?: string;
  errors?: { field: string }[];
}

/** A photo that the service will not have is left out; its report is there. */
async function sendPhoto(waiting: Waiting, photo: Blob): Promise<void> {
  const form = new FormData();
  form.append("photo", photo, "photo.jpg");
  const answer = await fetch(`/api/v1/reports/${waiting.reference}/photos`, {
    method: "POST",
    headers: { Authorization: `Bearer ${waiting.secret}` },
    body: form,
  });
  if (answer.status === 429 || answer.status >= 500) throw new Error(`answered with ${answer.status}`);
}

/** Say to every open page that something of the outbox has changed. */
export function tell(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage("changed");
  channel.close();
}

export function listen(changed: () => void): void {
  new BroadcastChannel(CHANNEL).onmessage = changed;
}

/** Have it sent when there is signal, also when no page of ours is open, where the browser can do that. */
export async function sendLater(): Promise<void> {
  const worker = await navigator.serviceWorker?.getRegistration();
  if (worker && "sync" in worker) {
    try {
      await (worker.sync as { register(tag: string): Promise<void> }).register(TAG);
    } catch {
      // Not allowed here: the pages send it when one is open and there is signal.
    }
  }
}
