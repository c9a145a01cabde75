// Shows the photos that somebody chose, small and before they are sent, each with a button that takes it away again.
import { shrunk } from "./pictures";

/** Every field of photos on the page. Its files stay in the form: they go with it, like those of any form. */
export function photoFields(): void {
  document.querySelectorAll<HTMLElement>("[data-photos]").forEach((field) => new PhotoField(field));
}

export class PhotoField {
  private readonly input: HTMLInputElement;
  private readonly list = document.createElement("ul");
  private readonly said = document.createElement("p");
  private files: File[] = [];

  constructor(private readonly field: HTMLElement) {
    this.input = field.querySelector<HTMLInputElement>("input[type=file]")!;
    this.list.className = "app-photos";
    this.said.className = "govuk-body app-said";
    this.said.setAttribute("role", "status");
    field.append(this.list, this.said);
    this.input.addEventListener("change", () => void this.chosen());
  }

  get photos(): File[] {
    return this.files;
  }

  /** What is chosen comes to what was chosen before, as far as there is room. */
  private async chosen(): Promise<void> {
    const chosen = [...(this.input.files ?? [])];
    this.field.setAttribute("aria-busy", "true");
    this.said.textContent = "Making the photos ready";
    const ready = await Promise.all(chosen.map(shrunk));
    const room = Number(this.field.dataset["room"]);
    const all = [...this.files, ...ready];
    this.put(all.slice(0, room));
    this.said.textContent =
      all.length > room ? `Up to ${room} can be sent: the first ${room} are shown` : `${this.files.length} chosen`;
    this.field.removeAttribute("aria-busy");
  }

  private put(files: File[]): void {
    this.files = files;
    const carried = new DataTransfer();
    for (const file of files) carried.items.add(file);
    this.input.files = carried.files;
    this.list.replaceChildren(...files.map((file, place) => this.shown(file, place)));
  }

  private shown(file: File, place: number): HTMLElement {
    const item = document.createElement("li");
    item.className = "app-photos__item";
    const picture = document.createElement("img");
    picture.className = "app-photos__photo";
    picture.alt = `Chosen photo ${place + 1}: ${file.name}`;
    picture.src = URL.createObjectURL(file);
    picture.addEventListener("load", () => URL.revokeObjectURL(picture.src), { once: true });
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "govuk-button govuk-button--secondary app-photos__remove";
    remove.innerHTML = "Remove";
    const which = document.createElement("span");
    which.className = "govuk-visually-hidden";
    which.textContent = ` ${picture.alt}`;
    remove.append(which);
    remove.addEventListener("click", () => {
      this.put(this.files.filter((other) => other !== file));
      this.said.textContent = `${this.files.length} chosen`;
      this.input.focus();
    });
    item.append(picture, remove);
    return item;
  }
}
