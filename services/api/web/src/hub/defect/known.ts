// What the API tells staff of a defect, as far as these pages read it.
import { get } from "../api";

export interface Neighbour {
  reference: string;
  class_code: string;
  state: string;
  band: string | null;
  lat: number;
  lon: number;
  accuracy_m: number;
  street: string | null;
  street_side: string | null;
  distance_m: number;
  known_at: string;
  reports: number;
  detections: number;
  works_order: string | null;
  told_apart: boolean;
  photos: string[];
  /** The newest event of it that this answer knew. */
  seen?: number | undefined;
}

interface Told {
  reference: string;
  class_code: string;
  place: { lat: number; lon: number };
  street: string | null;
  reports: number;
  staff: {
    state: string;
    band: string | null;
    accuracy_m: number;
    street_side: string | null;
    known_at: string;
    detections: number;
    seen: number;
    orders: { reference: string; ended_at: string | null }[];
    photos: { reference: string }[];
  };
}

export interface Acts {
  acts: { name: string; lawful: boolean; why_not: string | null }[];
}

/** A defect by its reference, as its neighbours are told. */
export async function defectOf(reference: string): Promise<Neighbour> {
  const told = await get<Told>(`/defects/${encodeURIComponent(reference)}`);
  const { staff, place } = told;
  return {
    ...place,
    reference: told.reference,
    class_code: told.class_code,
    street: told.street,
    reports: told.reports,
    state: staff.state,
    band: staff.band,
    accuracy_m: staff.accuracy_m,
    street_side: staff.street_side,
    known_at: staff.known_at,
    detections: staff.detections,
    distance_m: 0,
    works_order: staff.orders.find((one) => one.ended_at === null)?.reference ?? null,
    told_apart: false,
    seen: staff.seen,
    photos: staff.photos.slice(-4).map((one) => one.reference),
  };
}

export async function neighboursOf(reference: string): Promise<Neighbour[]> {
  return (await get<{ defects: Neighbour[] }>(`/defects/${reference}/neighbours`)).defects;
}

/** "1 report", "3 reports". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** "12 m", "3.4 m". */
export function metres(distance: number): string {
  return `${distance < 10 ? distance.toFixed(1) : distance.toFixed(0)} m`;
}
