// What this browser keeps: the answers of the report that is being written, and finished reports that wait for signal.
// The service worker and the pages share it. Nothing of it leaves the browser but by `send` in outbox.ts.

export interface Waiting {
  /** Also the Idempotency-Key: however often it is sent, it is one report. */
  key: string;
  body: Record<string, unknown>;
  photos: Blob[];
  at: number;
  /** Once it is sent. The secret stays until the photos are there too. */
  reference?: string;
  link?: string;
  secret?: string;
  /** What the service said when it would not have it. */
  refused?: string;
}

const NAME = "roadmend-reports";
const ANSWERS = "answers";
const OUTBOX = "outbox";

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(ANSWERS);
      opening.result.createObjectStore(OUTBOX, { keyPath: "key" });
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

async function run<T>(
  store: string,
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const database = await opened();
  try {
    const transaction = database.transaction(store, mode);
    const asked = work(transaction.objectStore(store));
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

export async function answers(): Promise<Answers> {
  return ((await run(ANSWERS, "readonly", (store) => store.get("now"))) as Answers | undefined) ?? {};
}

export async function keepAnswers(more: Answers): Promise<void> {
  const known = await answers();
  await run(ANSWERS, "readwrite", (store) => store.put({ ...known, ...more }, "now"));
}

export async function forgetAnswers(): Promise<void> {
  await run(ANSWERS, "readwrite", (store) => store.delete("now"));
}

export async function outbox(): Promise<Waiting[]> {
  const all = (await run(OUTBOX, "readonly", (store) => store.getAll())) as Waiting[];
  return all.sort((one, other) => one.at - other.at);
}

export async function keep(waiting: Waiting): Promise<void> {
  await run(OUTBOX, "readwrite", (store) => store.put(waiting));
}

export async function drop(key: string): Promise<void> {
  await run(OUTBOX, "readwrite", (store) => store.delete(key));
}
