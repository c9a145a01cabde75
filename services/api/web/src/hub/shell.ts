// What every page of the hub has: places by keys, the palette, search, sign-out, and whether the feed is heard.
import { signOut } from "./api";
import "./danger";
import { command } from "./keys";
import { live } from "./live";
import "./palette";
import { span } from "./parts";
import { attempt } from "./says";
import "./search";

for (const link of document.querySelectorAll<HTMLAnchorElement>("[data-go]")) {
  const key = link.dataset["go"]!;
  command({ name: `Go to ${link.textContent.toLowerCase()}`, key: `g ${key}`, group: "Places", run: () => link.click() });
}
// On a phone the places are one line that is drawn along: where one is must not lie beyond its edge.
document.querySelector(".hub-top__places [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const search = document.querySelector<HTMLInputElement>("#hub-q");
if (search) command({ name: "Search", key: "/", run: () => search.select() });

document.querySelector("[data-sign-out]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  void attempt(signOut);
});

/** "3 min ago" stays true while the page is open. */
function ages(): void {
  document.querySelectorAll<HTMLTimeElement>("time[data-ago]").forEach((time) => {
    time.textContent = `${span(time.dateTime)} ago`;
  });
}
ages();
window.setInterval(ages, 30_000);

const shown = document.querySelector<HTMLElement>("[data-live]");
if (shown) {
  live.onstate((state, words) => {
    shown.dataset["live"] = state;
    shown.querySelector("[data-live-words]")!.textContent = words;
  });
}
