// The desk: one question at a time. An answer shows the next question at once; a refusal brings the question back with
// its reason.
import { act, get, Problem } from "../api";
import { command } from "../keys";
import { live, type Line } from "../live";
import { element } from "../parts";
import { present } from "../presence";
import type { Answer, Question, QuestionPage } from "./kinds";
import { PairMap } from "./map";
import { Queue } from "./queue";
import { candidates, compared, report } from "./show";

const A_PAGE = 20;
/** How long happenings are gathered before the list is read again. */
const GATHER_MS = 400;
/** A key meant for the question that was there a moment ago does not answer the one that came back. */
const HOLD_MS = 800;
/** Who only leafs through is not told to the others. */
const LOOKS_MS = 1000;
/** These end a question, or may have begun one. */
const STEPS = /^Report(?!Received)|^Defect(Merged|Unmerged|Split)$/;
const SETTLED = new Set([404, 409]);

interface Done {
  question: Question;
  words: string;
  sent: Promise<boolean>;
}

export class Desk {
  private readonly queue: Queue;
  private readonly done: Done[] = [];
  private readonly note: HTMLInputElement;
  /** What was typed for each question, until its answer has arrived. */
  private readonly notes = new Map<number, string>();
  private map: PairMap | undefined;
  private chosen = 0;
  private shown: Question | undefined;
  private heldUntil = 0;
  private gathering = 0;
  private looking = 0;
  private leave: () => void = () => undefined;

  constructor(private readonly place: HTMLElement) {
    const asked = JSON.parse(place.dataset["unsure"]!) as QuestionPage;
    place.removeAttribute("data-unsure");
    this.queue = new Queue(asked);
    this.note = this.find<HTMLInputElement>("[data-note]");
    this.keys();
    this.draw();
    void PairMap.in(this.find("[data-map]")).then((map) => {
      this.map = map;
      if (this.shown) map?.show(this.shown, this.chosen);
      place.dataset["ready"] = map ? "map" : "words";
    });
    live.online((line) => this.heard(line));
    live.onreset(() => location.reload());
    live.keeps(() => this.notes.size > 0);
  }

  // --- shown ---------------------------------------------------------------------------------------------------------

  private draw(): void {
    const question = this.queue.current;
    if (question?.id !== this.shown?.id) {
      this.chosen = 0;
      this.turnNote(question);
      this.tellPresence(question);
    }
    this.shown = question;
    for (const part of ["[data-pair]", "[data-answers]"]) this.find(part).hidden = !question;
    this.find("[data-none]").hidden = Boolean(question);
    this.count();
    if (!question) {
      this.problem();
      return;
    }
    this.chosen = Math.min(this.chosen, question.candidates.length - 1);
    const gone = this.queue.whyGone(question);
    this.problem(gone && `${gone} It cannot be answered any more: n goes on to the next.`);
    for (const name of ["same", "different", "cannot_tell"]) this.button(name).disabled = gone !== undefined;
    this.find("[data-report]").replaceChildren(...report(question));
    this.drawCandidate(question);
    this.place.dataset["shown"] = question.reference;
    this.fetchAhead();
  }

  private drawCandidate(question: Question): void {
    const one = question.candidates[this.chosen]!;
    const several = question.candidates.length > 1;
    this.find("[data-candidate]").replaceChildren(...candidates(question, this.chosen, (index) => this.choose(index)));
    this.find("[data-compared]").replaceChildren(...compared(one));
    this.find("[data-same]").textContent = several ? `as ${this.chosen + 1}, ${one.reference}` : `as ${one.reference}`;
    this.find("[data-different]").textContent = several ? "from all" : "from it";
    this.map?.show(question, this.chosen);
  }

  private tellPresence(question: Question | undefined): void {
    this.leave();
    window.clearTimeout(this.looking);
    this.leave = () => undefined;
    if (!question) return;
    this.looking = window.setTimeout(() => {
      this.leave = present(question.reference, this.find("[data-others]"));
    }, LOOKS_MS);
  }

  /** A note goes with its question: away, and back with it. */
  private turnNote(question: Question | undefined): void {
    if (this.shown && this.note.value) this.notes.set(this.shown.id, this.note.value);
    else if (this.shown) this.notes.delete(this.shown.id);
    this.note.value = (question && this.notes.get(question.id)) ?? "";
  }

  private count(): void {
    const waiting = this.queue.waiting;
    this.find("[data-waiting]").textContent = waiting.toLocaleString("en-GB");
    this.find("[data-place]").hidden = !this.queue.current;
    this.find("[data-position]").textContent = String(this.queue.position);
    this.find("[data-waiting-words]").textContent = `${waiting === 1 ? "waits" : "wait"} for an answer`;
  }

  private problem(words?: string): void {
    const shown = words ? [element("p", { class: "hub-notice hub-notice--bad", role: "alert" }, words)] : [];
    this.find("[data-problem]").replaceChildren(...shown);
  }

  private say(words: string): void {
    this.find("[data-done]").textContent = words;
  }

  private fetchAhead(): void {
    const next = this.queue.coming;
    for (const shot of [...(next?.photos ?? []), ...(next?.candidates[0]?.photos ?? [])]) new Image().src = shot.url;
    const after = this.queue.wanted;
    if (after === null) return;
    void get<QuestionPage>(`/questions?limit=${A_PAGE}&after=${encodeURIComponent(after)}`).then(
      (page) => this.queue.more(page),
      // It is asked for again at the next question.
      () => undefined,
    );
  }

  // --- done ----------------------------------------------------------------------------------------------------------

