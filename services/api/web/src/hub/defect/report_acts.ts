// Acts on a report: what each asks for, where it goes, how it is taken back; and how its reporter is reached, on demand.
import { act } from "../api";
import { save } from "../conflict";
import { command } from "../keys";
import { element } from "../parts";
import { attempt, say } from "../says";
import { ask, inWords, WHY, type Field, type Values } from "./form";
import type { LivingPage } from "./page";

const REASONS: [string, string][] = [
  ["spam", "Spam"],
  ["abuse", "Abuse"],
  ["not_highways", "Nothing of the roads"],
  ["test", "A test"],
  ["repeated", "Sent before"],
];
const FIELDS: Record<string, Field[]> = {
  link: [{ name: "defect", label: "Defect", kind: "text", hint: "Its reference, like D-7K3M-9QXF" }, WHY],
  new_defect: [WHY],
  ask: [{ name: "question", label: "Question", kind: "area", hint: "It is sent to the reporter as it stands. A reporter is asked once.", needed: "Say what is asked." }],
  refer: [{ name: "target", label: "To whom", kind: "text", hint: "Told to the reporter" }, { ...WHY, hint: "Told to the reporter." }],
  no_defect: [{ name: "evidence", label: "What shows it", kind: "text", hint: "Told to the reporter" }, { ...WHY, hint: "Told to the reporter." }],
  reject: [{ name: "reason", label: "What it is", kind: "choice", choices: REASONS }, { ...WHY, hint: "Told to the reporter, unless it is spam or abuse." }],
  restore: [WHY],
};
const KEYS: Record<string, string> = { link: "l", ask: "q" };

export class ReportActs {
  constructor(
    private readonly page: LivingPage,
    private readonly reference: string,
  ) {
    document.addEventListener("click", (event) => {
      const target = event.target as Element;
      const button = target.closest<HTMLElement>("[data-act]");
      if (button) this.open(button.dataset["act"]!);
      else if (target.closest("[data-contact]")) void attempt(() => this.reach());
    });
    document.querySelectorAll<HTMLElement>("[data-act], [data-act-not]").forEach((button) => this.command(button));
  }

  private command(button: HTMLElement): void {
    const name = (button.dataset["act"] ?? button.dataset["actNot"])!;
    const key = KEYS[name];
    const when = () => document.querySelector(`[data-act="${name}"]`) !== null;
    command({ name: button.firstChild!.textContent!.trim(), group: "This report", when, run: () => this.open(name), ...(key ? { key } : {}) });
  }

  private open(name: string): void {
    const title = document.querySelector(`[data-act="${name}"]`)?.firstChild?.textContent?.trim() ?? name;
    const fields = name === "unlink" ? [this.linked(), WHY] : FIELDS[name];
    if (!fields) return;
    let seen = this.page.seen;
    const again = async () => {
      await this.page.refresh();
      seen = this.page.seen;
    };
    ask(`${title}: ${this.reference}`, fields, title, async (given) => {
      if (!(await save(this.path(name), { ...this.body(name, given), seen }, { mine: [title, ...inWords(fields, given)], again }))) return false;
      await this.did(name, given);
      return true;
    });
  }

  private linked(): Field {
    const defects = [...document.querySelectorAll<HTMLElement>("[data-link][data-standing='yes']")].map(({ dataset }) => dataset["link"]!);
    return { name: "defect", label: "From which defect", kind: "choice", choices: defects.map((one) => [one, one]) };
  }

  private path(name: string): string {
    return `/reports/${this.reference}/${name === "restore" || name === "unlink" ? name : "decide"}`;
  }

  private body(name: string, given: Values): object {
    return name === "restore" || name === "unlink" ? given : { ...given, decision: name };
  }

  private async again(name: string, given: Values): Promise<void> {
    await act(this.path(name), this.body(name, given));
    await this.did(name, given);
  }

  private async did(name: string, given: Values): Promise<void> {
    const back = this.back(name, given);
    if (back) say(`Done: ${this.reference}.`, { name: "Undo", run: back }, 20_000);
    else say(`Done: ${this.reference}.`);
    await this.page.refresh();
  }

  /** What takes it back, where something does. */
  private back(name: string, { defect }: Values): (() => Promise<void>) | undefined {
    const why = "Taken back.";
    if (name === "unlink") return () => this.again("link", { defect: defect!, why });
    if (name === "link") return () => this.again("unlink", { defect: defect!, why });
    if (name === "reject") return () => this.again("restore", { why });
    return undefined;
  }

  private async reach(): Promise<void> {
    const told = await act<{ name: string | null; email: string | null; phone: string | null }>(`/reports/${this.reference}/contact`);
    const lines = [told.name, told.email, told.phone].filter((one): one is string => Boolean(one));
    const place = document.querySelector("[data-contact-place]")!;
    place.replaceChildren(element("span", { role: "status" }, lines.length ? lines.join(", ") : "Nothing is known any more."));
    await this.page.refresh();
  }
}
