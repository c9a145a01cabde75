// How repairs were drawn: a page to read.
import "./hub/shell";
import "./hub/results.scss";
