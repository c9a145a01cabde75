// The map of the county. The page is whole without it: the list and the filters are there before the map comes.
import "./shared/govuk";
import "./map/page.scss";
import { Filters } from "./map/filters";
import { List } from "./map/list";

const element = document.querySelector<HTMLElement>("#map")!;
const filters = new Filters(document.querySelector<HTMLFormElement>(".app-county__form")!);
const list = new List(document.querySelector<HTMLElement>("#list")!, document.querySelector<HTMLElement>("#counted")!);

// Its place is kept from the beginning, so that nothing jumps when it comes.
element.hidden = false;

async function start(): Promise<void> {
  try {
    const { CountyMap } = await import("./map/county");
    await CountyMap.start(element, filters, list);
  } catch (error) {
    // No WebGL, or the map's pieces did not come: the list says it all.
    element.hidden = true;
    console.warn("The map cannot be drawn here.", error);
  }
}

void start();
