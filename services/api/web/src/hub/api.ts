// The hub's talk to /api/v1: the same that any program has, with the session's cookie and the token of its acts.
import { live } from "./live";

/** What the service would not do, in its own words. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    /** Stable: "conflict", "unlawful-step". */
    readonly code: string,
    readonly detail: string,
    /** By the field's name. */
    readonly fields: Record<string, string>,
    /** What this kind of problem has beside: with "changed-meanwhile" `changes` and `seen`. */
    readonly more: Record<string, unknown> = {},
  ) {
    super(detail);
  }
}

/** Nothing was answered: the network or the service is away. Nothing is known to have been done. */
export class Unreachable extends Error {
  constructor() {
    super("The service does not answer. Check the connection and try again.");
  }
}

const SIGNED_OUT = "You are signed out, and nothing was done. Sign in again in another window, then do it again here.";

interface ProblemBody {
  type?: string;
  detail?: string;
  errors?: { field: string; reason: string }[];
  [more: string]: unknown;
}

/** Read: `get<Page>("/defects?band=E")`. Throws Problem or Unreachable. */
export function get<T>(path: string): Promise<T> {
  return ask<T>("GET", path);
}

/** Do: `act("/defects/D-…/assess", {...})`. A key makes that doing it twice is doing it once, where the route takes one. */
export function act<T>(path: string, body?: unknown, method = "POST", key?: string): Promise<T> {
  return ask<T>(method, path, body, key);
}

/** End the session and go to the page that says so. The feed hears the end too, often before the answer is here. */
export async function signOut(): Promise<void> {
  live.signingOut = true;
  try {
    await act("/sign-out");
  } catch (problem) {
    live.signingOut = problem instanceof Problem && problem.status === 401;
    if (!live.signingOut) throw problem;
  }
  location.assign("/hub/signed-out");
}

/** A page of the hub as the server makes it now, to take parts out of. Throws Unreachable, or what is to be said. */
export async function pageAt(address: string): Promise<Document> {
  const answer = await reached(address, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (answer.redirected && new URL(answer.url).pathname === "/hub/sign-in") {
    live.out();
    throw new Error(SIGNED_OUT);
  }
  if (!answer.ok) throw new Error(`The page was answered with ${answer.status}. Load it again.`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function ask<T>(method: string, path: string, body?: unknown, key?: string): Promise<T> {
  const shown = token();
  let answer = await answered(method, path, body, key);
  if (answer.status === 401 && method !== "GET" && (await renewed(shown))) answer = await answered(method, path, body, key);
  if (answer.status === 401) {
    live.out();
    throw new Problem(401, "sign-in-needed", SIGNED_OUT, {});
  }
  if (!answer.ok) throw await problem(answer);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

async function answered(method: string, path: string, body?: unknown, key?: string): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = token();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  // An act is carried out also where its page is left the moment after; browsers carry 64 kB so at most.
  const keepalive = method !== "GET" && (sent.body ?? "").length < 30_000;
  return reached(`/api/v1${path}`, { method, headers, keepalive, ...sent });
}

async function reached(address: string, how: RequestInit): Promise<Response> {
  try {
    return await fetch(address, how);
  } catch {
    throw new Unreachable();
  }
}

/**
 * Whether the same person has signed in again, in another window, since an act showed this token: the page's acts are of
 * that session from now on.
 */
async function renewed(shown: string): Promise<boolean> {
  const answer = await answered("GET", "/me");
  const me = (answer.ok ? await answer.json() : {}) as { name?: string; csrf_token?: string | null };
  if (!me.csrf_token || me.csrf_token === shown || me.name !== document.body.dataset["person"]) return false;
  document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')!.content = me.csrf_token;
  return true;
}

async function problem(answer: Response): Promise<Problem> {
  const told = (await answer.json().catch(() => ({}))) as ProblemBody;
  const fields = Object.fromEntries((told.errors ?? []).map(({ field, reason }) => [field, reason]));
  const code = (told.type ?? "").replace("/problems/", "") || `http-${answer.status}`;
  return new Problem(answer.status, code, told.detail ?? `The service answered ${answer.status}.`, fields, told);
}

function token(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
}
