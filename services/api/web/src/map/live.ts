// The live feed, as far as the map heeds it: where something happened to a defect. The browser resumes by itself where
// a stream was cut; after a pause, or when the record is another one, all is looked at anew.

/** Kinds of lines after which a pin is another, elsewhere, or no more. */
export const KINDS = [
  "DefectRecorded",
  "DefectSighted",
  "DefectStepped",
  "DefectMerged",
  "DefectUnmerged",
  "DefectMadeSafe",
  "DefectOrdered",
  "DefectRepairedTemporarily",
  "RepairClaimed",
  "RepairRejected",
  "RepairVerified",
  "DefectRecalled",
];
const AGAIN_MS = 10_000;

export interface Happened {
  lat: number;
  lon: number;
  reference: string;
}

export interface Heard {
  /** Something happened to a defect there. */
  at(happened: Happened): void;
  /** What happened is not known: all may be otherwise. */
  anything(): void;
}

/** Follow the feed while the page is looked at. */
export function follow(heard: Heard): void {
  let stream: EventSource | undefined;
  let missed = true;

  function open(): void {
    if (stream || document.hidden) return;
    stream = new EventSource("/api/v1/feed");
    stream.onopen = () => {
      // Lines since the stream before ended were not heard, nor those since the map's first tiles.
      if (missed) heard.anything();
      missed = false;
    };
    stream.onerror = () => {
      // Connecting again by itself, it resumes; when it has given up, we begin anew.
      if (stream?.readyState === EventSource.CLOSED) {
        close();
        window.setTimeout(open, AGAIN_MS);
      }
    };
    stream.addEventListener("Reset", () => heard.anything());
    for (const kind of KINDS) stream.addEventListener(kind, (event) => read((event as MessageEvent<string>).data));
  }

  function read(data: string): void {
    const line = JSON.parse(data) as Partial<Happened>;
    if (typeof line.lat === "number" && typeof line.lon === "number") {
      heard.at({ lat: line.lat, lon: line.lon, reference: line.reference ?? "" });
    }
  }

  function close(): void {
    stream?.close();
    stream = undefined;
    missed = true;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  open();
}
