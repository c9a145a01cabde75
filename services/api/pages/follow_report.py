"""The page of a report: for everybody in plain words; for its reporter with what was said, and what can be done."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import FileResponse, HTMLResponse

from services.api import following, templates, tracking
from services.api.deps import Now, Read, for_everybody
from services.api.report_acts import Acts, acts_of
from services.api.schemas import Words
from services.api.tracking import ActLimit
from services.api.turns import PhotoTurn
from shared.domain.access import Asker
from shared.domain.public_words import public_words
from shared.domain.screening import screen
from shared.domain.terms import ReportId, ReportState
from shared.errors import Invalid, NotFound, TooLarge
from shared.flows import decide_report, leave_report
from shared.flows.receive_photo import OfReport, PhotoIn, TooManyPhotos, receive
from shared.store import contacts, photo_files, policies, references
from shared.store.engine import ReadTx, WriteTx, reading
from shared.store.photo_files import Copy
from shared.store.policies import InForce
from shared.store.read_models import following as beside
from shared.store.read_models import photos, reports

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

DONE = {
    "challenged": ("We are looking at it again", "Somebody reads what you told us and decides what happens next."),
    "answered": ("Thank you for your answer", "Somebody reads it and decides what happens next."),
    "withdrawn": ("You have withdrawn your report", "If it told of a problem that we know of, we go on mending that."),
    "stopped": ("We will not write to you about this report again", "This page still tells you what becomes of it."),
    "again": ("We will write to you about this report again", "You can stop it at any time."),
    "forgotten": (
        "We have deleted your contact details",
        "We cannot write to you about this report any more. This page still tells you what becomes of it.",
    ),
    "link": (
        "This link does not open the report for you",
        "You see what everybody sees. Use the link that you were given when you sent the report, and copy all of it.",
    ),
}
LONGEST = 4000
_SAYS_WHY = (ReportState.REFERRED, ReportState.NO_DEFECT_FOUND)
"""States whose reason everybody is told, not the reporter alone."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A report, who looks at it, and what may be done."""

    told: reports.Told
    rules: InForce
    reporter: Asker | None
    acts: Acts

    @property
    def row(self) -> Any:
        return self.told.row


def _seen(tx: ReadTx, request: Request, reference: str, now: datetime) -> Seen:
    told = reports.told(tx, references.read(reference))
    rules = policies.in_force(tx, now)
    reporter = tracking.opened_by(tx, tracking.cookie_of(request), told.row.id, now)
    reached = None if reporter is None else contacts.standing(tx, told.row.id)
    return Seen(told, rules, reporter, acts_of(told, rules, reached, now) if reporter else Acts())


