// The pins of the hub's map, drawn by ourselves: a shape, a colour and a label for the band, a badge for its clock.
import { IMAGE_SCALE } from "../../map/base";

const SIDE = 34;
const MIDDLE = SIDE / 2;
const RADIUS = 12;

/** Corners, and by how much of a turn the first lies from the top. None: a circle. */
const SHAPES: Record<string, { corners: number; turned: number } | undefined> = {
  e: { corners: 8, turned: 1 / 16 },
  p2: { corners: 3, turned: 0 },
  p5: { corners: 4, turned: 0 },
  p10: { corners: 4, turned: 1 / 8 },
  r: { corners: 5, turned: 0 },
  g: { corners: 6, turned: 0 },
  t: { corners: 6, turned: 1 / 12 },
};
const WAITING: Record<string, { letter: string; colour: string; words: string }> = {
  danger: { letter: "!", colour: "--hub-alarm", words: "--hub-alarm-words" },
  unsure: { letter: "?", colour: "--hub-wait", words: "--hub-wait-words" },
  recalls: { letter: "↺", colour: "--band-r", words: "--band-r-words" },
};

/** "pin-p5-late-danger": band, clock (late, today, ok), danger or calm. "point-unsure": what waits for a person. */
export function markImage(id: string): Promise<ImageData | undefined> {
  const [kind, name, clock, danger] = id.split("-");
  if (kind === "pin" && name) return Promise.resolve(pin(name, clock ?? "ok", danger === "danger"));
  const waits = kind === "point" && name ? WAITING[name] : undefined;
  return Promise.resolve(waits && waiting(waits));
}

function pin(band: string, clock: string, danger: boolean): ImageData {
  const context = drawing();
  const shape = SHAPES[band];
  const graded = band !== "none";
  trace(context, shape ? RADIUS * (shape.corners === 3 ? 1.35 : 1.12) : band === "m" ? RADIUS * 0.85 : RADIUS, shape);
  context.fillStyle = colour(graded ? `--band-${band}` : "--hub-card");
  context.fill();
  context.lineWidth = 1.8;
  context.strokeStyle = graded ? "#0b0c0c" : colour("--hub-edge");
  if (!graded) context.setLineDash([3, 2]);
  context.stroke();
  context.setLineDash([]);
  const low = shape?.corners === 3 ? 3 : 0;
  label(context, graded ? band.toUpperCase() : "–", MIDDLE, MIDDLE + low, band.length > 2 ? 9 : 10.5, colour(graded ? `--band-${band}-words` : "--hub-words"));
  if (clock === "late") badge(context, SIDE - 7, 7, "!", "#0b0c0c", "#ffffff");
  if (clock === "today") badge(context, SIDE - 7, 7, "◷", "#ffffff", "#0b0c0c");
  if (danger) badge(context, 7, 7, "▲", "#ffdd00", "#0b0c0c");
  return taken(context);
}

function waiting({ letter, colour: ground, words }: (typeof WAITING)[string]): ImageData {
  const context = drawing();
  trace(context, RADIUS + 1, { corners: 4, turned: 1 / 8 });
  context.fillStyle = colour(ground);
  context.fill();
  context.lineWidth = 2.2;
  context.strokeStyle = "#0b0c0c";
  context.stroke();
  label(context, letter, MIDDLE, MIDDLE, 15, colour(words));
  return taken(context);
}

function drawing(): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE * IMAGE_SCALE;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.scale(IMAGE_SCALE, IMAGE_SCALE);
  context.lineJoin = "round";
  return context;
}

function taken(context: CanvasRenderingContext2D): ImageData {
  return context.getImageData(0, 0, SIDE * IMAGE_SCALE, SIDE * IMAGE_SCALE);
}

function trace(context: CanvasRenderingContext2D, radius: number, shape: { corners: number; turned: number } | undefined): void {
  context.beginPath();
  if (!shape) {
    context.arc(MIDDLE, MIDDLE, radius, 0, 2 * Math.PI);
    return;
  }
  for (let corner = 0; corner < shape.corners; corner++) {
    const angle = 2 * Math.PI * (corner / shape.corners + shape.turned) - Math.PI / 2;
    context.lineTo(MIDDLE + radius * Math.cos(angle), MIDDLE + radius * Math.sin(angle));
  }
  context.closePath();
}

function badge(context: CanvasRenderingContext2D, x: number, y: number, letter: string, ground: string, words: string): void {
  context.beginPath();
  context.arc(x, y, 6, 0, 2 * Math.PI);
  context.fillStyle = ground;
  context.fill();
  context.lineWidth = 1.2;
  context.strokeStyle = words;
  context.stroke();
  label(context, letter, x, y, 9, words);
}

function label(context: CanvasRenderingContext2D, words: string, x: number, y: number, size: number, ink: string): void {
  context.font = `700 ${size}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = ink;
  context.fillText(words, x, y + 0.5);
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#888888";
}
