// What is shown, as the form says it: the same filters for the tiles, the list and the page's address.

/** From here what has ended is drawn, too: the server has it in no tile from further away. */
export const ENDED_FROM = 12;
const A_DAY_MS = 86_400_000;

export class Filters {
  constructor(private readonly form: HTMLFormElement) {
    const details = form.querySelector("details");
    if (details && this.chosen()) details.open = true;
  }

  /** Called when somebody chooses otherwise. */
  onchange(heard: () => void): void {
    const filters = this.form.querySelector(".app-county__filters");
    filters?.addEventListener("change", heard);
  }

  /** Whether something that has ended is among what is shown. */
  get hasEnded(): boolean {
    return this.boxes().some((box) => box.checked && box.dataset["byItself"] !== "yes");
  }

  /** For /map and /map/list. What is so by itself is left out. */
  forPage(): URLSearchParams {
    const said = new URLSearchParams();
    if (!this.statusByItself()) for (const code of this.status()) said.append("status", code);
    if (this.value("class")) said.set("class", this.value("class"));
    if (this.value("since")) said.set("since", this.value("since"));
    return said;
  }

  /** For the tiles. Midnight, so that a day's tiles have one address. */
  forTiles(): URLSearchParams {
    const said = this.forPage();
    const days = said.get("since");
    said.delete("since");
    if (days) {
      const since = new Date(Date.now() - Number(days) * A_DAY_MS);
      since.setUTCHours(0, 0, 0, 0);
      said.set("updated_since", since.toISOString());
    }
    return said;
  }

  /** Keep the middle of the map when the form is sent as a form. */
  keep(lat: string, lon: string, zoom: string): void {
    for (const [name, value] of Object.entries({ lat, lon, z: zoom })) {
      let field = this.form.querySelector<HTMLInputElement>(`input[name="${name}"]`);
      if (field === null) {
        field = document.createElement("input");
        field.type = "hidden";
        field.name = name;
        this.form.querySelector(".app-county__filters")?.append(field);
      }
      field.value = value;
    }
  }

  private status(): string[] {
    const checked = this.boxes().filter((box) => box.checked);
    return checked.map((box) => box.value);
  }

  /** With none chosen the server shows what is to be done, as it does with just those chosen. */
  private statusByItself(): boolean {
    const boxes = this.boxes();
    return boxes.every((box) => !box.checked) || boxes.every((box) => box.checked === (box.dataset["byItself"] === "yes"));
  }

  private chosen(): boolean {
    return [...this.forPage()].length > 0;
  }

  private boxes(): HTMLInputElement[] {
    return [...this.form.querySelectorAll<HTMLInputElement>('input[name="status"]')];
  }

  private value(name: string): string {
    return this.form.querySelector<HTMLSelectElement>(`select[name="${name}"]`)?.value ?? "";
  }
}
