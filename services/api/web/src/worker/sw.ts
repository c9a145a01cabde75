// The service worker: when there is no signal, a page of a report is answered with one that works without, and what was
// finished there is sent when the signal returns. Nothing else is touched: every other page comes from the network.
import { flush, TAG } from "../report/outbox";

interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

const worker = self as unknown as ServiceWorkerGlobalScope;
const SHELL = "/report/offline";
const CACHE = "roadmend-report";

worker.addEventListener("install", (event) => {
  event.waitUntil(store().then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(worker.clients.claim());
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== worker.location.origin) return;
  if (request.mode === "navigate" && /^\/report(\/|$)/.test(pathname)) {
    event.respondWith(page(request));
    // The categories may have changed since.
    if (pathname === "/report" && request.method === "GET") event.waitUntil(store().catch(() => undefined));
  }
  if (request.method === "GET" && pathname.startsWith("/assets/")) event.respondWith(asset(request));
});

worker.addEventListener("sync", (event) => {
  if ((event as SyncEvent).tag === TAG) (event as SyncEvent).waitUntil(sent());
});

/** The browser tries again by itself as long as this fails. */
async function sent(): Promise<void> {
  if (!(await flush())) throw new Error("Some reports still wait.");
}

/** Keep the page and every asset that it names, all or nothing. What an earlier release named goes. */
async function store(): Promise<void> {
  const answer = await fetch(SHELL, { cache: "no-cache" });
  if (!answer.ok) throw new Error(`The page was answered with ${answer.status}.`);
  const named = (await answer.clone().text()).match(/\/assets\/[\w./-]+/g) ?? [];
  const addresses = [...new Set(named)];
  const cache = await caches.open(CACHE);
  await cache.addAll(addresses);
  await cache.put(SHELL, answer);
  const known = new Set([SHELL, ...addresses]);
  for (const old of await cache.keys()) {
    if (!known.has(new URL(old.url).pathname)) await cache.delete(old);
  }
}

async function page(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(SHELL);
    if (kept === undefined) throw error;
    return kept;
  }
}

async function asset(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}
