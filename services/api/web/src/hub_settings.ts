// People, keys, one's own password: forms that act as their attributes say.
import "./hub/shell";
import "./hub/settings/forms";
import "./hub/settings/keys";
