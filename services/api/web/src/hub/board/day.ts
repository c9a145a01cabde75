// A past day, as the record tells it: what was open when it began, and every line of it. Lines are kept short: a busy
// day has some forty thousand.
import { get } from "../api";
import type { Line } from "../live";

interface Described {
  day: string;
  from: string;
  before: string;
  first: number | null;
  last: number | null;
}
type Row = [string, number, number, string, string, string | null, boolean, string | null];

export interface Standing {
  lat: number;
  lon: number;
  class: string;
  state: string;
  band: string | null;
  overdue: boolean;
}

const OPEN = new Set("candidate confirmed monitor third_party made_safe ordered repaired_temporary repair_claimed repair_rejected recalled deferred_to_scheme".split(" "));
const PAGE = 1000;
/** More lines than that a page does not hold: a day so busy is played up to there, and it is said. */
export const MOST_LINES = 100_000;

export class PastDay {
  readonly start: number;
  readonly end: number;
  private readonly founded: [number, string, Standing][] = [];
  private readonly began = new Map<string, Standing>();
  private readonly lines: Line[] = [];
  private reading: Promise<void> | undefined;
  private next: number | null;
  /** What is open at `at`. */
  open = new Map<string, Standing>();
  at: number;
  private applied = 0;
  private appeared = 0;

  static async load(day: string): Promise<PastDay> {
    const told = await get<Described>(`/board/days/${day}`);
    const made = new PastDay(told);
    for (let after: number | null = 0; after !== null; ) {
      const page: { defects: Row[]; next: number | null } = await get(`/board/days/${day}/defects?after=${after}`);
      page.defects.forEach((row) => made.take(row));
      after = page.next;
    }
    made.founded.sort(([one], [other]) => one - other);
    made.rewind();
    return made;
  }

  private constructor(private readonly told: Described) {
    this.start = this.at = Date.parse(told.from);
    this.end = Date.parse(told.before);
    this.next = told.first === null ? null : told.first - 1;
  }

  /** Whether a day has nothing to be played. */
  get isEmpty(): boolean {
    return this.told.first === null;
  }

  /** How many lines are known so far. */
  get known(): number {
    return this.lines.length;
  }

  /** Go to a moment; what happened between is handed over, the newest `most` lines of it. From before, it begins anew. */
  async go(to: number, most: number): Promise<{ lines: Line[]; anew: boolean }> {
    const anew = to < this.at;
    if (anew) this.rewind();
    await this.know(to);
    const from = this.applied;
    for (let line = this.lines[this.applied]; line && Date.parse(line.at) <= to; line = this.lines[++this.applied]) {
      this.appear(Date.parse(line.at));
      this.apply(line);
    }
    this.appear(to);
    this.at = to;
    return { lines: this.lines.slice(Math.max(from, this.applied - most), this.applied), anew };
  }

  private take([reference, lat, lon, kind, state, band, overdue, appeared]: Row): void {
    const standing = { lat, lon, class: kind, state, band, overdue };
    if (appeared) this.founded.push([Date.parse(appeared), reference, standing]);
    else this.began.set(reference, standing);
  }

  /** What machines have founded by then: in its turn among the lines, which may tell of it further. */
  private appear(by: number): void {
    for (let one = this.founded[this.appeared]; one && one[0] <= by; one = this.founded[++this.appeared]) {
      this.open.set(one[1], { ...one[2] });
    }
  }

  private rewind(): void {
    this.open = new Map([...this.began].map(([reference, standing]) => [reference, { ...standing }]));
    this.applied = this.appeared = 0;
    this.at = this.start;
  }

  /** Read on until the lines of that moment are known. */
  private async know(to: number): Promise<void> {
    while (this.next !== null && this.lines.length < MOST_LINES && this.knownTo() <= to) {
      this.reading ??= this.page().finally(() => (this.reading = undefined));
      await this.reading;
    }
  }

  private knownTo(): number {
    const last = this.lines[this.lines.length - 1];
    return last ? Date.parse(last.at) : this.start;
  }

  private async page(): Promise<void> {
    const { lines, next } = await get<{ lines: Line[]; next: number | null }>(`/feed/lines?after=${this.next}&limit=${PAGE}`);
    const last = this.told.last!;
    for (const { hash, hash_before, occurred_at, ...line } of lines) {
      if (line.number <= last) this.lines.push(line as Line);
    }
    this.next = next !== null && next < last ? next : null;
  }

  private apply(line: Line): void {
    if (line.subject !== "defect" || !line.reference) return;
    if (line.after && !OPEN.has(line.after)) {
      this.open.delete(line.reference);
      return;
    }
    const known = this.open.get(line.reference);
    const { lat, lon } = known ?? line;
    if (lat === undefined || lon === undefined || (!known && !line.after)) return;
    const standing = known ?? { lat, lon, class: line.class_code ?? "", state: "", band: null, overdue: false };
    if (line.after) standing.state = line.after;
    stepped(standing, line);
    this.open.set(line.reference, standing);
  }
}

function stepped(standing: Standing, line: Line): void {
  const facts = line.facts ?? {};
  if (line.kind === "DefectGraded") {
    standing.band = String(facts["band"] ?? "") || null;
    const due = facts["permanent_due"];
    standing.overdue = typeof due === "string" && Date.parse(due) < Date.parse(line.at);
  }
  if (line.kind === "DeadlineMissed" && ["make_safe", "permanent"].includes(String(facts["clock"]))) standing.overdue = true;
  if (line.kind === "RepairClaimed") standing.overdue = false;
}
