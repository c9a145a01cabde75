// An act on many: said, seen beforehand, held for some seconds in which it can be undone, and what became of each.
import { act, get, Problem } from "../api";
import { dialog } from "../palette";
import { band, element, moment, spelt } from "../parts";
import { attempt, say } from "../says";
import { FORMS, type Body } from "./forms";
import type { BulkAct, Foreseen, Kind, Preview } from "./shapes";

const ASK_AGAIN_MS = 1000;
const ASKED_AT_MOST = 60;
const DOING: Record<Kind, string> = { assign: "assigned", grade: "confirmed and graded", refer: "referred", message: "written about" };

export class Acts {
  /** The last one that may still be undone. */
  private held: BulkAct | undefined;
  /** Called when something was done, so that the list is read again. */
  ondone: () => void = () => undefined;

  constructor(private readonly contractors: Record<string, string>) {}

  /** Ask what is to be done to these, show what would come of it, and ask for it. */
  open(kind: Kind, defects: string[]): void {
    if (document.querySelector("dialog[open]")) return;
    if (!defects.length) return say("Select a defect first: x selects the one that you are on.");
    const [form, many] = [FORMS[kind], count(defects.length, "defect")];
    const wrong = element("p", { class: "hub-error", role: "alert" });
    const see = element("button", { class: "hub-button hub-button--main" }, "See what will happen");
    const fields = element("form", { novalidate: false }, ...form.fields(this.contractors), wrong, see);
    const shown = element("div", { class: "hub-queue__preview" });
    const opened = dialog(form.title(many), fields, shown);
    opened.classList.add("hub-queue__dialog");
    fields.addEventListener("input", () => shown.replaceChildren());
    fields.addEventListener("submit", (event) => {
      event.preventDefault();
      void told(wrong, see, async () => {
        const body = { kind, defects, ...form.body(fields) };
        const seen = await act<Preview>("/bulk-act-previews", body);
        this.show(shown, opened, seen, form.verb, body);
      });
    });
    fields.querySelector<HTMLElement>("input, select, textarea")?.focus();
  }

  private show(place: HTMLElement, opened: HTMLDialogElement, seen: Preview, verb: string, body: Body): void {
    const lawful = seen.defects.filter(({ problem }) => !problem).map(({ reference }) => reference);
    const wrong = element("p", { class: "hub-error", role: "alert" });
    const go = element("button", { type: "button", class: "hub-button hub-button--main" }, `${verb} ${lawful.length}`);
    go.addEventListener("click", () => {
      void told(wrong, go, async () => {
        const asked = await act<BulkAct>("/bulk-acts", { ...body, defects: lawful });
        opened.close();
        this.hold(asked);
      });
    });
    place.replaceChildren(
      element("h3", {}, "What will happen"),
      element("p", { role: "status" }, summary(seen, DOING[body["kind"] as Kind])),
      seen.words && element("blockquote", { class: "hub-notice" }, seen.words) || "",
      element("div", { class: "hub-scroll" }, foreseen(seen.defects, this.contractors)),
      wrong,
      lawful.length ? element("p", { class: "hub-row" }, go, element("span", { class: "hub-soft" }, "It waits 20 seconds, and can be undone until then.")) : "",
    );
    if (lawful.length) go.focus();
  }

  private hold(asked: BulkAct): void {
    this.held = asked;
    const many = count(asked.defects.length, "defect");
    const waits = Math.max(new Date(asked.due_at).getTime() - Date.now(), 0);
    say(`${many} will be ${DOING[asked.kind]} in ${Math.round(waits / 1000)} seconds.`, { name: "Undo", run: () => this.undo(asked) }, waits);
    window.setTimeout(() => void this.follow(asked, ASKED_AT_MOST), waits + 300);
  }

  /** Undo the last one that waits. */
  undoLast(): void {
    const last = this.held;
    if (last) void attempt(() => this.undo(last));
    else say("Nothing waits to be done.");
  }

  private async undo(asked: BulkAct): Promise<void> {
    await act(`/bulk-acts/${asked.id}/undo`);
    if (this.held?.id === asked.id) this.held = undefined;
    for (const one of document.querySelectorAll("[data-says] .hub-said--status")) one.remove();
    const many = asked.defects.length;
    say(`Undone. ${count(many, "defect")} stayed as ${many === 1 ? "it was" : "they were"}.`);
  }

  /** Wait until it is done, and say what became of it. */
  private async follow(asked: BulkAct, tries: number): Promise<void> {
    if (this.held?.id === asked.id) this.held = undefined;
    const now = await get<BulkAct>(`/bulk-acts/${asked.id}`).catch(() => undefined);
    if (now?.stands === "undone") return;
    if (now?.stands === "done") {
      say(outcome(now), now.refused ? { name: "Show", run: () => results(now) } : undefined, 12_000);
      this.ondone();
    } else if (tries > 0) {
      window.setTimeout(() => void this.follow(asked, tries - 1), ASK_AGAIN_MS);
    } else {
      say("It is not done yet: the workers are behind. My last acts shows when it is.");
    }
  }

