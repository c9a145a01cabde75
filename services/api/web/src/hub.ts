// A page of the hub with nothing of its own.
import "./hub/shell";
