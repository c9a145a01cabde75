"""Somebody follows a defect, a street, an area or what lies in a shape: asked, confirmed by its link, changed, ended.

Until it is confirmed nothing is told but one message that asks; an address gets one such an hour at most, and a few a
day, so that nobody can have us fill a mailbox. Its link shows all that waits to be confirmed for the address.
"""

import base64
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import shapely
from shapely.geometry import Polygon

from shared.domain import follows as rules
from shared.domain import reaching
from shared.domain.follows import Kind, Rhythm
from shared.errors import Invalid, NotFound
from shared.settings import settings
from shared.store import follows, messages, policies, references
from shared.store.engine import ReadTx, WriteTx
from shared.store.follows import CONFIRM, FollowRow, Reach, Subject
from shared.store.messages import NewMessage

__all__ = [
    "FollowRow",
    "Followed",
    "Rhythm",
    "change_rhythm",
    "confirm",
    "end",
    "follow_area",
    "follow_circle",
    "follow_defect",
    "follow_secret",
    "follow_shape",
    "follow_street",
    "found",
    "waiting_with",
]

ASKED_EVERY = timedelta(hours=1)
ASKED_A_DAY = 4
RADIUS_M = (50.0, 20_000.0)
MOST_CORNERS = 200
LARGEST_M2 = 1_000e6
"""A thousand square kilometres: a third of Lancashire."""


class NotAPlace(Invalid):
    """What was drawn or named is not a place that can be followed; the detail says why."""

    code = "not-a-place"
    title = "Not a place that can be followed"


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of it. `asked`: a message that asks to confirm was written; False where one went out within the hour.

    Tell none of it to whoever filled in a form: whether an address follows something is its owner's to know. `secret`
    opens the follow; it belongs in the message alone.
    """

    secret: str
    name: str
    confirmed: bool
    asked: bool


def follow_defect(
    tx: WriteTx,
    defect_id: int,
    *,
    email: str | None = None,
    phone: str | None = None,
    rhythm: Rhythm = Rhythm.INSTANT,
    now: datetime,
) -> Followed:
    """Follow one defect; a duplicate stands for its original. Give one of `email` and `phone`, as it was typed.

    Raises:
        NotAnAddress: it cannot be one.
        NotFound: there is no such defect.
    """
    reach = _reach(email, phone)
    found = follows.the_defect(tx, defect_id)
    if found is None:
        raise NotFound("There is no such defect.")
    titles = policies.in_force(tx, now).policy.classes
    kind = titles[found.class_code].title if found.class_code in titles else "Defect"
    where = f" on {found.street}" if found.street else ""
    subject = Subject(Kind.DEFECT, f"{kind}{where} ({found.reference})", defect_id=found.id)
    return _follow(tx, subject, reach, rhythm, now)


def follow_street(
    tx: WriteTx,
    street_key: str,
    *,
    email: str | None = None,
    phone: str | None = None,
    rhythm: Rhythm = Rhythm.INSTANT,
    now: datetime,
) -> Followed:
    """Follow all of one street.

    Raises:
        NotAnAddress: it cannot be one.
        NotFound: no such street is loaded.
    """
    reach = _reach(email, phone)
    name = follows.the_street(tx, street_key)
    if name is None:
        raise NotFound("There is no such street.")
    return _follow(tx, Subject(Kind.STREET, name, street_key=street_key), reach, rhythm, now)


def follow_area(
    tx: WriteTx,
    code: str,
    *,
    email: str | None = None,
    phone: str | None = None,
    rhythm: Rhythm = Rhythm.INSTANT,
    now: datetime,
) -> Followed:
    """Follow a district, a division or a ward, by its code.

    Raises:
        NotAnAddress: it cannot be one.
        NotFound: no such area is loaded.
    """
    reach = _reach(email, phone)
    found = follows.the_area(tx, code)
    if found is None:
        raise NotFound("There is no such area.")
    return _follow(tx, Subject(Kind.AREA, found.name, area_id=found.id), reach, rhythm, now)


def follow_circle(
    tx: WriteTx,
    name: str,
    lat: float,
    lon: float,
    radius_m: float,
    *,
    email: str | None = None,
    phone: str | None = None,
    rhythm: Rhythm = Rhythm.INSTANT,
    now: datetime,
) -> Followed:
    """Follow what lies within so many metres of a place that `name` says in words (a postcode).

    Raises:
        NotAnAddress: it cannot be one.
        NotAPlace: the radius is too small or too large.
    """
    reach = _reach(email, phone)
    least, most = RADIUS_M
    if not least <= radius_m <= most:
        raise NotAPlace(f"Choose between {least:g} m and {most / 1000:g} km.", {"radius": "is too small or too large"})
    wkb = follows.circle(tx, lat, lon, radius_m)
    return _follow(tx, Subject(Kind.CIRCLE, rules.around(name, radius_m), wkb=wkb), reach, rhythm, now)


def follow_shape(
    tx: WriteTx,
    corners: Sequence[tuple[float, float]],
    *,
    name: str = "The area that you drew",
    email: str | None = None,
    phone: str | None = None,
    rhythm: Rhythm = Rhythm.INSTANT,
    now: datetime,
) -> Followed:
    """Follow what lies in a shape, given by its corners as (longitude, latitude) like GeoJSON.

    Raises:
        NotAnAddress: it cannot be one.
        NotAPlace: it has too few or too many corners, crosses itself, or is too large.
    """
    reach = _reach(email, phone)
    wkb = _on_grid(tx, corners)
    return _follow(tx, Subject(Kind.SHAPE, name, wkb=wkb), reach, rhythm, now)


def _on_grid(tx: ReadTx, corners: Sequence[tuple[float, float]]) -> bytes:
    if not 3 <= len(set(corners)) <= MOST_CORNERS:
        raise NotAPlace(f"Draw an area with 3 to {MOST_CORNERS} corners.", {"shape": "has too few or too many corners"})
    if any(not (-180 <= lon <= 180 and -85 <= lat <= 85) for lon, lat in corners):
        raise NotAPlace("A corner lies nowhere on Earth.", {"shape": "has a corner that is no place"})
    drawn = follows.shape(tx, shapely.to_wkt(Polygon(corners), rounding_precision=7))
    if not drawn.valid or drawn.area_m2 <= 0:
        raise NotAPlace("Draw an area whose edge does not cross itself.", {"shape": "crosses itself"})
    if drawn.area_m2 > LARGEST_M2:
        raise NotAPlace(
            f"Draw a smaller area, up to {LARGEST_M2 / 1e6:g} square kilometres.", {"shape": "is too large"}
        )
    return bytes(drawn.wkb)


def _reach(email: str | None, phone: str | None) -> Reach:
    if email is not None and email.strip():
        return Reach(email=reaching.email(email))
    if phone is not None and phone.strip():
        return Reach(phone=reaching.mobile(phone))
    raise reaching.NotAnAddress("Enter your email address.", {"email": "Enter your email address"})


def _follow(tx: WriteTx, subject: Subject, reach: Reach, rhythm: Rhythm, now: datetime) -> Followed:
    """One follow for an address and a subject. Takes the address's lock."""
    follows.lock_address(tx, reach)
    known = follows.same(tx, subject, reach)
    if known is None:
        follow_id = follows.fresh_id(tx)
        follows.add(tx, follow_id, references.digest(follow_secret(follow_id)), subject, reach, rhythm, now)
    else:
        follow_id = known.id
        if known.ended_at is not None or known.confirmed_at is None:
            follows.begin_again(tx, follow_id, rhythm, now)
    confirmed = known is not None and known.ended_at is None and known.confirmed_at is not None
    return Followed(follow_secret(follow_id), subject.name, confirmed, _ask(tx, follow_id, reach, now))


