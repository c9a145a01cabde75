// A page with nothing of its own: the components that every page has.
import "./shared/govuk";
