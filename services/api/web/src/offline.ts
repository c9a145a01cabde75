// A report on one page, without any signal: kept on this phone when it is finished, and sent once when the signal returns.
import "./shared/govuk";
import { answers, forgetAnswers, keep } from "./report/kept";
import { flush, sendLater, tell } from "./report/outbox";
import { PhotoField } from "./report/photos";
import { refreshed, waitingReports } from "./report/waiting";

const form = document.querySelector<HTMLFormElement>("[data-offline]")!;
const photos = new PhotoField(form.querySelector<HTMLElement>("[data-photos]")!);
const said = form.querySelector<HTMLElement>("[data-said]")!;
const locate = form.querySelector<HTMLButtonElement>("[data-locate]")!;
const EMAIL = /^[^@\s]+@[^@\s]+$/;

form.hidden = false;
filled();
void waitingReports();
locate.addEventListener("click", where);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void finished();
});

function field(name: string): HTMLInputElement {
  return form.elements.namedItem(name) as HTMLInputElement;
}

/** What was answered on the pages before the signal went. */
function filled(): void {
  const known = answers();
  for (const name of ["danger", "kind", "lat", "lon", "accuracy", "words", "size"]) {
    const value = known[name];
    if (value) field(name).value = value;
  }
  if (known["q"] || known["landmark"]) field("address").value = [known["landmark"], known["q"]].filter(Boolean).join(", ");
}

function where(): void {
  said.textContent = "Finding where you are";
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      field("lat").value = coords.latitude.toFixed(6);
      field("lon").value = coords.longitude.toFixed(6);
      field("accuracy").value = String(Math.max(1, Math.round(coords.accuracy)));
      said.textContent = `Found, to within ${Math.max(1, Math.round(coords.accuracy))} metres.`;
    },
    () => {
      said.textContent = "We could not find where you are. Try again outdoors, or enter latitude and longitude.";
    },
    { enableHighAccuracy: true, timeout: 20_000, maximumAge: 60_000 },
  );
}

let keeping = false;

/** Pressed twice, it is one report; what is not right yet can be put right and pressed again at once. */
async function finished(): Promise<void> {
  const wrong = faults();
  show(wrong);
  if (wrong.length > 0 || keeping) return;
  keeping = true;
  await keep({ key: crypto.randomUUID(), body: body(), photos: [...photos.photos], at: Date.now() });
  forgetAnswers();
  form.hidden = true;
  document.querySelector<HTMLElement>("[data-intro]")!.hidden = true;
  await sendLater();
  tell();
  await refreshed();
  document.querySelector<HTMLElement>("[data-waiting]")!.focus();
  await flush();
}

interface Fault {
  id: string;
  words: string;
}

function faults(): Fault[] {
  const wrong: Fault[] = [];
  const lat = Number(field("lat").value || "x");
  const lon = Number(field("lon").value || "x");
  if (!(Math.abs(lat) <= 90 && Math.abs(lon) <= 180)) {
    wrong.push({ id: "lat", words: "Use your location, or enter latitude and longitude" });
  }
  if (field("kind").value === "") wrong.push({ id: "kind", words: "Select what is wrong" });
  const email = field("email").value.trim();
  if (email && !EMAIL.test(email)) {
    wrong.push({ id: "email", words: "Enter an email address in the correct format, like name@example.com" });
  }
  return wrong;
}

function show(wrong: Fault[]): void {
  const summary = document.querySelector<HTMLElement>("[data-faults]")!;
  const list = summary.querySelector("ul")!;
  list.replaceChildren(
    ...wrong.map(({ id, words }) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `#${id}`;
      link.textContent = words;
      item.append(link);
      return item;
    }),
  );
  summary.hidden = wrong.length === 0;
  document.title = document.title.replace(/^Error: /, "");
  if (wrong.length > 0) {
    document.title = `Error: ${document.title}`;
    summary.focus();
  }
}

/** As POST /api/v1/reports takes it. */
function body(): Record<string, unknown> {
  const size = field("size").value;
  const words = field("words").value.trim();
  const told = (form.querySelector<HTMLOptionElement>(`#size option[value="${size}"]`)?.dataset["words"] ?? "").trim();
  const email = field("email").value.trim();
  const address = field("address").value.trim();
  return {
    category: field("kind").value,
    location: {
      lat: Number(field("lat").value),
      lon: Number(field("lon").value),
      accuracy_m: Number(field("accuracy").value || 10),
    },
    ...(address ? { address } : {}),
    description: [told, words].filter(Boolean).join(" "),
    danger: field("danger").value === "yes",
    observed_at: new Date().toISOString(),
    ...(email ? { contact: { email } } : {}),
  };
}
