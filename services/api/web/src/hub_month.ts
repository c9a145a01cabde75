// A month: its page is whole without this; here are the keys.
import "./hub/shell";
import "./hub/month.scss";
import { command } from "./hub/keys";

for (const link of document.querySelectorAll<HTMLAnchorElement>("[data-key]")) {
  command({ name: link.textContent, key: link.dataset["key"]!, group: "Month", run: () => link.click() });
}
const download = document.querySelector<HTMLAnchorElement>("a[download]")!;
command({ name: download.textContent, group: "Month", run: () => download.click() });
