// Elements that scripts of the hub make; the same as templates/hub/parts.html makes.

type Child = Node | string | null | undefined | false;

/** An element with attributes and children: `element("p", {class: "hub-note"}, "Nothing here.")`. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Record<string, string | boolean | undefined> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.filter((child): child is Node | string => Boolean(child)));
  return made;
}

export function band(code: string | null): HTMLElement {
  return element("span", { class: `hub-band hub-band--${(code ?? "none").toLowerCase()}` }, code ?? "–");
}

export function state(code: string): HTMLElement {
  return element("span", { class: `hub-state hub-state--${code}` }, spelt(code));
}

/** repair_claimed is "repair claimed". */
export function spelt(code: string): string {
  return code.replaceAll("_", " ");
}

const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "Europe/London" });
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/London" });

/** "Tue 24 Nov 14:05", in the county's time. */
export function moment(at: string | Date): string {
  const when = new Date(at);
  return `${DAY.format(when).replace(",", "")} ${TIME.format(when)}`;
}

/** "3 min", "5 h", "12 days": how long from one moment to another, whichever is first. */
export function span(from: string | Date, to: string | Date = new Date()): string {
  const seconds = Math.abs(new Date(to).getTime() - new Date(from).getTime()) / 1000;
  if (seconds < 60) return "under 1 min";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}