  private choose(index: number): void {
    const question = this.queue.current;
    if (!question?.candidates[index]) return;
    const had = document.activeElement?.closest(".unsure-choices");
    this.chosen = index;
    this.drawCandidate(question);
    if (had) this.place.querySelectorAll<HTMLElement>(".unsure-choice")[index]?.focus();
  }

  private move(by: 1 | -1): void {
    if (!this.queue.move(by)) this.say(by > 0 ? "That is the last one." : "That is the first one.");
    this.draw();
  }

  private answer(said: Answer): void {
    const question = this.queue.current;
    if (!question || this.queue.whyGone(question) || performance.now() < this.heldUntil) return;
    const one = question.candidates[this.chosen]!;
    const words = inWords(said, one.reference, question.candidates.length > 1);
    const why = [`Compared in the hub: ${words}.`, this.note.value.trim()].filter(Boolean).join(" ");
    const body = { answer: said, why, question: question.id, ...(said === "same" ? { defect: one.reference } : {}) };
    this.queue.take();
    this.draw();
    this.say(`${question.reference}: ${words}.`);
    this.done.push({ question, words, sent: this.send(question, body) });
  }

  private async send(question: Question, body: object): Promise<boolean> {
    try {
      const { defect } = await act<{ defect: string | null }>(`/questions/${question.reference}/answer`, body);
      this.queue.arrived();
      this.notes.delete(question.id);
      this.count();
      if (defect === null) this.say(`${question.reference} waits on: for another question, or for a recall to be decided.`);
      return true;
    } catch (problem) {
      this.bringBack(question, problem);
      return false;
    }
  }

  private bringBack(question: Question, problem: unknown): void {
    const words = inShort(problem);
    // Nothing is put before somebody who writes a note.
    const isBehind = document.activeElement === this.note && this.note.value !== "";
    this.heldUntil = performance.now() + HOLD_MS;
    this.queue.refused(question, isSettled(problem) ? words : undefined, isBehind);
    this.say(`${question.reference} is back${isBehind ? ", after this one" : ""}: it was not answered.`);
    this.draw();
    if (isBehind || !isSettled(problem)) this.problem(`${question.reference} was not answered: ${words}`);
  }

  private async undo(): Promise<void> {
    const last = this.done.pop();
    if (!last) {
      this.say("There is no answer of yours to take back.");
      return;
    }
    const at = this.done.length;
    const { reference } = last.question;
    if (!(await last.sent)) return;
    try {
      await act(`/questions/${reference}/take-back`);
    } catch (problem) {
      // What may still be taken back stays the last one.
      if (!isSettled(problem)) this.done.splice(at, 0, last);
      return this.problem(`The answer about ${reference} stands. ${inShort(problem)}`);
    }
    this.say(`${reference}: the answer "${last.words}" was taken back.`);
    // Should it not come now, it comes with the list, which is read again after the feed's line.
    const page = await get<QuestionPage>(`/questions?limit=1&report=${reference}`).catch(() => undefined);
    if (page?.questions[0]) this.queue.again(page.questions[0], page.waiting);
    this.draw();
  }

  // --- heard ---------------------------------------------------------------------------------------------------------

  private heard(line: Line): void {
    if (!STEPS.test(line.kind) || this.gathering) return;
    this.gathering = window.setTimeout(() => {
      this.gathering = 0;
      void this.renew();
    }, GATHER_MS);
  }

  private async renew(): Promise<void> {
    try {
      const looksDifferent = this.queue.renew(await get<QuestionPage>(`/questions?limit=${A_PAGE}`));
      if (looksDifferent) this.draw();
      else this.count();
    } catch {
      // The next line asks again; that nothing is heard is said in the bar.
    }
  }

  // --- keys ----------------------------------------------------------------------------------------------------------

  private keys(): void {
    const acts: [string, string, string, () => void][] = [
      ["same", "s", "The same as the chosen one", () => this.answer("same")],
      ["different", "d", "Different from all of them", () => this.answer("different")],
      ["cannot_tell", "c", "Nobody can tell from here", () => this.answer("cannot_tell")],
      ["next", "n", "Next question, without answering", () => this.move(1)],
      ["previous", "p", "Previous question", () => this.move(-1)],
      ["undo", "z", "Take the last answer back", () => void this.undo()],
    ];
    for (const [name, key, words, run] of acts) {
      this.button(name).addEventListener("click", run);
      command({ name: words, key, group: "This question", run });
    }
    command({ name: "Write a note with the answer", key: "w", group: "This question", run: () => this.note.focus() });
    for (let number = 1; number <= 9; number += 1) {
      const there = () => (this.queue.current?.candidates.length ?? 0) >= Math.max(2, number);
      command({ name: `Choose candidate ${number}`, key: String(number), group: "This question", when: there, run: () => this.choose(number - 1) });
    }
    this.note.addEventListener("keydown", (event) => {
      if (event.key === "Escape" || event.key === "Enter") this.note.blur();
    });
  }

  private button(name: string): HTMLButtonElement {
    return this.find<HTMLButtonElement>(`[data-do="${name}"]`);
  }

  private find<T extends HTMLElement>(selector: string): T {
    return this.place.querySelector<T>(selector)!;
  }
}

function isSettled(problem: unknown): boolean {
  return problem instanceof Problem && SETTLED.has(problem.status);
}

function inShort(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}

function inWords(said: Answer, reference: string, several: boolean): string {
  if (said === "same") return `the same as ${reference}`;
  if (said === "cannot_tell") return "cannot be told from here";
  return several ? "different from all candidates" : `different from ${reference}`;
}
