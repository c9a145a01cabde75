// What /api/v1/questions tells.

export interface Shot {
  url: string;
  role: string;
  width_px: number;
  height_px: number;
  taken_at: string | null;
}

export interface Fact {
  what: string;
  words: string;
  tells: "for" | "against" | "neither";
}

export interface Candidate {
  reference: string;
  class_code: string;
  state: string;
  band: string | null;
  danger: boolean;
  lat: number;
  lon: number;
  accuracy_m: number;
  street: string | null;
  street_side: string | null;
  reports: number;
  detections: number;
  opened_at: string;
  last_seen_at: string;
  repaired_at: string | null;
  distance_m: number;
  why: string;
  facts: Fact[];
  photos: Shot[];
  words: { reference: string; description: string; received_at: string }[];
}

export interface Question {
  id: number;
  reference: string;
  class_code: string;
  channel: string;
  lat: number;
  lon: number;
  accuracy_m: number;
  street: string | null;
  street_side: string | null;
  address: string | null;
  description: string;
  danger: boolean;
  observed_at: string;
  received_at: string;
  triage_due_at: string;
  photos: Shot[];
  candidates: Candidate[];
}

export interface QuestionPage {
  questions: Question[];
  next: string | null;
  waiting: number;
}

export type Answer = "same" | "different" | "cannot_tell";
