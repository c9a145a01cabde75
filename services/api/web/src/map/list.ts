// The list beside the map: the server's own words for what is in view, swapped when the map is moved.

export interface Listed {
  reference: string;
  lat: number;
  lon: number;
}

export class List {
  private asking: AbortController | undefined;
  /** What the list is of: at first what the page's own address says, but for one defect that nobody knows. */
  private asked = new URLSearchParams(location.search);
  private pointed: (item: Listed | null) => void = () => undefined;

  constructor(
    private readonly element: HTMLElement,
    private readonly counted: HTMLElement,
  ) {
    this.asked.delete("defect");
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
    this.asked = asked;
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

  /** Something has happened: show the same page of the same list as it is now, or the first where that page is no more. */
  async again(): Promise<void> {
    const { asked } = this;
    await this.show(asked);
    if (this.asked !== asked || !asked.has("page") || this.element.querySelector("[data-reference]")) return;
    const first = new URLSearchParams(asked);
    first.delete("page");
    await this.show(first);
  }

  /** Whoever has the focus in it keeps it: on the same defect or the same way of turning pages, or else at the beginning. */
  private put(html: string): void {
    const focused = this.element.contains(document.activeElement) ? sameAs(document.activeElement!) : undefined;
    this.element.innerHTML = html;
    const words = this.element.querySelector<HTMLElement>("[data-words]")?.dataset["words"] ?? "";
    if (this.counted.textContent !== words) this.counted.textContent = words;
    if (!focused) return;
    const next = this.element.querySelector<HTMLElement>(focused) ?? this.element.querySelector("a");
    next?.focus({ preventScroll: true });
  }

  /** Pages are turned in place. */
  private turn(event: Event): void {
    const link = (event.target as Element).closest<HTMLAnchorElement>(".app-found__pages a");
    if (link === null) return;
    event.preventDefault();
    void this.show(new URL(link.href).searchParams).then(() => this.element.querySelector("a")?.focus());
  }
}

/** What finds a link again when the list has been made anew. */
function sameAs(link: Element): string {
  const item = itemOf(link);
  return item ? `[data-reference="${item.reference}"] a` : `a[rel="${link.getAttribute("rel") ?? ""}"]`;
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
