// Merge: another open defect is picked on the map, in the list beside it, or by its reference; both are seen side by
// side, and what would follow, before it is done.
import { act } from "../api";
import { save } from "../conflict";
import { dialog } from "../palette";
import { band, element, moment, spelt, state } from "../parts";
import { attempt, say } from "../says";
import { filled, WHY } from "./form";
import { counted, defectOf, metres, neighboursOf, type Neighbour } from "./known";
import { MarksMap, metresBetween, type Mark } from "./marks";
import type { LivingPage } from "./page";
import { previewed, type Preview } from "./preview";

export async function openMerge(page: LivingPage, frame: HTMLElement, mayGo: boolean): Promise<void> {
  const reference = frame.dataset["defect"]!;
  const [mine, near] = await Promise.all([defectOf(reference), neighboursOf(reference)]);
  new Merging(page, frame, mine, near, mayGo).open();
}

class Merging {
  private readonly list = element("div", { role: "radiogroup", "aria-label": "Open defects nearby", class: "hub-choose" });
  private readonly host = element("div", { class: "app-map hub-choose__map", hidden: true });
  private readonly beside = element("div", { class: "hub-beside", "aria-live": "polite" });
  private readonly seen = element("div", { "aria-live": "polite" });
  private readonly form: HTMLElement;
  private readonly ways: HTMLSelectElement;
  private map: MarksMap | undefined;
  private other: Neighbour | undefined;
  private opened: HTMLDialogElement | undefined;
  private asked = 0;

  constructor(
    private readonly page: LivingPage,
    private readonly frame: HTMLElement,
    private readonly mine: Neighbour,
    private readonly near: Neighbour[],
    mayGo: boolean,
  ) {
    this.ways = element("select", { class: "hub-select", id: "merge-way" });
    this.ways.addEventListener("change", () => void this.foresee());
    this.form = filled([WHY], "Merge", (given) => this.merge(String(given["why"])), () => this.opened?.close());
    this.form.hidden = true;
    this.ways.dataset["mayGo"] = mayGo ? "yes" : "no";
  }

  open(): void {
    this.list.append(...this.near.map((one, at) => this.choice(one, at)));
    if (this.near.length === 0) this.list.append(element("p", { class: "hub-soft" }, "No open defect within 150 m."));
    this.opened = dialog(
      `Merge ${this.mine.reference} with another`,
      element("div", { class: "hub-choose__both" }, this.host, element("div", {}, this.list, this.byReference())),
      this.beside,
      this.seen,
      this.form,
    );
    this.opened.classList.add("hub-dialog--wide");
    this.opened.addEventListener("close", () => {
      this.map?.remove();
      this.map = undefined;
    });
    (this.list.querySelector<HTMLElement>("input") ?? this.opened.querySelector<HTMLElement>("#merge-reference"))?.focus();
    void this.drawMap();
  }

  private async drawMap(): Promise<void> {
    this.map = await MarksMap.in(this.host, this.frame, "Open defects nearby", (id) => this.pickById(id));
    this.map?.draw([this.mark(this.mine, "·", "this"), ...this.near.map((one, at) => this.mark(one, String(at + 1), "other"))]);
    this.map?.choose(this.other ? [this.other.reference] : []);
  }

  private mark(one: Neighbour, label: string, kind: Mark["kind"]): Mark {
    const words = kind === "this" ? `${one.reference}, this one` : `${label}. ${one.reference}, ${spelt(one.class_code)}, ${metres(one.distance_m)} away`;
    return { id: one.reference, lat: one.lat, lon: one.lon, accuracy: one.accuracy_m, label, words, kind };
  }

  private choice(one: Neighbour, at: number): HTMLElement {
    const input = element("input", { type: "radio", name: "merge-with", value: one.reference });
    input.addEventListener("change", () => this.pick(one));
    const place = [one.street, one.street_side ? `${one.street_side} side` : ""].filter(Boolean).join(", ");
    return element(
      "label",
      { class: "hub-choose__one" },
      input,
      element(
        "span",
        {},
        element("strong", {}, `${at + 1}. ${one.reference}`),
        ` ${metres(one.distance_m)} `,
        band(one.band),
        " ",
        state(one.state),
        element("br"),
        `${spelt(one.class_code)}${place ? `, ${place}` : ""}. ${counted(one.reports, "report")}, ${counted(one.detections, "detection")}.`,
        one.told_apart ? element("span", { class: "hub-tag hub-tag--wait" }, "Told apart before") : null,
      ),
    );
  }

  private byReference(): HTMLElement {
    const input = element("input", { class: "hub-input", id: "merge-reference", maxlength: "20", autocomplete: "off", placeholder: "D-7K3M-9QXF" });
    const form = element("form", { class: "hub-row" }, element("label", { for: "merge-reference" }, "Or by its reference"), input, element("button", { class: "hub-button" }, "Look"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void attempt(async () => {
        const one = await defectOf(input.value.trim());
        this.pick({ ...one, distance_m: metresBetween(this.mine, one) });
      });
    });
    return form;
  }

  private pickById(id: string): void {
    const one = this.near.find(({ reference }) => reference === id);
    if (!one) return;
    const input = this.list.querySelector<HTMLInputElement>(`input[value="${CSS.escape(id)}"]`);
    if (input) input.checked = true;
    this.pick(one);
  }

