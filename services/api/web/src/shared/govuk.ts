// What every page has. A page's own script starts the further components that it shows, so that no page carries all.
import { createAll, ErrorSummary, ServiceNavigation, SkipLink } from "govuk-frontend";

/** GOV.UK Frontend starts nothing without these classes; its template sets them inline, which our policy forbids. */
document.body.classList.add("js-enabled", "govuk-frontend-supported");

createAll(ErrorSummary);
createAll(ServiceNavigation);
createAll(SkipLink);
