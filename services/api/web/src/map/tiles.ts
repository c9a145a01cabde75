// Which tiles a place lies in.

export interface TileId {
  z: number;
  x: number;
  y: number;
}

/** So near its edge, in parts of a tile, a pin may have come from the tile beside. */
const EDGE = 0.05;

/** The tile of a zoom that a place lies in, and those whose edge it is near to. */
export function tilesAt(lat: number, lon: number, z: number): TileId[] {
  const side = 2 ** z;
  const x = ((lon + 180) / 360) * side;
  const y = ((1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2) * side;
  const found = new Map<string, TileId>();
  for (const east of [-EDGE, EDGE]) {
    for (const south of [-EDGE, EDGE]) {
      const id = { z, x: Math.floor(x + east), y: Math.floor(y + south) };
      if (id.x >= 0 && id.y >= 0 && id.x < side && id.y < side) found.set(`${id.x}/${id.y}`, id);
    }
  }
  return [...found.values()];
}
