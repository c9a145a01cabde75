// The report's pages. They are plain forms; this makes them quicker where scripts run, and keeps them without signal.
import { Button, CharacterCount, createAll, Radios } from "govuk-frontend";
import "./shared/govuk";
import { forgetAnswers, keepAnswers, type Answers } from "./report/kept";
import { photoFields } from "./report/photos";
import { placeForm } from "./report/place";
import { waitingReports } from "./report/waiting";

createAll(Button);
createAll(CharacterCount);
createAll(Radios);
photoFields();
placeForm();
// Where a browser keeps nothing (a private window, a full disk), the pages are what they are without it.
waitingReports().catch(() => undefined);
navigator.serviceWorker?.register("/sw.js").catch(() => undefined);

/** Should the signal go, the page that works without it has these answers; contact details are not among them. */
const REMEMBERED = ["danger", "q", "landmark", "lat", "lon", "accuracy", "kind", "size", "words"];

if (location.pathname === "/report/done") attempt(forgetAnswers);
document.querySelectorAll("form").forEach((form) => form.addEventListener("submit", () => remember(form)));

function remember(form: HTMLFormElement): void {
  const said: Answers = {};
  for (const [name, value] of new FormData(form)) {
    if (REMEMBERED.includes(name) && typeof value === "string") said[name] = value;
  }
  if (Object.keys(said).length > 0) attempt(() => keepAnswers(said));
}

function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // This browser keeps nothing: see above.
  }
}
