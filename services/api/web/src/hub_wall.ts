// The wallboard: the board for a television. Nobody touches it, so it mends itself, or says in large letters what a person
// must do.
import "./hub/board/board.scss";
import "./hub/board/wall.scss";
import { Counters } from "./hub/board/counters";
import { Happenings } from "./hub/board/happenings";
import type { BoardMap } from "./hub/board/map";
import { Keeper } from "./hub/board/keeper";
import { mapIn } from "./hub/board/place";
import { live } from "./hub/live";

const body = document.body;
const shown = document.querySelector<HTMLElement>("[data-live]")!;
const counters = new Counters(document.querySelectorAll<HTMLElement>("[data-count]"));
const happenings = new Happenings(document.querySelector<HTMLElement>("[data-happenings]")!, { most: 40, linked: false });
const keeper = new Keeper(body.dataset["script"]!);
let map: BoardMap | undefined;

live.onstate((state, words) => {
  shown.dataset["live"] = state;
  shown.querySelector("[data-live-words]")!.textContent = words;
  body.classList.toggle("wall--lost", state === "lost");
  keeper.state(state);
});
live.online((line) => {
  counters.line();
  happenings.add(line);
  map?.line(line);
});
live.onback(() => {
  counters.changed();
  map?.refresh();
});
live.onreset(() => void anew());
live.onout(() => keeper.out());
counters.onanswer((board, changedByItself) => {
  map?.until(Date.parse(board.today.before) / 1000);
  if (changedByItself) map?.refresh();
});

async function anew(): Promise<void> {
  counters.changed();
  map?.refresh();
  try {
    await happenings.load();
  } catch {
    // The connection's return asks again.
    keeper.wants(() => void anew());
  }
}
void anew();

const clock = document.querySelector<HTMLElement>("[data-clock]")!;
const CLOCK = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "Europe/London" });
function tell(): void {
  clock.textContent = CLOCK.format(new Date()).replace(",", "");
}
tell();
window.setInterval(tell, 1000);

async function draw(): Promise<void> {
  const place = document.querySelector<HTMLElement>("[data-map]")!;
  map = await mapIn(place, { still: true, scale: Math.max(1, window.innerWidth / 1200) });
  if (!map) return body.classList.add("wall--without-map");
  map.until(Date.parse(body.dataset["before"]!) / 1000);
  place.dataset["ready"] = "yes";
}
// Where it fails the keeper hears of it, and begins the page afresh.
void draw();