  private pick(one: Neighbour): void {
    this.other = one;
    void attempt(async () => {
      const told = await defectOf(one.reference);
      if (this.other === one) one.seen = told.seen;
    });
    this.map?.choose([one.reference]);
    this.list.querySelectorAll<HTMLInputElement>("input").forEach((input) => (input.checked = input.value === one.reference));
    const into = [`${this.mine.reference} goes into ${one.reference}`, `${one.reference} goes into ${this.mine.reference}`];
    const orders = this.ways.dataset["mayGo"] === "yes" ? [0, 1] : [1, 0];
    this.ways.replaceChildren(...orders.map((way) => element("option", { value: way ? "take" : "go" }, into[way]!)));
    this.beside.replaceChildren(
      element("p", { class: "hub-row" }, element("label", { for: "merge-way" }, "Which one stays?"), this.ways, element("span", {}, `They lie ${metres(one.distance_m)} apart${this.sameStreet(one)}.`)),
      element("div", { class: "hub-beside__pair" }, this.card(this.mine, "This one"), this.card(one, "The other")),
    );
    void this.foresee();
  }

  private sameStreet(one: Neighbour): string {
    if (one.street !== this.mine.street) return ", on different streets";
    if (one.street_side && this.mine.street_side && one.street_side !== this.mine.street_side) return ", on different sides of the street";
    return one.street ? ", on one street" : "";
  }

  private card(one: Neighbour, name: string): HTMLElement {
    return element(
      "section",
      { class: "hub-card" },
      element("h3", {}, `${name}: ${one.reference}`),
      element("p", {}, band(one.band), " ", state(one.state), ` ${spelt(one.class_code)}`),
      element("p", {}, `${one.street ?? "Off every street"}${one.street_side ? `, ${one.street_side} side` : ""}, right within ${metres(one.accuracy_m)}. Known since ${moment(one.known_at)}. ${counted(one.reports, "report")}, ${counted(one.detections, "detection")}${one.works_order ? `, ${one.works_order} covers it` : ""}.`),
      one.photos.length
        ? element("div", { class: "hub-beside__photos" }, ...one.photos.map((photo, at) => element("img", { src: `/api/v1/photos/${photo}`, alt: `Photo ${at + 1} of ${one.reference}`, loading: "lazy" })))
        : element("p", { class: "hub-soft" }, "No photo."),
    );
  }

  private get pair(): [gone: string, stays: string] {
    const [mine, other] = [this.mine.reference, this.other!.reference];
    return this.ways.value === "take" ? [other, mine] : [mine, other];
  }

  private async foresee(): Promise<void> {
    const turn = ++this.asked;
    this.form.hidden = true;
    this.seen.replaceChildren(element("p", { class: "hub-soft" }, "Working out what would follow."));
    const [gone, stays] = this.pair;
    try {
      const seen = await act<Preview>(`/defects/${gone}/merge/preview`, { into: stays });
      if (turn !== this.asked) return;
      this.seen.replaceChildren(previewed(seen));
      this.form.hidden = false;
    } catch (problem) {
      if (turn === this.asked) this.seen.replaceChildren(element("p", { class: "hub-error", role: "alert" }, problem instanceof Error ? problem.message : String(problem)));
    }
  }

  private async merge(why: string): Promise<boolean> {
    const [gone, stays] = this.pair;
    const [seen, into] = this.ways.value === "take" ? [this.other?.seen, this.mine.seen] : [this.mine.seen, this.other?.seen];
    const body = { into: stays, why, ...(seen ? { seen } : {}), ...(into ? { seen_into: into } : {}) };
    const done = await save(`/defects/${gone}/merge`, body, { mine: [`${gone} goes into ${stays}`, why], again: () => this.again() });
    if (!done) return false;
    say(`${gone} is the same as ${stays} now.`, { name: "Undo", run: () => unmerge(this.page, gone) }, 20_000);
    await this.page.refresh();
    return true;
  }

  /** Somebody has changed one of them: both as they are now, and what would follow now. */
  private async again(): Promise<void> {
    const [mine, other] = await Promise.all([defectOf(this.mine.reference), defectOf(this.other!.reference)]);
    Object.assign(this.mine, mine);
    await this.page.refresh();
    this.pick({ ...other, distance_m: metresBetween(mine, other) });
  }
}

async function unmerge(page: LivingPage, reference: string): Promise<void> {
  await act(`/defects/${reference}/unmerge`, { why: "The merge is taken back." });
  say(`${reference} stands by itself again.`);
  await page.refresh();
}

/** Undo the merge of this defect, with what would follow seen first. */
export async function openUnmerge(page: LivingPage, reference: string, into: string): Promise<void> {
  const foreseen = await act<Preview>(`/defects/${reference}/unmerge/preview`);
  let seen = page.seen;
  const again = async () => {
    await page.refresh();
    seen = page.seen;
  };
  const form = filled([WHY], "Undo the merge", async (given) => {
    const why = String(given["why"]);
    if (!(await save(`/defects/${reference}/unmerge`, { why, seen }, { mine: ["Undo the merge", why], again }))) return false;
    say(`${reference} stands by itself again.`, { name: "Merge again", run: () => mergeBack(page, reference, into) }, 20_000);
    await page.refresh();
    return true;
  }, () => opened.close());
  const opened = dialog(`Undo the merge of ${reference}`, previewed(foreseen), form);
  opened.classList.add("hub-dialog--wide");
  form.querySelector("textarea")?.focus();
}

/** One into the other, as it was. */
export async function mergeBack(page: LivingPage, reference: string, into: string): Promise<void> {
  await act(`/defects/${reference}/merge`, { into, why: "Taken back: they are one." });
  say(`${reference} is part of ${into} again.`);
  await page.refresh();
}
