// A report on one page, without any signal: kept on this phone when it is finished, and sent once when the signal returns.
import "./shared/govuk";
import { answers, forgetAnswers, keep, outbox, type Waiting, type Written } from "./report/kept";
import { flush, sendLater, tell } from "./report/outbox";
import { PhotoField } from "./report/photos";
import { puttingRight, refreshed, waitingReports } from "./report/waiting";

const form = document.querySelector<HTMLFormElement>("[data-offline]")!;
const photos = new PhotoField(form.querySelector<HTMLElement>("[data-photos]")!);
const said = form.querySelector<HTMLElement>("[data-said]")!;
const locate = form.querySelector<HTMLButtonElement>("[data-locate]")!;
const EMAIL = /^[^@\s]+@[^@\s]+$/;
/** How what may be too long is called. */
const LIMITED = {
  address: "Street, and house number or landmark",
  words: "What else we should know",
  email: "Email address",
};
/** The report that was refused and is put right here. */
let refused: Waiting | undefined;

void begin();
locate.addEventListener("click", where);
for (const name of ["lat", "lon"]) field(name).addEventListener("input", () => set("accuracy", ""));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void finished();
});

async function begin(): Promise<void> {
  form.hidden = false;
  if (puttingRight) refused = (await outbox()).find((one) => one.key === puttingRight && one.refused !== undefined);
  if (refused) refilled(refused);
  else filled();
  await waitingReports();
}

function field(name: string): HTMLInputElement {
  return form.elements.namedItem(name) as HTMLInputElement;
}

function set(name: string, value: string): void {
  field(name).value = value;
}

/** What was answered on the pages before the signal went. */
function filled(): void {
  const known = answers();
  for (const name of ["danger", "kind", "lat", "lon", "accuracy", "words", "size"]) {
    const value = known[name];
    if (value) set(name, value);
  }
  if (known["q"] || known["landmark"]) set("address", [known["landmark"], known["q"]].filter(Boolean).join(", "));
}

/** All of a report that was refused, and why it was. */
function refilled(one: Waiting): void {
  const { category, location, address, description, danger, contact } = one.body!;
  set("danger", danger ? "yes" : "no");
  set("lat", String(location.lat));
  set("lon", String(location.lon));
  set("accuracy", String(location.accuracy_m));
  set("address", address ?? "");
  const size = [...form.querySelectorAll<HTMLOptionElement>("#size option[data-words]")].find((option) =>
    description.startsWith(option.dataset["words"]!),
  );
  set("size", size?.value ?? "");
  set("words", description.slice(size?.dataset["words"]?.length ?? 0).trim());
  set("email", contact?.email ?? "");
  // A kind that is no more is chosen anew.
  if (form.querySelector(`#kind option[value="${CSS.escape(category)}"]`)) set("kind", category);
  photos.add(one.photos);
  const title = "Put your report right";
  document.title = document.title.replace("Report without signal", title);
  document.querySelector("h1")!.textContent = title;
  document.querySelector("[data-intro]")!.textContent = `This report was not taken. ${one.refused}`;
  const wrong = faults();
  if (wrong.length > 0) show(wrong);
}

function where(): void {
  said.textContent = "Finding where you are";
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      const metres = Math.max(1, Math.round(coords.accuracy));
      set("lat", coords.latitude.toFixed(6));
      set("lon", coords.longitude.toFixed(6));
      set("accuracy", String(metres));
      said.textContent = tooWide() ?? `Found, to within ${metres} metres.`;
    },
    () => {
      said.textContent = "We could not find where you are. Try again outdoors, or enter latitude and longitude.";
    },
    { enableHighAccuracy: true, timeout: 20_000, maximumAge: tooWide() ? 0 : 60_000 },
  );
}

/** What to do where the place is not known as well as the service needs it. */
function tooWide(): string | undefined {
  const { value, dataset } = field("accuracy");
  const words = `The place is known to within ${value} metres only, and ${dataset["most"]} are needed`;
  return Number(value) > Number(dataset["most"]) ? `${words}. Try again outdoors, or enter latitude and longitude` : undefined;
}

let keeping = false;

/** Pressed twice, it is one report; what is not right yet can be put right and pressed again at once. */
async function finished(): Promise<void> {
  const wrong = faults();
  show(wrong);
  if (wrong.length > 0 || keeping) return;
  keeping = true;
  try {
    await photos.ready;
    await keep({ key: crypto.randomUUID(), body: body(), photos: photos.photos, at: Date.now() }, refused?.key);
  } catch {
    keeping = false;
    show([unkept()]);
    return;
  }
  if (!refused) forgetAnswers();
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

/** Mostly there is no room: photos are what takes it. */
function unkept(): Fault {
  return photos.photos.length > 0
    ? { id: "photo", words: "It could not be kept on this phone. Remove the photos, and keep it without them" }
    : { id: "keep", words: "It could not be kept on this phone. Make room on it, and try again" };
}

function faults(): Fault[] {
  const wrong: Fault[] = [];
  if (field("danger").value === "") wrong.push({ id: "danger", words: "Select yes if anyone is in danger now" });
  const lat = Number(field("lat").value || "x");
  const lon = Number(field("lon").value || "x");
  if (!(Math.abs(lat) <= 90 && Math.abs(lon) <= 180)) {
    wrong.push({ id: "lat", words: "Use your location, or enter latitude and longitude" });
  }
  const wide = tooWide();
  if (wide) wrong.push({ id: "lat", words: wide });
  if (field("kind").value === "") wrong.push({ id: "kind", words: "Select what is wrong" });
  for (const [id, name] of Object.entries(LIMITED)) {
    const { value, dataset } = field(id);
    const most = Number(dataset["most"]);
    if (value.trim().length > most) wrong.push({ id, words: `${name} must be ${most} characters or fewer` });
  }
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

function body(): Written {
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
