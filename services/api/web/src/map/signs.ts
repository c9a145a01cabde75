// The signs of the map are those that stand in the page: drawn once there, for people, and from there onto the map.
import { IMAGE_SCALE } from "./base";

const PREFIX = "sign-";

/** The image of a sign for the map, by "sign-" and its status; undefined where the page has no such sign. */
export async function signImage(id: string): Promise<ImageData | undefined> {
  const status = id.startsWith(PREFIX) ? id.slice(PREFIX.length) : "";
  const sign = document.querySelector<SVGSVGElement>(`.app-county__filters svg[data-sign="${CSS.escape(status)}"]`);
  return sign ? drawn(sign) : undefined;
}

async function drawn(sign: SVGSVGElement): Promise<ImageData> {
  const copy = sign.cloneNode(true) as SVGSVGElement;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const side = Number(sign.getAttribute("width")) * IMAGE_SCALE;
  const image = new Image(side, side);
  image.src = `data:image/svg+xml,${encodeURIComponent(copy.outerHTML)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d")!;
  context.drawImage(image, 0, 0, side, side);
  return context.getImageData(0, 0, side, side);
}
