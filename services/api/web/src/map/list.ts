// The list beside the map: the server's own words for what is in view, swapped when the map is moved.

export interface Listed {
  reference: string;
  lat: number;
  lon: number;
}

export class List {
  private asking: AbortController | undefined;
  private pointed: (item: Listed | null) => void = () => undefined;

  constructor(
    private readonly element: HTMLElement,
    private readonly counted: HTMLElement,
  ) {
    for (const [heard, is] of [["mouseover", true], ["focusin", true], ["mouseleave", false], ["focusout", false]] as const) {
      element.addEventListener(heard, (event) => this.pointed(is ? itemOf(event.target) : null));
    }
    element.addEventListener("click", (event) => this.turn(event));
  }

  /** Called with the item that somebody points at or has the focus in, and with null when no more. */
  onpoint(heard: (item: Listed | null) => void): void {
    this.pointed = heard;
  }

  /** Show what the server lists for these parameters; a question that is overtaken is dropped. */
  async show(asked: URLSearchParams): Promise<void> {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    try {
      const answer = await fetch(`/map/list?${asked}`, { signal: asking.signal });
      if (!answer.ok) return;
      const html = await answer.text();
      if (!asking.signal.aborted) this.put(html);
    } catch (error) {
      if (!asking.signal.aborted) console.warn("The list could not be asked for.", error);
    }
  }

  /** Whoever has the focus in it keeps it, on the same defect. */
  private put(html: string): void {
    const focused = this.element.contains(document.activeElement) ? itemOf(document.activeElement)?.reference : undefined;
    this.element.innerHTML = html;
    const words = this.element.querySelector<HTMLElement>("[data-words]")?.dataset["words"] ?? "";
    if (this.counted.textContent !== words) this.counted.textContent = words;
    if (focused) this.element.querySelector<HTMLElement>(`[data-reference="${focused}"] a`)?.focus({ preventScroll: true });
  }

  /** Pages are turned in place. */
  private turn(event: Event): void {
    const link = (event.target as Element).closest<HTMLAnchorElement>(".app-found__pages a");
    if (link === null) return;
    event.preventDefault();
    void this.show(new URL(link.href).searchParams).then(() => this.element.querySelector("a")?.focus());
  }
}

function itemOf(target: EventTarget | null): Listed | null {
  const item = (target as Element | null)?.closest<HTMLElement>("[data-reference]");
  if (!item) return null;
  return {
    reference: item.dataset["reference"]!,
    lat: Number(item.dataset["lat"]),
    lon: Number(item.dataset["lon"]),
  };
}