@router.get("/reports/{reference}", response_model=None)
@for_everybody
def show(
    reference: str,
    request: Request,
    tx: Read,
    now: Now,
    token: Annotated[str | None, Query(max_length=200)] = None,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Where the report stands and what happened. The secret of a tracking link goes from the address into a cookie."""
    known = references.read(reference)
    if token is not None:
        return _exchanged(tx, known, token, now)
    if known != reference:
        return tracking.see(tracking.address(known), done)
    return _page(tx, _seen(tx, request, known, now), DONE.get(done))


def _exchanged(tx: ReadTx, reference: str, token: str, now: datetime) -> Response:
    told = reports.told(tx, reference)
    is_reporter = tracking.opened_by(tx, token, told.row.id, now) is not None
    answer = tracking.see(tracking.address(reference), "" if is_reporter else "link")
    if is_reporter:
        tracking.remember(answer, reference, token)
    return answer


def _page(tx: ReadTx, seen: Seen, done: tuple[str, str] | None) -> Response:
    row, rules, is_own = seen.row, seen.rules, seen.reporter is not None
    page = templates.page(
        "report.html",
        title=following.title_of(row.class_code, rules),
        told=seen.told,
        row=row,
        dates=following.dates_of(rules),
        tags=following.TAGS,
        defects=[following.found(tx, one, rules) for one in seen.told.defects],
        own=is_own,
        acts=seen.acts,
        words=row.description if is_own else _words(row, rules),
        why=_why(row, is_own=is_own),
        notes=reports.notes(tx, row.id) if is_own else [],
        shots=reports.photos(tx, row.id) if is_own else photos.public_of_report(tx, row.id),
        questions=beside.questions_repair_of(tx, row.id),
        done=done,
    )
    page.headers.update(following.PRIVATE if is_own or done else following.PUBLIC)
    return page


def _words(row: Any, rules: InForce) -> str | None:
    state = ReportState(row.state)
    return public_words(
        row.description, state, rules.policy.privacy, released=row.words_released, withheld=row.words_withheld
    )


def _why(row: Any, *, is_own: bool) -> str | None:
    """Why it was passed on or nothing was found; what else is told in an outcome is the reporter's own business."""
    if not row.outcome or not (is_own or row.state in _SAYS_WHY):
        return None
    return str(row.outcome) if is_own else screen(row.outcome).words


@router.get("/reports/{reference}/photos/{photo}", response_model=None)
@for_everybody
def own_photo(reference: str, photo: str, request: Request, tx: Read, now: Now) -> Response:
    """A photo for its reporter, also before everybody may see it."""
    seen = _seen(tx, request, reference, now)
    found = None if seen.reporter is None else photos.visible(tx, photo, seen.reporter)
    if found is None:
        raise NotFound("There is no such photo, or it is not for you.")
    headers = {**following.PRIVATE, "Content-Security-Policy": "sandbox"}
    return FileResponse(photo_files.path(found.reference, Copy.SMALL), media_type="image/jpeg", headers=headers)


# --- what the reporter does ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A page that asks one thing before it is done."""

    template: str
    may: Callable[[Acts], bool]


ASKING = {
    "not-fixed": Asked("report_not_fixed.html", lambda acts: acts.challenge_until is not None),
    "answer": Asked("report_answer.html", lambda acts: acts.answer),
    "withdraw": Asked("report_withdraw.html", lambda acts: acts.withdraw),
    "forget": Asked("report_forget.html", lambda acts: acts.is_known),
}


@router.get("/reports/{reference}/{act}", response_model=None)
@for_everybody
def ask(reference: str, act: str, request: Request, tx: Read, now: Now) -> Response:
    """The page that asks before something is done; back to the report where it cannot be done now."""
    form = ASKING.get(act)
    if form is None:
        raise NotFound("There is no such page.")
    seen = _seen(tx, request, reference, now)
    if seen.reporter is None or not form.may(seen.acts):
        return tracking.see(tracking.address(seen.row.reference), "" if seen.reporter else "link")
    return _asked(form.template, seen)


def _asked(template: str, seen: Seen, *, typed: str = "", errors: dict[str, str] | None = None) -> Response:
    page = templates.page(
        template,
        422 if errors else 200,
        row=seen.row,
        title=following.title_of(seen.row.class_code, seen.rules),
        dates=following.dates_of(seen.rules),
        acts=seen.acts,
        typed=typed,
        errors=errors or {},
    )
    page.headers.update(following.PRIVATE)
    return page


def _do(
    request: Request, reference: str, now: datetime, done: str, do: Callable[[WriteTx, str, int], object]
) -> Response:
    """Do it for the reporter whose cookie this is, and show the report."""
    with reading() as tx:
        seen = _seen(tx, request, reference, now)
    path = tracking.address(seen.row.reference)
    if seen.reporter is None:
        return tracking.see(path, "link")
    tracking.act(request, seen.reporter, lambda tx: do(tx, seen.row.reference, seen.row.id))
    return tracking.see(path, done)


@router.post("/reports/{reference}/not-fixed", response_model=None)
@for_everybody
def not_fixed(
    reference: str,
    request: Request,
    now: Now,
    _limit: ActLimit,
    _turn: PhotoTurn,
    words: Annotated[Words, Form()] = "",
    photo: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """The reporter says that it is not settled, with a photo if there is one: a person looks again."""
    wrong = _wrong(words, "Tell us what is still wrong")
    data = photo.file.read() if photo is not None and photo.size else None
    if wrong:
        return _again("report_not_fixed.html", request, reference, now, words, {"words": wrong})

    def challenge(tx: WriteTx, reference: str, report_id: int) -> None:
        if data is not None:
            receive(tx, PhotoIn(data, OfReport(ReportId(report_id))), now)
        decide_report.challenge(tx, reference, report_id, words, now)

    try:
        return _do(request, reference, now, "challenged", challenge)
    except (Invalid, TooLarge, TooManyPhotos) as no:
        return _again("report_not_fixed.html", request, reference, now, words, {"photo": no.detail})


@router.post("/reports/{reference}/answer", response_model=None)
@for_everybody
def answer(
    reference: str, request: Request, now: Now, _limit: ActLimit, words: Annotated[Words, Form()] = ""
) -> Response:
    """The reporter answers what was asked."""
    wrong = _wrong(words, "Enter your answer")
    if wrong:
        return _again("report_answer.html", request, reference, now, words, {"words": wrong})
    return _do(
        request, reference, now, "answered", lambda tx, known, mine: decide_report.answer(tx, known, mine, words, now)
    )


def _wrong(words: str, when_empty: str) -> str | None:
    if not words.strip():
        return when_empty
    return f"Use {LONGEST:,} characters or fewer" if len(words) > LONGEST else None


def _again(
    template: str, request: Request, reference: str, now: datetime, typed: str, errors: dict[str, str]
) -> Response:
    """The same page with what is wrong, and with what was typed."""
    with reading() as tx:
        seen = _seen(tx, request, reference, now)
    if seen.reporter is None:
        return tracking.see(tracking.address(seen.row.reference), "link")
    return _asked(template, seen, typed=typed, errors=errors)


@router.post("/reports/{reference}/withdraw", response_model=None)
@for_everybody
def withdraw(reference: str, request: Request, now: Now, _limit: ActLimit) -> Response:
    """The reporter takes the report back."""
    return _do(
        request, reference, now, "withdrawn", lambda tx, known, mine: decide_report.withdraw(tx, known, mine, now)
    )


@router.post("/reports/{reference}/stop", response_model=None)
@for_everybody
def stop(reference: str, request: Request, now: Now, _limit: ActLimit) -> Response:
    """The reporter wants no more messages."""
    return _do(
        request, reference, now, "stopped", lambda tx, known, mine: leave_report.stop_being_told(tx, known, mine, now)
    )


@router.post("/reports/{reference}/tell", response_model=None)
@for_everybody
def tell(reference: str, request: Request, now: Now, _limit: ActLimit) -> Response:
    """The reporter wants messages again."""
    return _do(
        request, reference, now, "again", lambda tx, known, mine: leave_report.be_told_again(tx, known, mine, now)
    )


@router.post("/reports/{reference}/forget", response_model=None)
@for_everybody
def forget(reference: str, request: Request, now: Now, _limit: ActLimit) -> Response:
    """The reporter's contact details are deleted at once."""
    return _do(
        request, reference, now, "forgotten", lambda tx, known, mine: leave_report.forget_me(tx, known, mine, now)
    )


@router.post("/reports/{reference}/leave", response_model=None)
@for_everybody
def leave(reference: str) -> Response:
    """Whoever uses this browser next sees what everybody sees."""
    known = references.read(reference)
    answer = tracking.see(tracking.address(known))
    tracking.forget(answer, known)
    return answer
