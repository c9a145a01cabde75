// Tiles that are asked for again: those that did not come, and all of a source when anything may be otherwise.
import type { Map, MapSourceDataEvent } from "maplibre-gl";
import type { TileId } from "./tiles";

/** How long it is waited: twice as long each time that it fails again, as a service that is away may be for long. */
const AGAIN_MS = { first: 3000, most: 60_000 };

interface Failed {
  source: string;
  tile: TileId;
}

const failedOf = new WeakMap<Map, Failed[]>();

/** From now on a tile that did not come is asked for again: the network may be back later for it than for the feed. */
export function keepAsking(map: Map): void {
  const failed: Failed[] = [];
  let waiting = 0;
  let pause = AGAIN_MS.first;
  const again = () => {
    clearTimeout(waiting);
    waiting = 0;
    for (const name of new Set(failed.map((one) => one.source))) askFailed(map, name);
  };
  const back = () => {
    pause = AGAIN_MS.first;
    again();
  };
  failedOf.set(map, failed);
  map.on("error", (event) => {
    const { sourceId: source, tile } = event as unknown as Partial<MapSourceDataEvent>;
    if (!source || !tile) return console.error(event.error);
    failed.push({ source, tile: tile.tileID.canonical });
    waiting ||= window.setTimeout(() => {
      pause = Math.min(2 * pause, AGAIN_MS.most);
      again();
    }, pause);
  });
  map.on("idle", () => {
    if (!failed.length) pause = AGAIN_MS.first;
  });
  window.addEventListener("online", back);
  map.on("remove", () => {
    clearTimeout(waiting);
    window.removeEventListener("online", back);
  });
}

/** Ask anew for every tile of a source. */
export function askAll(map: Map, source: string): void {
  // A tile that is on its way may have left before it happened, and MapLibre does not ask for it beside.
  if (!map.isSourceLoaded(source)) askWhenIdle(map, source);
  // First by name: MapLibre 6.17 never loads a tile that has failed when all are refreshed.
  askFailed(map, source);
  map.refreshTiles(source);
}

const waitingOf = new WeakMap<Map, Set<string>>();

function askWhenIdle(map: Map, source: string): void {
  const waiting = waitingOf.get(map) ?? new Set();
  waitingOf.set(map, waiting);
  if (waiting.has(source)) return;
  waiting.add(source);
  void map.once("idle").then(() => {
    waiting.delete(source);
    if (map.getSource(source)) askAll(map, source);
  });
}

function askFailed(map: Map, source: string): void {
  const failed = failedOf.get(map) ?? [];
  const ofIt = failed.filter((one) => one.source === source);
  failed.splice(0, failed.length, ...failed.filter((one) => one.source !== source));
  if (ofIt.length && map.getSource(source)) map.refreshTiles(source, ofIt.map((one) => one.tile));
}
