// Makes photos small before they are sent, and keeps what the camera wrote into them: when and where they were taken.

/** As large as the public copy is (shared/pictures.py): nobody sees more of it. */
const EDGE = 2048;
const LARGE = 1_500_000;
const QUALITY = 0.85;
const START = 0xffd8;
const APP1 = 0xffe1;
const SCAN = 0xffda;
const ORIENTATION = 0x0112;

/** The photo, or a smaller one like it. What the browser cannot read goes as it is: the service may. */
export async function shrunk(file: File): Promise<File> {
  if (file.size <= LARGE || !/^image\/(jpeg|png|webp)$/.test(file.type)) return file;
  try {
    const image = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, EDGE / Math.max(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(image.width * scale);
    canvas.height = Math.round(image.height * scale);
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    image.close();
    const drawn = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    if (drawn === null) return file;
    const said = camera(new Uint8Array(await file.arrayBuffer()));
    const parts: BlobPart[] = said ? [drawn.slice(0, 2), said as BlobPart, drawn.slice(2)] : [drawn];
    const name = file.name.replace(/\.\w+$/, "") + ".jpg";
    const small = new File(parts, name, { type: "image/jpeg", lastModified: file.lastModified });
    return small.size < file.size ? small : file;
  } catch {
    return file;
  }
}

/** The segment of a JPEG that says when and where it was taken, for a picture that has been turned upright. */
export function camera(bytes: Uint8Array): Uint8Array | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 4 || view.getUint16(0) !== START) return null;
  for (let at = 2; at + 4 <= view.byteLength; ) {
    const marker = view.getUint16(at);
    const length = view.getUint16(at + 2);
    if (marker === SCAN || marker < 0xff00) return null;
    if (marker === APP1 && view.getUint32(at + 4) === 0x45786966) return upright(bytes.slice(at, at + 2 + length));
    at += 2 + length;
  }
  return null;
}

/** The canvas has turned it already: told to turn it again, the service would. */
function upright(segment: Uint8Array): Uint8Array {
  const view = new DataView(segment.buffer);
  const tiff = 10;
  const little = view.getUint16(tiff) === 0x4949;
  const first = tiff + view.getUint32(tiff + 4, little);
  const count = view.getUint16(first, little);
  for (let entry = first + 2; entry < first + 2 + 12 * count; entry += 12) {
    if (view.getUint16(entry, little) === ORIENTATION) view.setUint16(entry + 8, 1, little);
  }
  return segment;
}
