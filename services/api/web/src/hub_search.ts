// The page of search results; and the reports of an e-mail address, which no address of a page may hold.
import "./hub/shell";
import { act } from "./hub/api";
import { addressOf } from "./hub/links";
import { element, moment, spelt, state } from "./hub/parts";
import { onaddress, type LookedUp, type ReportHit } from "./hub/search";
import "./hub/results.scss";

const HEADS = ["Report", "What", "State", "Street", "Words", "Received", "Is of"];
const place = document.querySelector<HTMLElement>("[data-found]")!;
const box = document.querySelector<HTMLInputElement>("#hub-q")!;

onaddress(async (address) => {
  const told = await act<LookedUp>("/search/reporters", { email: address });
  // What stood in the address before, such as other words, is not what is shown now.
  history.replaceState(null, "", "/hub/search");
  box.value = address;
  place.replaceChildren(said(told), ...(told.reports.length ? [table(told.reports)] : []));
});

function said({ found, reports }: LookedUp): HTMLElement {
  const many = found === 1 ? "1 report is" : `${found} reports are`;
  const shown = found > reports.length ? `, of which the newest ${reports.length} are shown` : "";
  return element("p", { class: "hub-notice" }, `${many} of this address${shown}. That you looked is recorded; the address is not.`);
}

function table(reports: ReportHit[]): HTMLElement {
  return element(
    "section",
    { class: "hub-card found", "aria-label": "Reports of this address" },
    element("h2", {}, "Reports of this address"),
    element(
      "div",
      { class: "hub-scroll", role: "region", "aria-label": "Reports, list", tabindex: "0" },
      element(
        "table",
        { class: "hub-table" },
        element("thead", {}, element("tr", {}, ...HEADS.map((head) => element("th", { scope: "col" }, head)))),
        element("tbody", {}, ...reports.map(row)),
      ),
    ),
  );
}

function row(one: ReportHit): HTMLElement {
  const defects = one.defects.map((defect) => element("a", { class: "hub-figure", href: `/hub/defects/${defect}` }, defect));
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, element("a", { class: "hub-figure", href: addressOf(one) }, one.reference)),
    element("td", {}, spelt(one.class_code), one.danger && element("span", { class: "hub-tag hub-tag--bad" }, "danger")),
    element("td", {}, state(one.state)),
    element("td", {}, one.street ?? "–"),
    element("td", { class: "found__words" }, one.description),
    element("td", {}, moment(one.received_at)),
    element("td", {}, ...(defects.length ? defects : ["–"])),
  );
}
