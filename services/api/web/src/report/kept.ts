// What this browser keeps: the answers of the report that is being written, and finished reports that wait for signal.
// Nothing of it leaves the browser but by `send` in outbox.ts.
// Answers are kept while their page is being left, so they must be there at once: a transaction of the database, which
// the service worker and the pages share for what waits, would be given up with the page.

/** As POST /api/v1/reports takes it. */
export interface Written {
  category: string;
  location: { lat: number; lon: number; accuracy_m: number };
  address?: string;
  description: string;
  danger: boolean;
  observed_at?: string;
  contact?: { email: string };
}

export interface Waiting {
  /** Also the Idempotency-Key: however often it is sent, it is one report. */
  key: string;
  /** Null once it is sent. */
  body: Written | null;
  photos: File[];
  at: number;
  /** Once it is sent. The secret stays until the photos are there too. */
  reference?: string;
  link?: string;
  secret?: string;
  /** What the service said when it would not have it. */
  refused?: string;
}

const NAME = "roadmend-reports";
const ANSWERS = "roadmend-answers";
const OUTBOX = "outbox";

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(OUTBOX, { keyPath: "key" });
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

async function run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await opened();
  try {
    const transaction = database.transaction(OUTBOX, mode);
    const asked = work(transaction.objectStore(OUTBOX));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
    return asked.result;
  } finally {
    database.close();
  }
}

export type Answers = Record<string, string>;

export function answers(): Answers {
  return JSON.parse(localStorage.getItem(ANSWERS) ?? "{}") as Answers;
}

export function keepAnswers(more: Answers): void {
  localStorage.setItem(ANSWERS, JSON.stringify({ ...answers(), ...more }));
}

export function forgetAnswers(): void {
  localStorage.removeItem(ANSWERS);
}

export async function outbox(): Promise<Waiting[]> {
  const all = (await run("readonly", (store) => store.getAll())) as Waiting[];
  return all.sort((one, other) => one.at - other.at);
}

/** With `insteadOf` it takes the place of the one under that key: where it cannot be kept, that one stays. */
export async function keep(waiting: Waiting, insteadOf?: string): Promise<void> {
  await run("readwrite", (store) => {
    if (insteadOf) store.delete(insteadOf);
    return store.put(waiting);
  });
}

export async function drop(key: string): Promise<void> {
  await run("readwrite", (store) => store.delete(key));
}