def _ask(tx: WriteTx, follow_id: int, reach: Reach, now: datetime) -> bool:
    """Write the message that asks; not within an hour of the last one, nor more than a few a day."""
    asked = follows.confirmations_since(tx, reach, now - timedelta(days=1))
    if len(asked) >= ASKED_A_DAY or (asked and asked[0] > now - ASKED_EVERY):
        return False
    key = f"confirm:{follow_id}:{now.timestamp():.0f}"
    channel = "email" if reach.email is not None else "sms"
    asks = NewMessage(key=key, follow_id=follow_id, channel=channel, template=CONFIRM, due_at=now)
    return messages.add(tx, [asks], now) == 1


def follow_secret(follow_id: int) -> str:
    """The secret of a follow's link, made of its id and the deployment's key: 192 bits.

    So that the link can be told in every message without being stored; what is stored is its hash.
    """
    made = hmac.digest(settings().secret().encode(), f"follow:{follow_id}".encode(), "sha256")
    return base64.urlsafe_b64encode(made[:24]).decode()


# --- by its link -----------------------------------------------------------------------------------------------------


def found(tx: ReadTx, secret: str) -> FollowRow:
    """The follow of a link.

    Raises:
        NotFound: the link was cut short, or its address is forgotten.
    """
    return _known(follows.by_secret(tx, references.digest(secret)))


def waiting_with(tx: ReadTx, row: FollowRow) -> list[FollowRow]:
    """What else its address has asked to follow and not confirmed yet."""
    return [one for one in follows.standing(tx, row.reach) if one.id != row.id and one.confirmed_at is None]


def confirm(tx: WriteTx, secret: str, now: datetime, *, also: Collection[int] = ()) -> FollowRow:
    """Whoever has the link wants to be told; and of `also`, ids of `waiting_with`. Undoes an end. Safe to repeat.

    Raises:
        NotFound: the link was cut short, or its address is forgotten.
    """
    row = _known(follows.by_secret(tx, references.digest(secret), lock=True))
    others = [one.id for one in waiting_with(tx, row) if one.id in set(also)]
    follows.confirm(tx, [row.id, *others], now)
    return found(tx, secret)


def end(tx: WriteTx, secret: str, now: datetime) -> FollowRow:
    """Nothing more is told. Safe to repeat; `confirm` undoes it.

    Raises:
        NotFound: the link was cut short, or its address is forgotten.
    """
    row = _known(follows.by_secret(tx, references.digest(secret), lock=True))
    follows.end(tx, row.id, now)
    return found(tx, secret)


def change_rhythm(tx: WriteTx, secret: str, rhythm: Rhythm, now: datetime) -> FollowRow:
    """Be told at once, every day or every week.

    Raises:
        NotFound: the link was cut short, or its address is forgotten.
    """
    row = _known(follows.by_secret(tx, references.digest(secret), lock=True))
    follows.set_rhythm(tx, row.id, rhythm, now)
    return found(tx, secret)


def _known(row: FollowRow | None) -> FollowRow:
    if row is None or (row.email is None and row.phone is None):
        raise NotFound("This link is not complete, or what it was for is forgotten. Follow the place again.")
    return row
