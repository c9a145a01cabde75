// The board: the map, what just happened, the counters; live, or a past day played again.
import "./hub/shell";
import "./hub/board/board.scss";
import { Counters, figures, type Board } from "./hub/board/counters";
import type { PastDay } from "./hub/board/day";
import { Happenings, MOST } from "./hub/board/happenings";
import type { BoardMap } from "./hub/board/map";
import { mapIn } from "./hub/board/place";
import { asCounts, asFeatures, Replay } from "./hub/board/replay";
import { command } from "./hub/keys";
import { live } from "./hub/live";
import { attempt } from "./hub/says";

const page = document.querySelector<HTMLElement>("[data-board]")!;
const place = page.querySelector<HTMLElement>("[data-map]")!;
const counts = [...page.querySelectorAll<HTMLElement>("[data-count]")];
const buttons = [...page.querySelectorAll<HTMLButtonElement>("[data-filter]")];
const bands = counts.filter((one) => one.dataset["count"]!.startsWith("band-")).map((one) => one.dataset["count"]!.slice(5));
const counters = new Counters(counts);
const list = page.querySelector<HTMLElement>("[data-happenings]")!;
const happenings = new Happenings(list, { onplace: ({ lat, lon }) => map?.go({ lat: lat!, lon: lon! }) });
let map: BoardMap | undefined;
let today: Board["today"] = { from: page.dataset["from"]!, before: page.dataset["before"]! };

// --- live ------------------------------------------------------------------------------------------------------------

live.online((line) => {
  counters.line();
  if (replay.isOn) return;
  happenings.add(line);
  map?.line(line);
});
live.onback((back) => {
  if (!replay.isOn) happenings.mark(back);
  counters.changed();
  map?.refresh();
});
live.onreset(() => void anew());
counters.onanswer((board, changedByItself) => {
  const nextDay = board.today.from !== today.from;
  today = board.today;
  map?.until(Date.parse(today.before) / 1000);
  if (nextDay) filter();
  if (changedByItself) map?.refresh();
});

/** All that is shown, from the record. */
async function anew(): Promise<void> {
  counters.changed();
  map?.refresh();
  await attempt(() => happenings.load());
  page.dataset["listed"] = "yes";
}

// --- filters ---------------------------------------------------------------------------------------------------------

let chosen = new URLSearchParams(location.search).get("show") ?? "";

/** The map shows what the chosen counter counts. */
function filter(): void {
  const button = buttons.find((one) => one.dataset["filter"] === chosen);
  if (!button) chosen = "";
  buttons.forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
  history.replaceState(null, "", chosen ? `?${new URLSearchParams({ show: chosen })}` : location.pathname);
  page.querySelector("[data-shown]")!.textContent = button ? `Map: ${button.dataset["name"]}` : "Map: all that is open";
  const points = button?.dataset["points"] ?? "";
  const wanted = new URLSearchParams(button?.dataset["tiles"] ?? "");
  if (wanted.has("due")) {
    wanted.delete("due");
    wanted.set("due_from", today.from);
    wanted.set("due_before", today.before);
  }
  if (!map) return;
  map.filter(wanted);
  void attempt(() => map!.wait(points));
}

function choose(wanted: string): void {
  chosen = chosen === wanted ? "" : wanted;
  filter();
}

for (const button of buttons) {
  button.addEventListener("click", () => choose(button.dataset["filter"]!));
  command({ name: `Show on the map: ${button.dataset["name"]}`, group: "Board", run: () => choose(button.dataset["filter"]!) });
}
command({ name: "Show all on the map", key: "0", group: "Board", run: () => choose(chosen) });

const heat = page.querySelector<HTMLInputElement>("[data-heat]")!;
heat.addEventListener("change", () => map?.warm(heat.checked));
command({
  name: "Heat or squares",
  key: "h",
  group: "Board",
  run: () => {
    heat.checked = !heat.checked;
    map?.warm(heat.checked);
  },
});

// --- a past day ------------------------------------------------------------------------------------------------------

let drawnAt = 0;

const replay = new Replay(page.querySelector<HTMLElement>("[data-replay-bar]")!, {
  most: MOST,
  shows(day: PastDay | null): void {
    page.classList.toggle("board--past", day !== null);
    document.body.classList.toggle("hub-body--past", day !== null);
    page.querySelector<HTMLElement>("[data-past]")!.hidden = day === null;
    buttons.forEach((button) => (button.disabled = day !== null));
    counters.paused = day !== null;
    happenings.clear();
    if (day) return;
    map?.play(undefined);
    filter();
    void anew();
  },
  moment(day, lines, isAnew, words): void {
    page.querySelector("[data-past-moment]")!.textContent = words;
    if (isAnew) happenings.clear();
    lines.forEach((line) => happenings.add(line));
    const then = asCounts(day.open, bands.map((one) => (one === "none" ? null : one)));
    counters.show(figures(then));
    // Sixty thousand pins take the browser a moment: not at each step of a slider.
    if (lines.length === 0 && !isAnew && drawnAt !== 0 && day.at - drawnAt < 60_000 && drawnAt <= day.at) return;
    drawnAt = day.at;
    map?.play(asFeatures(day.open));
  },
});

// --- begin -----------------------------------------------------------------------------------------------------------

void anew();
filter();

async function draw(): Promise<void> {
  place.hidden = false;
  map = await mapIn(place);
  if (!map) {
    // The counters and the list say it all.
    place.hidden = true;
    page.querySelector<HTMLElement>("[data-no-map]")!.hidden = false;
    return;
  }
  map.until(Date.parse(today.before) / 1000);
  if (heat.checked) map.warm(true);
  filter();
  place.dataset["ready"] = "yes";
}
void attempt(draw);
