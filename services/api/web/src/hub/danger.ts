// Danger that was reported and nobody has taken: it stands in the bar of every page, and sounds, until somebody does.
import { Alarm, type Sound } from "./alarm";
import { act, get, Problem } from "./api";
import "./danger.scss";
import { command } from "./keys";
import { live, type Line } from "./live";
import { element, moment, span, spelt } from "./parts";
import { attempt, say } from "./says";

interface Danger {
  reference: string;
  class_code: string;
  street: string | null;
  address: string | null;
  received_at: string;
}

interface Dangers {
  dangers: Danger[];
  total: number;
}

/** What may bring one, or take one away that is shown. */
const CALLS = new Set(["ReportGivenBack", "ReportRestored", "ReportChallenged"]);
const LOOK_MS = 60_000;
const SHOWN = 3;
const ANNOUNCED = "roadmend-hub-danger-said";

const bar = document.querySelector<HTMLElement>("[data-danger]");
if (bar) watch(bar);

function watch(bar: HTMLElement): void {
  const spoken = element("p", { class: "hub-hidden", role: "alert" });
  const list = element("ul", { class: "hub-danger__list" });
  const more = element("button", { type: "button", class: "hub-button hub-button--quiet", hidden: true, "aria-expanded": "false" });
  const tools = element("p", { class: "hub-danger__tools" });
  bar.append(spoken, list, more, tools);
  const alarm = new Alarm(document.body.dataset["person"] ?? "", () => showSound(bar, tools, alarm));
  const shown = new Map<string, HTMLElement>();
  let total = 0;
  let all = false;
  let wanted = 0;
  let soon = 0;

  const draw = () => {
    [...list.children].forEach((item, index) => ((item as HTMLElement).hidden = !all && index >= SHOWN));
    more.hidden = total <= SHOWN;
    more.textContent = all ? "Show fewer" : `Show all ${total}`;
    more.setAttribute("aria-expanded", String(all));
    bar.hidden = total === 0;
  };
  more.addEventListener("click", () => {
    all = !all;
    draw();
  });

  const look = async () => {
    const mine = ++wanted;
    const told = await get<Dangers>("/dangers?limit=200").catch(() => undefined);
    if (!told || mine !== wanted) return;
    const known = new Set(told.dangers.map(({ reference }) => reference));
    for (const [reference, item] of shown) {
      if (!known.has(reference)) {
        item.remove();
        shown.delete(reference);
      }
    }
    // The newest come first in the answer: the last of them is put on top before the one that is newer.
    const fresh = told.dangers.filter(({ reference }) => !shown.has(reference)).reverse();
    for (const one of fresh) {
      const item = drawn(one, look);
      shown.set(one.reference, item);
      list.prepend(item);
    }
    total = told.total;
    draw();
    announce(spoken, fresh);
    alarm.call(total > 0, fresh.length > 0);
  };
  const hear = (line: Line) => {
    if (!concerns(line, shown)) return;
    window.clearTimeout(soon);
    soon = window.setTimeout(() => void look(), 100);
  };
  live.online(hear);
  live.onreset(() => void look());
  live.onstate((state) => {
    if (state === "live") void look();
  });
  window.setInterval(() => void look(), LOOK_MS);
  void look();
  command({
    name: "Go to the danger that was reported",
    key: "g d",
    group: "Places",
    when: () => total > 0,
    run: () => list.querySelector<HTMLElement>("a")?.focus(),
  });
}

function concerns(line: Line, shown: Map<string, HTMLElement>): boolean {
  const facts = line["facts"] as { danger?: boolean } | undefined;
  if (line.kind === "ReportReceived") return facts?.danger === true;
  return line.subject === "report" && (CALLS.has(line.kind) || shown.has(line.reference ?? ""));
}

function drawn(one: Danger, look: () => Promise<void>): HTMLElement {
  const take = element("button", { type: "button", class: "hub-button" }, "Take it");
  take.setAttribute("aria-label", `Take it: ${what(one)}`);
  const item = element(
    "li",
    { "data-reference": one.reference },
    element("strong", {}, "Danger"),
    element("a", { href: `/hub/reports/${one.reference}` }, what(one)),
    element("time", { datetime: one.received_at, "data-ago": true, title: moment(one.received_at) }, `${span(one.received_at)} ago`),
    take,
  );
  take.addEventListener("click", () => {
    take.disabled = true;
    void attempt(() => taken(one.reference)).finally(() => {
      take.disabled = false;
      void look();
    });
  });
  return item;
}

/** "pothole, Fishergate". */
function what({ class_code, street, address }: Danger): string {
  return [spelt(class_code), street ?? address].filter(Boolean).join(", ");
}

async function taken(reference: string): Promise<void> {
  try {
    await act(`/reports/${reference}/take`);
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.code !== "already-taken") throw problem;
    return say(problem.detail);
  }
  say(`You have taken ${reference}. Nobody else is called for it any more.`, {
    name: "Give it back",
    run: async () => void (await act(`/reports/${reference}/give-back`)),
  });
}

/** Each is said once to who hears the page, however many pages of the hub they open meanwhile. */
function announce(spoken: HTMLElement, fresh: Danger[]): void {
  const said = new Set((sessionStorage.getItem(ANNOUNCED) ?? "").split(" "));
  const unsaid = fresh.filter(({ reference }) => !said.has(reference));
  if (!unsaid.length) return;
  sessionStorage.setItem(ANNOUNCED, [...said, ...unsaid.map(({ reference }) => reference)].slice(-200).join(" "));
  spoken.textContent = unsaid
    .slice(-SHOWN)
    .map((one) => `Danger reported: ${what(one)}.`)
    .join(" ");
}

function showSound(bar: HTMLElement, tools: HTMLElement, alarm: Alarm): void {
  bar.dataset["sounded"] = String(alarm.sounded);
  const sound = alarm.sound;
  if (bar.dataset["sound"] === sound) return;
  bar.dataset["sound"] = sound;
  tools.replaceChildren(...parts(sound, alarm));
}

function parts(sound: Sound, alarm: Alarm): (Node | string)[] {
  const button = (words: string, run: () => void) => {
    const made = element("button", { type: "button", class: "hub-button hub-button--quiet" }, words);
    made.addEventListener("click", run);
    return made;
  };
  if (sound === "refused") {
    return ["Your browser makes no sound until you press this: ", button("Turn sound on", () => alarm.start())];
  }
  if (sound === "muted") {
    const until = moment(new Date(alarm.mutedUntil)).slice(-5);
    window.setTimeout(() => alarm.unmute(), alarm.mutedUntil - Date.now());
    return [`Muted until ${until} `, button("Unmute", () => alarm.unmute())];
  }
  if (sound === "on" || sound === "elsewhere") return [button("Mute for 15 minutes", () => alarm.mute())];
  return [];
}
