// A report's page: what it says, where, what it was found to be, and what may be decided.
import "./hub/shell";
import "./hub/defect/defect.scss";
import { watchDue } from "./hub/defect/due";
import { LivingPage } from "./hub/defect/page";
import { ReportActs } from "./hub/defect/report_acts";
import { SightingsMap } from "./hub/defect/sightings";
import { openPhoto, watchPhotos } from "./hub/defect/viewer";
import { command } from "./hub/keys";
import { present } from "./hub/presence";

const frame = document.querySelector<HTMLElement>("[data-report-page]")!;

function others(): Set<string> {
  return new Set([...document.querySelectorAll<HTMLElement>("[data-link][data-standing='yes']")].map(({ dataset }) => dataset["link"]!));
}

const page = new LivingPage(frame.dataset["reportPage"]!, others);
new ReportActs(page, frame.dataset["reportPage"]!);
watchPhotos(page);
watchDue();
page.onrefresh(watchDue);
command({ name: "Look at the photos", key: "p", group: "This report", when: () => document.querySelector("[data-photo]") !== null, run: () => openPhoto(page) });
void new SightingsMap(frame).open();
present(frame.dataset["reportPage"]!, document.querySelector<HTMLElement>("[data-presence]")!);
