// The board's map in its place: what did not come of it is asked for again, for as long as the page is open.
import type { BoardMap } from "./map";

const AGAIN_MS = 10_000;

/** As `BoardMap.start`; undefined where this browser draws no maps. Throws where only the page loaded anew can have one. */
export async function mapIn(place: HTMLElement, options?: Parameters<typeof BoardMap.start>[2]): Promise<BoardMap | undefined> {
  // A browser does not ask again for a script that did not come.
  const { BoardMap } = await import("./map").catch(() => {
    throw new Error("The map did not come. Load the page again.");
  });
  for (;;) {
    try {
      return await BoardMap.start(place, "Map of open defects", options);
    } catch (error) {
      console.warn("The map cannot be drawn now.", error);
      if (!drawsMaps()) return undefined;
      await new Promise((again) => window.setTimeout(again, AGAIN_MS));
    }
  }
}

function drawsMaps(): boolean {
  return document.createElement("canvas").getContext("webgl2") !== null;
}
