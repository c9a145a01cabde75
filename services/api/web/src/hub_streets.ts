// Streets: the chosen one on a small map.
import "./hub/shell";
import { REDRAWN } from "./hub/settings/forms";
import { draw } from "./hub/settings/street_map";

draw();
document.addEventListener(REDRAWN, draw);
