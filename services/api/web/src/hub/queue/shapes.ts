// What /api/v1 tells of the queue and of acts on many.

export interface NextClock {
  clock: string;
  to_do: string;
  due_at: string;
  by: string;
  basis: string | null;
}

export interface Row {
  reference: string;
  band: string | null;
  kind: string;
  state: string;
  street: string | null;
  area: string | null;
  next: NextClock | null;
  due_why: string[];
  contractor: { code: string; name: string } | null;
  works_order: string | null;
  order_state: string | null;
  reports: number;
  danger: boolean;
}

export interface Page {
  defects: Row[];
  total: number;
  next: string | null;
}

export interface Foreseen {
  reference: string;
  was: string | null;
  state: string | null;
  band_was: string | null;
  band: string | null;
  contractor: string | null;
  make_safe_due_at: string | null;
  permanent_due_at: string | null;
  inspect_due_at: string | null;
  why: string[];
  people: number;
  problem: string | null;
  detail: string | null;
}

export interface Preview {
  lawful: number;
  refused: number;
  people: number;
  words: string | null;
  defects: Foreseen[];
}

export type Kind = "assign" | "grade" | "refer" | "message";

export interface Result {
  reference: string;
  state: string | null;
  band: string | null;
  works_order: string | null;
  problem: string | null;
  detail: string | null;
}

export interface BulkAct {
  id: number;
  kind: Kind;
  stands: "held" | "being done" | "done" | "undone";
  defects: string[];
  done: number;
  refused: number;
  asked_at: string;
  due_at: string;
  results: Result[];
}

export interface View {
  id: number;
  name: string;
  query: string;
}
