// Which tiles places lie in.

export interface TileId {
  z: number;
  x: number;
  y: number;
}

/** So near its edge, in parts of a tile, a pin may have come from the tile beside. */
const EDGE = 0.05;
/** As near as a map goes. */
export const NEAREST = 19;

/**
 * The tiles that places lie in, or are near the edge of: of every zoom, since a map shows tiles of several at once, and
 * cuts those of the deepest zoom that the server has into smaller ones.
 */
export function tilesAt(places: Iterable<{ lat: number; lon: number }>): TileId[] {
  const found = new Map<string, TileId>();
  for (const { lat, lon } of places) {
    const x = (lon + 180) / 360;
    const y = (1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2;
    for (let z = 0; z <= NEAREST; z++) for (const id of around(x, y, z)) found.set(`${z}/${id.x}/${id.y}`, id);
  }
  return [...found.values()];
}

function around(x: number, y: number, z: number): TileId[] {
  const side = 2 ** z;
  const off = [-EDGE, EDGE];
  return off.flatMap((east) =>
    off.map((south) => ({ z, x: Math.floor(x * side + east), y: Math.floor(y * side + south) })),
  );
}
