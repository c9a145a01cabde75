// The matching queue: a report beside the defects that it may be of, answered by a key.
import "./hub/shell";
import "./hub/unsure/unsure.scss";
import { Desk } from "./hub/unsure/desk";

const place = document.querySelector<HTMLElement>("[data-unsure]");
if (place) new Desk(place);
