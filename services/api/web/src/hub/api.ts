// The hub's talk to /api/v1: the same that any program has, with the session's cookie and the token of its acts.

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

let signingOut = false;

/** The session has ended: sign in, and come back to this page. Who is signing out is on the way elsewhere. */
export function toSignIn(): void {
  if (!signingOut) location.assign(`/hub/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** End the session and go to the page that says so. The feed hears the end too, often before the answer is here. */
export async function signOut(): Promise<void> {
  signingOut = true;
  try {
    await act("/sign-out");
  } catch (problem) {
    signingOut = problem instanceof Problem && problem.status === 401;
    if (!signingOut) throw problem;
  }
  location.assign("/hub/signed-out");
}

async function ask<T>(method: string, path: string, body?: unknown, key?: string): Promise<T> {
  const answer = await answered(method, path, body, key);
  if (answer.status === 401) toSignIn();
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
  try {
    return await fetch(`/api/v1${path}`, { method, headers, keepalive, ...sent });
  } catch {
    throw new Unreachable();
  }
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
