// One list of commands for keys, the palette and the help: a page adds its own, and each is written once.

export interface Command {
  /** What a person reads: "Assign". */
  name: string;
  /** "j", "Enter", "g q" (one after the other), "Shift+A". None: in the palette only. */
  key?: string;
  /** Under which heading it stands in the help. */
  group?: string;
  /** Whether it can be done now; always, where it is left out. */
  when?: () => boolean;
  run: () => void;
}

const commands: Command[] = [];
const OFF = "roadmend-hub-keys";
/** A second key after g counts so long. */
const PAUSE_MS = 1500;

/** Add commands of this page. Of two with one key the later goes first. */
export function command(...more: Command[]): void {
  commands.unshift(...more);
}

/** What can be done now. */
export function available(): Command[] {
  return commands.filter((one) => one.when?.() ?? true);
}

/** Single letters can be put off: who speaks to the computer would set them off by chance (WCAG 2.1.4). */
export function lettersAreOn(): boolean {
  try {
    return localStorage.getItem(OFF) !== "off";
  } catch {
    return true;
  }
}

export function switchLetters(on: boolean): void {
  if (on) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "off");
}

let first = "";
let firstAt = 0;

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]") || !lettersAreOn()) return;
  // A key of a control with the focus is the control's.
  if ((event.key === "Enter" || event.key === " ") && (event.target as Element).closest("a, button, summary, select")) return;
  const pressed = event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key;
  const chord = first && event.timeStamp - firstAt < PAUSE_MS ? `${first} ${pressed}` : "";
  const able = available();
  const found = able.find(({ key }) => key === chord && chord !== "") ?? able.find(({ key }) => key === pressed);
  first = "";
  if (found) {
    event.preventDefault();
    found.run();
  } else if (able.some(({ key }) => key?.startsWith(`${pressed} `))) {
    first = pressed;
    firstAt = event.timeStamp;
  }
});

function isTyping(target: EventTarget | null): boolean {
  // A slider takes arrows, and no letters.
  return target instanceof HTMLElement && target.closest('input:not([type="range"]), textarea, select, [contenteditable]') !== null;
}