  /** My last acts, with an undo for what waits, and what became of each. */
  async last(): Promise<void> {
    const { acts } = await get<{ acts: BulkAct[] }>("/bulk-acts");
    const rows = acts.map((one) => this.lastRow(one));
    const table = element(
      "table",
      { class: "hub-table" },
      element("thead", {}, headings("When", "What", "How it stands", "")),
      element("tbody", {}, ...rows),
    );
    const opened = dialog("My last acts", acts.length ? table : element("p", {}, "You have done nothing to many at once yet."));
    opened.classList.add("hub-queue__dialog");
  }

  private lastRow(one: BulkAct): HTMLElement {
    const button = (words: string, run: () => Promise<void> | void) => {
      const made = element("button", { type: "button", class: "hub-button" }, words);
      made.addEventListener("click", () => {
        made.closest("dialog")?.close();
        void attempt(async () => run());
      });
      return made;
    };
    return element(
      "tr",
      {},
      element("td", {}, moment(one.asked_at)),
      element("td", {}, `${count(one.defects.length, "defect")} ${DOING[one.kind]}`),
      element("td", {}, one.stands === "done" ? outcome(one) : one.stands),
      element("td", {}, one.stands === "held" && button("Undo", () => this.undo(one)), one.results.length > 0 && button("Show each", () => results(one))),
    );
  }
}

/** Do it; what goes wrong is said in the dialog itself, whose backdrop would hide anything else. */
async function told(place: HTMLElement, button: HTMLButtonElement, work: () => Promise<void>): Promise<void> {
  place.textContent = "";
  button.disabled = true;
  try {
    await work();
  } catch (problem) {
    const fields = problem instanceof Problem ? Object.entries(problem.fields).map(([name, words]) => `${spelt(name)} ${words}`) : [];
    place.textContent = [problem instanceof Error ? problem.message : String(problem), ...fields].join(" ");
  } finally {
    button.disabled = false;
  }
}

export function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? "" : "s"}`;
}

function summary(seen: Preview, doing: string): string {
  if (!seen.lawful) return `None of ${seen.refused} will be ${doing}: the reason stands beside each.`;
  const refused = seen.refused ? ` ${seen.refused} will not: the reason stands beside each.` : "";
  const people = seen.people ? ` ${seen.people === 1 ? "One person is" : `${seen.people} people are`} told.` : " Nobody is told.";
  return `${count(seen.lawful, "defect")} will be ${doing}.${refused}${people}`;
}

function outcome(one: BulkAct): string {
  const first = one.results.find(({ problem }) => problem);
  const refused = first ? ` Refused: ${one.refused}. ${first.detail ?? ""}` : "";
  return `Done: ${one.done} ${DOING[one.kind]}.${refused}`;
}

function headings(...names: string[]): HTMLElement {
  return element("tr", {}, ...names.map((name) => (name ? element("th", { scope: "col" }, name) : element("td", {}))));
}

function foreseen(all: Foreseen[], contractors: Record<string, string>): HTMLElement {
  return element(
    "table",
    { class: "hub-table" },
    element("caption", { class: "hub-hidden" }, "What will become of each"),
    element("thead", {}, headings("Defect", "Becomes", "Band", "Whose", "Until", "Told")),
    element("tbody", {}, ...all.map((one) => (one.problem ? refusedRow(one) : lawfulRow(one, contractors)))),
  );
}

function refusedRow(one: Foreseen): HTMLElement {
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, one.reference),
    element("td", { colspan: "5" }, element("span", { class: "hub-tag hub-tag--bad" }, "Not done"), ` ${one.detail ?? ""}`),
  );
}

function lawfulRow(one: Foreseen, contractors: Record<string, string>): HTMLElement {
  const changes = one.was !== one.state ? `${spelt(one.was ?? "")} → ${spelt(one.state ?? "")}` : `stays ${spelt(one.state ?? "")}`;
  const until = [
    one.make_safe_due_at && `safe by ${moment(one.make_safe_due_at)}`,
    one.permanent_due_at && `mended by ${moment(one.permanent_due_at)}`,
    one.inspect_due_at && `looked at by ${moment(one.inspect_due_at)}`,
  ].filter(Boolean);
  return element(
    "tr",
    { title: one.why.join(" ") },
    element("th", { scope: "row" }, one.reference),
    element("td", {}, changes),
    element("td", {}, one.band_was !== one.band && band(one.band_was), one.band_was !== one.band && " → ", band(one.band)),
    element("td", {}, one.contractor ? (contractors[one.contractor] ?? one.contractor) : "as it is"),
    element("td", {}, until.join(", ") || "no clock"),
    element("td", { class: "hub-figure" }, String(one.people)),
  );
}

function results(one: BulkAct): void {
  const rows = one.results.map((each) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, element("a", { href: `/hub/defects/${each.reference}` }, each.reference)),
      element("td", {}, each.problem ? element("span", { class: "hub-tag hub-tag--bad" }, "Refused") : element("span", { class: "hub-tag hub-tag--good" }, "Done")),
      element("td", {}, each.detail ?? [each.state && spelt(each.state), each.band, each.works_order].filter(Boolean).join(", ")),
    ),
  );
  const table = element("table", { class: "hub-table" }, element("thead", {}, headings("Defect", "Done", "What")), element("tbody", {}, ...rows));
  dialog("What became of each", element("p", {}, outcome(one)), table).classList.add("hub-queue__dialog");
}
