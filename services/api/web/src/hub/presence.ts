// Who else looks at the same thing now: asked every ten seconds while the page is looked at, taken back when it is left.
import { act } from "./api";
import { element } from "./parts";
import "./presence.scss";

export interface Other {
  name: string;
  since: string;
  writing: boolean;
}

const EVERY_MS = 10_000;
/** Of this page, however often it asks. Not randomUUID: without TLS a browser has none. */
const VIEW = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/London" });

/**
 * Tell that this page shows `reference`, and show in `place` who else has it open: "Ben Carr, since 14:03; writing".
 * Words that are not saved yet, in any field of the page, are told as writing. Answers how to end it, for a page that
 * goes on to another thing.
 */
export function present(reference: string, place: HTMLElement): () => void {
  let shown = "";
  let timer = 0;
  let ended = false;
  let told = false;
  place.classList.add("hub-presence");
  place.setAttribute("role", "status");

  const ask = async () => {
    window.clearTimeout(timer);
    if (ended || document.hidden) return;
    told = isWriting();
    try {
      const { others } = await act<{ others: Other[] }>("/presence", { subject: reference, view: VIEW, writing: told });
      if (!ended) shown = show(place, others, shown);
    } catch {
      shown = show(place, [], shown);
    }
    window.clearTimeout(timer);
    if (!ended) timer = window.setTimeout(() => void ask(), EVERY_MS);
  };
  const back = () => void ask();
  const leave = () => tellLeft(reference);
  document.addEventListener("visibilitychange", back);
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", back);
  document.addEventListener("input", began);
  void ask();
  return () => {
    ended = true;
    window.clearTimeout(timer);
    document.removeEventListener("visibilitychange", back);
    window.removeEventListener("pagehide", leave);
    window.removeEventListener("pageshow", back);
    document.removeEventListener("input", began);
    leave();
    show(place, [], shown);
  };

  /** The others are told of the first word at once. */
  function began(): void {
    if (isWriting() !== told) void ask();
  }
}

/** Without the politeness of a status that says the same again: only what has changed is drawn. Answers what is shown. */
function show(place: HTMLElement, others: Other[], before: string): string {
  const words = others.map(inWords);
  const now = words.join("\n");
  if (now === before) return before;
  place.replaceChildren(
    ...(words.length ? [element("span", { class: "hub-presence__mark", "aria-hidden": "true" }), `Also here: ${words.join(", ")}`] : []),
  );
  return now;
}

function inWords({ name, since, writing }: Other): string {
  return `${name}, since ${CLOCK.format(new Date(since))}${writing ? "; writing" : ""}`;
}

function isWriting(): boolean {
  const fields = document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>(`:is(main, .hub-form) :is(textarea, input[type="text"], input[type="number"], input:not([type]))`);
  return [...fields].some((field) => field.value !== field.defaultValue);
}

/** The page goes away: the request outlives it. */
function tellLeft(reference: string): void {
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
  void fetch("/api/v1/presence/leave", {
    method: "POST",
    keepalive: true,
    headers: { "Content-Type": "application/json", "X-CSRF-Token": token },
    body: JSON.stringify({ subject: reference, view: VIEW }),
  }).catch(() => undefined);
}
