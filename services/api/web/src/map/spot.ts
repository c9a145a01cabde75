// What a spot on the map is called, and whose it is: the answer of /api/v1/places/at.

export interface Spot {
  words: string;
  street: string | null;
  side: string | null;
  near: string | null;
  area: string | null;
  locality: string | null;
  ours: boolean;
  why: string | null;
  whose: string | null;
  contact: string | null;
}

/** Null where it cannot be asked: no signal, or too many questions. */
export async function spotAt(lat: number, lon: number, signal?: AbortSignal): Promise<Spot | null> {
  const asked = new URLSearchParams({ lat: lat.toFixed(6), lon: lon.toFixed(6) });
  try {
    const answer = await fetch(`/api/v1/places/at?${asked}`, signal ? { signal } : {});
    return answer.ok ? ((await answer.json()) as Spot) : null;
  } catch {
    return null;
  }
}

/** One or two sentences: where it is, and, where it is not ours, whose. */
export function sentence(spot: Spot): string {
  return spot.ours || !spot.why ? `${spot.words}.` : `${spot.words}. ${spot.why}`;
}
