// Making a key: the scopes that go with the role, and the key, shown once.
import { openDialog, then } from "./forms";

then("made", (answer) => {
  const shown = document.querySelector<HTMLInputElement>("#made-key")!;
  shown.value = (answer as { key: string }).key;
  openDialog("made");
  shown.select();
});

// When the dialog closes the key is nowhere on the page any more.
document.querySelector("#made")?.addEventListener("close", () => {
  document.querySelector<HTMLInputElement>("#made-key")!.value = "";
});

document.querySelector("#make")?.addEventListener("change", (event) => {
  const chosen = event.target as HTMLInputElement;
  if (chosen.name !== "role") return;
  document.querySelectorAll<HTMLElement>("#make [data-for-roles]").forEach((choice) => {
    const fits = choice.dataset["forRoles"]!.split(" ").includes(chosen.value);
    choice.hidden = !fits;
    choice.querySelector("input")!.disabled = !fits;
  });
});
