// Ctrl K: every command by its name. ?: every key. Both are made of the one list in keys.ts.
import { available, command, lettersAreOn, switchLetters, type Command } from "./keys";
import { element } from "./parts";

/** A dialog of the browser's own: it keeps the focus, closes by Escape, and gives the focus back. */
export function dialog(title: string, ...content: (Node | string)[]): HTMLDialogElement {
  const close = element("button", { type: "button", class: "hub-button hub-button--quiet" }, "Close");
  const made = element(
    "dialog",
    { class: "hub-dialog", "aria-label": title },
    element("div", { class: "hub-dialog__head" }, element("h2", {}, title), close),
    ...content,
  );
  close.addEventListener("click", () => made.close());
  made.addEventListener("close", () => made.remove());
  document.body.append(made);
  made.showModal();
  return made;
}

export function openPalette(): void {
  if (document.querySelector("dialog[open]")) return;
  const input = element("input", {
    class: "hub-input",
    type: "text",
    role: "combobox",
    "aria-label": "Command",
    "aria-expanded": "true",
    "aria-controls": "hub-commands",
    autocomplete: "off",
    placeholder: "Type what you want to do",
  });
  const list = element("ul", { id: "hub-commands", role: "listbox", class: "hub-commands", "aria-label": "Commands" });
  const opened = dialog("Commands", input, list);
  let shown: Command[] = [];
  let at = 0;
  const run = (one: Command | undefined) => {
    if (!one) return;
    opened.close();
    one.run();
  };
  const mark = () => {
    list.querySelectorAll('[role="option"]').forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    const marked = list.children[at];
    input.setAttribute("aria-activedescendant", marked?.id ?? "");
    marked?.scrollIntoView({ block: "nearest" });
  };
  const draw = () => {
    const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = available().filter(({ name, group }) => wanted.every((word) => `${group ?? ""} ${name}`.toLowerCase().includes(word)));
    at = 0;
    list.replaceChildren(...shown.map((one, index) => option(one, index, () => run(one))));
    mark();
  };
  input.addEventListener("input", draw);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") run(shown[at]);
    else if (event.key === "ArrowDown") at = Math.min(at + 1, shown.length - 1);
    else if (event.key === "ArrowUp") at = Math.max(at - 1, 0);
    else return;
    event.preventDefault();
    mark();
  });
  draw();
  input.focus();
}

function option(one: Command, index: number, run: () => void): HTMLElement {
  const item = element(
    "li",
    { role: "option", id: `hub-command-${index}` },
    element("span", {}, one.name),
    one.key ? element("kbd", {}, one.key) : null,
  );
  item.addEventListener("click", run);
  return item;
}

export function openHelp(): void {
  if (document.querySelector("dialog[open]")) return;
  const groups = new Map<string, Command[]>();
  for (const one of available().filter(({ key }) => key)) {
    const group = one.group ?? "Anywhere";
    groups.set(group, [...(groups.get(group) ?? []), one]);
  }
  const lists = [...groups].map(([group, all]) =>
    element(
      "section",
      {},
      element("h3", {}, group),
      element("dl", { class: "hub-keys" }, ...all.map(({ name, key }) => element("div", {}, element("dt", {}, element("kbd", {}, key)), element("dd", {}, name)))),
    ),
  );
  const off = element("input", { type: "checkbox", id: "hub-letters" });
  off.checked = lettersAreOn();
  off.addEventListener("change", () => switchLetters(off.checked));
  const choice = element("p", { class: "hub-choice" }, off, element("label", { for: "hub-letters" }, "Single keys act (turn off if you speak to your computer)"));
  dialog("Keys", element("div", { class: "hub-help" }, ...lists), choice);
}

command(
  { name: "Show all keys", key: "?", run: openHelp },
  { name: "Show all commands", run: openPalette },
);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
  }
});
document.querySelector("[data-palette]")?.addEventListener("click", openPalette);
