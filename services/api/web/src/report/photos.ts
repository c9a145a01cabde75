// Shows the photos that somebody chose, small and before they are sent, each with a button that takes it away again.
import { shrunk } from "./pictures";

/** Every field of photos on the page. Its files stay in the form: they go with it, like those of any form. */
export function photoFields(): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-photos]")) {
    const field = new PhotoField(element);
    element.closest("form")!.addEventListener("submit", (event) => void hold(event, field));
  }
}

/** A form that is sent while photos of it are being made smaller goes when they are. */
async function hold(event: SubmitEvent, field: PhotoField): Promise<void> {
  if (!field.isBusy) return;
  event.preventDefault();
  const form = event.target as HTMLFormElement;
  if (form.dataset["held"]) return;
  form.dataset["held"] = "yes";
  await field.ready;
  delete form.dataset["held"];
  form.requestSubmit(event.submitter);
}

export class PhotoField {
  private readonly input: HTMLInputElement;
  private readonly list = document.createElement("ul");
  private readonly said = document.createElement("p");
  private files: File[] = [];
  private making = 0;
  /** Kept when what was chosen until now has been made smaller. */
  ready: Promise<unknown> = Promise.resolve();

  constructor(private readonly field: HTMLElement) {
    this.input = field.querySelector<HTMLInputElement>("input[type=file]")!;
    this.list.className = "app-photos";
    this.said.className = "govuk-body app-said";
    this.said.setAttribute("role", "status");
    field.append(this.list, this.said);
    this.input.addEventListener("change", () => this.add([...(this.input.files ?? [])]));
  }

  get photos(): File[] {
    return this.files;
  }

  get isBusy(): boolean {
    return this.making > 0;
  }

  /** More come to what was chosen before, as far as there is room: into the form at once, and shown when they are small. */
  add(more: File[]): void {
    const room = Number(this.field.dataset["room"]);
    const all = [...this.files, ...more];
    const fresh = all.slice(this.files.length, room);
    this.carry(all.slice(0, room));
    this.making += 1;
    this.field.setAttribute("aria-busy", "true");
    this.said.textContent = "Making the photos ready";
    const words = all.length > room ? `Up to ${room} can be sent: the first ${room} are shown` : "";
    this.ready = Promise.all([this.ready, ...fresh.map((file) => this.shrink(file))]).then(() => this.done(words));
  }

  private async shrink(file: File): Promise<void> {
    const small = await shrunk(file);
    this.carry(this.files.map((other) => (other === file ? small : other)));
  }

  private done(words: string): void {
    this.making -= 1;
    if (this.isBusy) return;
    this.field.removeAttribute("aria-busy");
    this.show(words);
  }

  private carry(files: File[]): void {
    this.files = files;
    const carried = new DataTransfer();
    for (const file of files) carried.items.add(file);
    this.input.files = carried.files;
  }

  private show(words = ""): void {
    this.list.replaceChildren(...this.files.map((file, place) => this.shown(file, place)));
    this.said.textContent = words || `${this.files.length} chosen`;
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
      this.carry(this.files.filter((other) => other !== file));
      if (this.isBusy) item.remove();
      else this.show();
      this.input.focus();
    });
    item.append(picture, remove);
    return item;
  }
}
