// The policy: the next version is written or chosen, checked, looked at, and then adopted.
import "./hub/shell";
import "./hub/settings/forms";
import { NextVersion } from "./hub/settings/next_version";

const section = document.querySelector<HTMLElement>("#next");
if (section) new NextVersion(section);
