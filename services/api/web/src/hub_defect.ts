// A defect's page: photos, who saw it on a small map, what may be done, and all of it anew when something happens to it.
import "./hub/shell";
import "./hub/defect/defect.scss";
import { DefectActs } from "./hub/defect/acts";
import { LivingPage } from "./hub/defect/page";
import { SightingsMap } from "./hub/defect/sightings";
import { openPhoto, watchPhotos } from "./hub/defect/viewer";
import { watchDue } from "./hub/defect/due";
import { command } from "./hub/keys";
import { present } from "./hub/presence";

const frame = document.querySelector<HTMLElement>("[data-defect]")!;

function others(): Set<string> {
  const named = [...document.querySelectorAll<HTMLElement>("[data-order], [data-report]")];
  return new Set(named.flatMap(({ dataset }) => [dataset["order"], dataset["report"]].filter((one): one is string => Boolean(one))));
}

const page = new LivingPage(frame.dataset["defect"]!, others);
const map = new SightingsMap(frame);
new DefectActs(page, frame);
watchPhotos(page);
watchDue();
page.onrefresh(() => map.draw(true));
page.onrefresh(watchDue);
command({ name: "Look at the photos", key: "p", group: "This defect", when: () => document.querySelector("[data-photo]") !== null, run: () => openPhoto(page) });
void map.open();
present(frame.dataset["defect"]!, document.querySelector<HTMLElement>("[data-presence]")!);
