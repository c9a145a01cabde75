// The signs of the map are those that stand in the page: drawn once there, for people, and from there onto the map.
import type { Map } from "maplibre-gl";

const SCALE = 2;

/** Draw every sign that the page has, once, under "sign-" and its status. */
export async function addSigns(map: Map): Promise<void> {
  const signs = new Map_<string, SVGSVGElement>();
  for (const sign of document.querySelectorAll<SVGSVGElement>(".app-county__filters svg[data-sign]")) {
    signs.set(sign.dataset["sign"]!, sign);
  }
  await Promise.all([...signs].map(async ([status, sign]) => map.addImage(`sign-${status}`, await drawn(sign), { pixelRatio: SCALE })));
}

const Map_ = globalThis.Map;

async function drawn(sign: SVGSVGElement): Promise<ImageData> {
  const copy = sign.cloneNode(true) as SVGSVGElement;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const side = Number(sign.getAttribute("width")) * SCALE;
  const image = new Image(side, side);
  image.src = `data:image/svg+xml,${encodeURIComponent(copy.outerHTML)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d")!;
  context.drawImage(image, 0, 0, side, side);
  return context.getImageData(0, 0, side, side);
}
