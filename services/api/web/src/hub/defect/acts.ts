// Acts on a defect: what each asks for, where it goes, and how it is taken back.
import { act } from "../api";
import { save } from "../conflict";
import { command } from "../keys";
import { attempt, say } from "../says";
import { ask, inWords, WHY, type Field, type Values } from "./form";
import { openMerge, openUnmerge } from "./merge";
import type { LivingPage } from "./page";
import { seen } from "./sightings";
import { openSplit } from "./split";

const GRADES: [string, string][] = [["", "by the rules"], ["1", "1, least"], ["2", "2"], ["3", "3"], ["4", "4, worst"]];
const FACTS: [string, string][] = [
  ["danger", "Danger"],
  ["wheel_path", "In the wheel path"],
  ["cycle_lane", "Cycle lane"],
  ["crossing", "Crossing"],
  ["collapse", "Collapse"],
  ["obstruction", "Obstruction"],
  ["flooding", "Flooding"],
  ["risk", "Risk"],
  ["missing_cover", "Missing cover"],
];
const GRADE: Field[] = [
  { name: "depth_mm", label: "Depth, mm", kind: "number", group: "Measured" },
  { name: "width_mm", label: "Across, mm", kind: "number", group: "Measured" },
  { name: "likelihood", label: "Likelihood", kind: "choice", choices: GRADES, group: "Measured" },
  { name: "impact", label: "Impact", kind: "choice", choices: GRADES, group: "Measured" },
  ...FACTS.map(([name, label]): Field => ({ name, label, kind: "yesno", group: "What was seen beside" })),
  WHY,
];
const REASON: Field = { ...WHY, name: "reason" };
const CONTRACTOR: Field = { name: "contractor", label: "Contractor's code", kind: "text", hint: "Empty: who has the lot, or the next one." };

/** What an assessment asks beside why, by its decision. */
const ASSESSED: Record<string, { done: string; fields: Field[] }> = {
  confirm: { done: "Graded", fields: GRADE },
  monitor: { done: "It is watched", fields: [WHY] },
  no_defect: { done: "No defect", fields: [WHY] },
  third_party: { done: "Handed on", fields: [{ name: "owner", label: "Whose it is", kind: "text" }, WHY] },
  defer: {
    done: "Left to the scheme",
    fields: [
      { name: "scheme_on", label: "Mended by the scheme until", kind: "date" },
      { name: "risk_signed_by", label: "Who accepts the risk until then", kind: "text", hint: "Needed where it is not made safe." },
      WHY,
    ],
  },
  mended: { done: "Mended by others", fields: [WHY] },
  reopen: { done: "Looked at again", fields: [WHY] },
};

export class DefectActs {
  private readonly reference: string;

  constructor(
    private readonly page: LivingPage,
    private readonly frame: HTMLElement,
  ) {
    this.reference = frame.dataset["defect"]!;
    document.addEventListener("click", (event) => {
      const button = (event.target as Element).closest<HTMLElement>("[data-act]");
      if (button) void attempt(() => this.open(button.dataset["act"]!));
    });
    document.querySelectorAll<HTMLElement>("[data-act], [data-act-not]").forEach((button) => this.command(button));
  }

  /** Its key and its place in the palette: only while it is lawful. */
  private command(button: HTMLElement): void {
    const name = (button.dataset["act"] ?? button.dataset["actNot"])!;
    const words = [...button.childNodes].find((node) => node.nodeType === Node.TEXT_NODE)!.textContent!.trim();
    const key = { confirm: "c", order: "a", merge: "m", split: "x" }[name];
    const when = () => document.querySelector(`[data-act="${name}"]`) !== null;
    command({ name: words, group: "This defect", when, run: () => void attempt(() => this.open(name)), ...(key ? { key } : {}) });
  }

  private async open(name: string): Promise<void> {
    const title = document.querySelector(`[data-act="${name}"]`)?.firstChild?.textContent?.trim() ?? name;
    const assessed = ASSESSED[name];
    if (assessed) this.ask(title, assessed.fields, `/defects/${this.reference}/assess`, (given) => finding(name, given), `${assessed.done}: ${this.reference}.`);
    else if (name === "merge" || name === "take_in") await openMerge(this.page, this.frame, name === "merge");
    else if (name === "unmerge") await openUnmerge(this.page, this.reference, this.original());
    else if (name === "split") openSplit(this.page, this.frame);
    else if (name === "unlink") this.unlink(title);
    else this.ordered(name, title);
  }

  /** A form whose save rests on what the page showed when it was opened. */
  private ask(title: string, fields: Field[], path: string, body: (given: Values) => object, done: string): void {
    let seen = this.page.seen;
    const again = async () => {
      await this.page.refresh();
      seen = this.page.seen;
    };
    ask(`${title}: ${this.reference}`, fields, title, async (given) => {
      if (!(await save(path, { ...body(given), seen }, { mine: [title, ...inWords(fields, given)], again }))) return false;
      say(done);
      await this.page.refresh();
      return true;
    });
  }

  private original(): string {
    return document.querySelector<HTMLAnchorElement>("[data-part='head'] a[href^='/hub/defects/']")?.textContent ?? "";
  }

  private ordered(name: string, title: string): void {
    const [path, fields, done] = {
      order: ["", [CONTRACTOR, REASON], "The repair is ordered."],
      cancel_order: ["cancel", [REASON], "The works order is cancelled."],
      reissue_order: ["reissue", [CONTRACTOR, REASON], "The works order went to another."],
    }[name] as [string, Field[], string];
    let { known, order } = this.known();
    const again = async () => {
      await this.page.refresh();
      ({ known, order } = this.known());
    };
    ask(`${title}: ${this.reference}`, fields, title, async (given) => {
      const [address, seen] = path
        ? [`/works-orders/${order?.reference}/${path}`, { seen: order?.seen }]
        : ["/works-orders", { defects: [this.reference], seen: { [this.reference]: known } }];
      if (!(await save(address, { ...given, ...seen }, { mine: [title, ...inWords(fields, given)], again }))) return false;
      say(done);
      await this.page.refresh();
      return true;
    });
  }

  /** How the defect and its newest order are on the page now. */
  private known() {
    const data = document.querySelector<HTMLElement>("[data-order]")?.dataset;
    const order = data && { reference: data["order"]!, seen: Number(data["orderSeen"]) };
    return { known: this.page.seen, order };
  }

  private unlink(title: string): void {
    const reports = [...new Set(seen().flatMap((one) => (one.standing && one.report ? [one.report] : [])))];
    const which: Field = { name: "report", label: "Which report", kind: "choice", choices: reports.map((one) => [one, one]) };
    ask(`${title} from ${this.reference}`, [which, WHY], "Unlink", async ({ report, why }) => {
      await act(`/reports/${String(report)}/unlink`, { defect: this.reference, why });
      say(`${String(report)} is not of ${this.reference} any more.`, { name: "Undo", run: () => this.linkAgain(String(report)) }, 20_000);
      await this.page.refresh();
    });
  }

  private async linkAgain(report: string): Promise<void> {
    await act(`/reports/${report}/decide`, { decision: "link", defect: this.reference, why: "Taken back: it is of this one." });
    await this.page.refresh();
  }
}

/** A finding as the service takes it: what was seen beside the measures stands by itself. */
function finding(decision: string, given: Values): object {
  const body: Record<string, unknown> = { decision };
  const facts: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (FACTS.some(([fact]) => fact === name)) facts[name] = value;
    else body[name] = name === "likelihood" || name === "impact" ? Number(value) : value;
  }
  return { ...body, facts };
}
