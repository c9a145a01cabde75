// Split: what saw the other one is picked on the map or in the list; what would follow is seen before it is done.
import { act } from "../api";
import { save } from "../conflict";
import { dialog } from "../palette";
import { element } from "../parts";
import { say } from "../says";
import { filled, WHY } from "./form";
import { MarksMap } from "./marks";
import { mergeBack } from "./merge";
import type { LivingPage } from "./page";
import { previewed, type Preview } from "./preview";
import { seen, sightingMark, type Seen } from "./sightings";

const PAUSE_MS = 300;

export function openSplit(page: LivingPage, frame: HTMLElement): void {
  new Splitting(page, frame).open();
}

class Splitting {
  private readonly able = seen().filter((one) => one.standing && (one.report || one.detection));
  private readonly host = element("div", { class: "app-map hub-choose__map", hidden: true });
  private readonly list = element("fieldset", { class: "hub-choose" }, element("legend", {}, "What saw another one?"));
  private readonly foreseen = element("div", { "aria-live": "polite" }, element("p", { class: "hub-soft" }, "Choose those that are of another defect. What would follow stands here then."));
  private readonly form: HTMLElement;
  private readonly reference: string;
  private map: MarksMap | undefined;
  private opened: HTMLDialogElement | undefined;
  private asked = 0;
  private waiting = 0;
  /** What was seen of it when the dialog was opened. */
  private known: number;

  constructor(
    private readonly page: LivingPage,
    private readonly frame: HTMLElement,
  ) {
    this.reference = frame.dataset["defect"]!;
    this.known = page.seen;
    this.form = filled([WHY], "Split", (given) => this.split(String(given["why"])), () => this.opened?.close());
    this.form.hidden = true;
  }

  open(): void {
    this.list.append(...this.able.map((one) => this.choice(one)));
    this.opened = dialog(`Split ${this.reference}`, element("div", { class: "hub-choose__both" }, this.host, this.list), this.foreseen, this.form);
    this.opened.classList.add("hub-dialog--wide");
    this.opened.addEventListener("close", () => {
      this.map?.remove();
      this.map = undefined;
    });
    this.list.querySelector("input")?.focus();
    void this.drawMap();
  }

  private async drawMap(): Promise<void> {
    this.map = await MarksMap.in(this.host, this.frame, "What saw it", (id) => this.toggle(id));
    this.map?.draw(this.able.map(sightingMark));
    this.map?.choose(this.chosen.map(({ id }) => id));
  }

  private choice(one: Seen): HTMLElement {
    const input = element("input", { type: "checkbox", value: one.id });
    input.addEventListener("change", () => this.changed());
    return element("label", { class: "hub-choose__one" }, input, element("span", {}, element("strong", {}, `${one.id}. ${one.name}`), ` ${one.words}`));
  }

  private get chosen(): Seen[] {
    const ticked = new Set([...this.list.querySelectorAll<HTMLInputElement>("input:checked")].map(({ value }) => value));
    return this.able.filter(({ id }) => ticked.has(id));
  }

  private toggle(id: string): void {
    const input = this.list.querySelector<HTMLInputElement>(`input[value="${CSS.escape(id)}"]`);
    if (!input) return;
    input.checked = !input.checked;
    this.changed();
  }

  private changed(): void {
    this.map?.choose(this.chosen.map(({ id }) => id));
    this.form.hidden = true;
    window.clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => void this.foresee(), PAUSE_MS);
  }

  private get parts(): { reports: string[]; detections: number[] } {
    const chosen = this.chosen;
    return {
      reports: [...new Set(chosen.flatMap(({ report }) => (report ? [report] : [])))],
      detections: chosen.flatMap(({ detection }) => (detection ? [detection] : [])),
    };
  }

  private async foresee(): Promise<void> {
    const turn = ++this.asked;
    if (this.chosen.length === 0) return this.foreseen.replaceChildren(element("p", { class: "hub-soft" }, "Nothing is chosen."));
    this.foreseen.replaceChildren(element("p", { class: "hub-soft" }, "Working out what would follow."));
    try {
      const told = await act<Preview>(`/defects/${this.reference}/split/preview`, this.parts);
      if (turn !== this.asked) return;
      this.foreseen.replaceChildren(previewed(told));
      this.form.hidden = false;
    } catch (problem) {
      if (turn === this.asked) this.foreseen.replaceChildren(element("p", { class: "hub-error", role: "alert" }, problem instanceof Error ? problem.message : String(problem)));
    }
  }

  private async split(why: string): Promise<boolean> {
    const saving = { mine: [`Split ${this.chosen.map(({ name }) => name).join(", ")} off`, why], again: () => this.again() };
    const done = await save<{ stands: string }>(`/defects/${this.reference}/split`, { ...this.parts, why, seen: this.known }, saving);
    if (!done) return false;
    const { stands } = done;
    say(`${stands} was split off.`, { name: "Undo", run: () => mergeBack(this.page, stands, this.reference) }, 20_000);
    await this.page.refresh();
    return true;
  }

  private async again(): Promise<void> {
    await this.page.refresh();
    this.known = this.page.seen;
    await this.foresee();
  }
}
