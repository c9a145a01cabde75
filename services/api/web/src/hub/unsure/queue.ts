// The questions in the order in which they are due, and which of them is looked at. Knows nothing of the page.
import type { Question, QuestionPage } from "./kinds";

export class Queue {
  private list: Question[];
  private at = 0;
  private next: string | null;
  private told: number;
  /** Answered here: a list that was read before the answer arrived still has them. */
  private readonly mine = new Set<number>();
  private inFlight = 0;
  /** Settled by somebody else while it was looked at: why it is kept on the desk. */
  private readonly gone = new Map<number, string>();

  constructor(page: QuestionPage) {
    this.list = page.questions;
    this.next = page.next;
    this.told = page.waiting;
  }

  get current(): Question | undefined {
    return this.list[this.at];
  }

  /** 1 is the first. */
  get position(): number {
    return this.at + 1;
  }

  /** What comes after the current one. */
  get coming(): Question | undefined {
    return this.list[this.at + 1] ?? this.list[0];
  }

  /** How many wait in all, without those whose answers are on their way. */
  get waiting(): number {
    return Math.max(0, this.told - this.inFlight);
  }

  /** Where the next page begins, when the end of this one is near. */
  get wanted(): string | null {
    return this.at >= this.list.length - 5 ? this.next : null;
  }

  has(reference: string): boolean {
    return this.list.some((one) => one.reference === reference);
  }

  whyGone(question: Question): string | undefined {
    return this.gone.get(question.id);
  }

  /** The next or the previous one. What is settled already is left behind. False at either end. */
  move(by: 1 | -1): boolean {
    const here = this.current;
    if (here && this.gone.has(here.id)) {
      this.list.splice(this.at, 1);
      if (by < 0) this.at -= 1;
      this.at = Math.max(0, Math.min(this.at, this.list.length - 1));
      return true;
    }
    const to = this.at + by;
    if (to < 0 || to >= this.list.length) return false;
    this.at = to;
    return true;
  }

  /** Take the current one from the desk: its answer is on its way. */
  take(): Question | undefined {
    const [taken] = this.list.splice(this.at, 1);
    if (!taken) return undefined;
    this.mine.add(taken.id);
    this.inFlight += 1;
    if (this.at >= this.list.length) this.at = 0;
    return taken;
  }

  /** Its answer arrived. */
  arrived(): void {
    this.inFlight -= 1;
    this.told -= 1;
  }

  /**
   * Its answer was refused: it is on the desk again, or next where `isBehind`. `gone`: it cannot be answered any more,
   * and why.
   */
  refused(question: Question, gone?: string, isBehind = false): void {
    this.inFlight -= 1;
    this.mine.delete(question.id);
    this.put(question, isBehind);
    if (gone === undefined) return;
    this.gone.set(question.id, gone);
    this.told -= 1;
  }

  /** Asked again, since its answer was taken back. */
  again(question: Question, waiting: number): void {
    this.told = waiting + this.inFlight;
    this.put(question);
  }

  private put(question: Question, isBehind = false): void {
    this.list = this.list.filter((one) => one.reference !== question.reference);
    this.at = Math.max(0, Math.min(this.at, this.list.length));
    this.list.splice(this.at + Number(isBehind), 0, question);
  }

  /** A page that follows on those that are known. */
  more(page: QuestionPage): void {
    const known = new Set(this.list.map((one) => one.reference));
    this.list.push(...page.questions.filter((one) => !known.has(one.reference) && !this.mine.has(one.id)));
    this.next = page.next;
    this.told = page.waiting;
  }

  /** The first page, read again. True where the desk looks different now. */
  renew(page: QuestionPage): boolean {
    const before = this.current;
    const shown = JSON.stringify(before);
    const head = page.questions.filter((one) => !this.mine.has(one.id));
    const last = page.next === null ? undefined : page.questions.at(-1);
    const listed = new Set(page.questions.map((one) => one.reference));
    const behind = last ? this.list.filter((one) => after(one, last) && !listed.has(one.reference)) : [];
    this.told = page.waiting;
    if (behind.length === 0) this.next = page.next;
    this.list = [...head, ...behind];
    if (!before) {
      this.at = 0;
      return this.list.length > 0;
    }
    const now = this.list.findIndex((one) => one.id === before.id);
    if (now >= 0) {
      this.at = now;
      return JSON.stringify(this.current) !== shown;
    }
    const isNew = !this.gone.has(before.id);
    this.gone.set(before.id, this.gone.get(before.id) ?? "Somebody has settled this while you looked at it.");
    this.put(before);
    return isNew;
  }
}

function after(one: Question, other: Question): boolean {
  if (one.triage_due_at === other.triage_due_at) return one.reference > other.reference;
  return Date.parse(one.triage_due_at) > Date.parse(other.triage_due_at);
}
