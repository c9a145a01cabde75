// Buttons that move the map: whoever cannot drag or pinch has all that the map can show (WCAG 2.5.1, 2.5.7).
import type { IControl, Map } from "maplibre-gl";

const PAN_PX = 120;

interface Move {
  name: string;
  place: string;
  drawn: string;
  act: (map: Map) => void;
}

const NEARER: Move = { name: "Zoom in", place: "in", drawn: "M12 5v14M5 12h14", act: (map) => void map.zoomIn() };
const FARTHER: Move = { name: "Zoom out", place: "out", drawn: "M5 12h14", act: (map) => void map.zoomOut() };
const PANS: Move[] = [
  { name: "Move north", place: "north", drawn: "M6 15l6-6 6 6", act: (map) => void map.panBy([0, -PAN_PX]) },
  { name: "Move west", place: "west", drawn: "M15 6l-6 6 6 6", act: (map) => void map.panBy([-PAN_PX, 0]) },
  { name: "Move east", place: "east", drawn: "M9 6l6 6-6 6", act: (map) => void map.panBy([PAN_PX, 0]) },
  { name: "Move south", place: "south", drawn: "M6 9l6 6 6-6", act: (map) => void map.panBy([0, PAN_PX]) },
];

/** A button with a picture of strokes; its name is what a screen reader says. */
export function pictureButton(name: string, place: string, drawn: string, act: () => void): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = `app-map__button app-map__button--${place}`;
  button.setAttribute("aria-label", name);
  button.title = name;
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  picture.setAttribute("focusable", "false");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", drawn);
  picture.append(path);
  button.append(picture);
  button.addEventListener("click", act);
  return button;
}

/** Zoom in and out, and a cross of four ways. */
export class Moves implements IControl {
  private element: HTMLElement | undefined;

  onAdd(map: Map): HTMLElement {
    const made = (move: Move) => pictureButton(move.name, move.place, move.drawn, () => move.act(map));
    this.element = document.createElement("div");
    this.element.className = "maplibregl-ctrl app-map__moves";
    const zoom = document.createElement("div");
    zoom.className = "app-map__zoom";
    zoom.append(made(NEARER), made(FARTHER));
    const pan = document.createElement("div");
    pan.className = "app-map__pan";
    pan.append(...PANS.map(made));
    this.element.append(zoom, pan);
    return this.element;
  }

  onRemove(): void {
    this.element?.remove();
  }
}
