"""Following: one follow for an address and a subject, confirmed by its link, and no way to fill a mailbox."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import insert, select, update

from shared.domain.follows import Rhythm
from shared.domain.reaching import NotAnAddress
from shared.errors import NotFound
from shared.flows import follow_place
from shared.flows.follow_place import Followed, NotAPlace
from shared.settings import settings
from shared.store.engine import WriteTx
from shared.store.tables import follow, message, street
from tests.factories import a_defect, adopt_default_policy

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
SAM = "sam@example.org"
SQUARE = [(-2.72, 53.76), (-2.70, 53.76), (-2.70, 53.77), (-2.72, 53.77)]


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ROADMEND_SECRET_KEY", "0123456789abcdef0123456789abcdef")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def defect_followed(tx: WriteTx) -> Callable[..., Followed]:
    """Follow one defect, as often as it is called."""
    adopt_default_policy(tx)
    defect_id = a_defect(tx)

    def do(email: str = SAM, now: datetime = NOW, **more: Rhythm) -> Followed:
        return follow_place.follow_defect(tx, defect_id, email=email, now=now, **more)

    return do


def asked(tx: WriteTx) -> int:
    return len(tx.execute(select(message.c.id).where(message.c.template == "follow_confirm")).all())


def test_following_is_asked_about_once_and_holds_when_its_link_says_so(
    tx: WriteTx, defect_followed: Callable[..., Followed]
) -> None:
    made = defect_followed()

    assert (made.asked, made.confirmed) == (True, False)
    assert "Pothole" in made.name
    assert follow_place.found(tx, made.secret).confirmed_at is None

    kept = follow_place.confirm(tx, made.secret, NOW + HOUR)

    assert kept.confirmed_at == NOW + HOUR
    assert follow_place.confirm(tx, made.secret, NOW + 2 * HOUR).confirmed_at == NOW + HOUR


def test_following_twice_is_one_follow_however_the_address_is_written(
    tx: WriteTx, defect_followed: Callable[..., Followed]
) -> None:
    one = defect_followed()
    follow_place.confirm(tx, one.secret, NOW)

    again = defect_followed(email=" Sam@Example.org", rhythm=Rhythm.WEEKLY)

    assert (again.secret, again.confirmed) == (one.secret, True)
    assert len(tx.execute(select(follow.c.id)).all()) == 1
    # A form is filled in by anybody: what its owner chose stays.
    assert follow_place.found(tx, one.secret).rhythm is Rhythm.INSTANT


def test_an_end_can_be_repeated_and_undone_and_following_again_asks_again(
    tx: WriteTx, defect_followed: Callable[..., Followed]
) -> None:
    made = defect_followed()
    follow_place.confirm(tx, made.secret, NOW)

    follow_place.end(tx, made.secret, NOW + HOUR)
    assert follow_place.end(tx, made.secret, NOW + 2 * HOUR).ended_at == NOW + HOUR
    assert follow_place.confirm(tx, made.secret, NOW + 3 * HOUR).ended_at is None

    follow_place.end(tx, made.secret, NOW + 4 * HOUR)
    again = defect_followed(now=NOW + 5 * HOUR)

    assert (again.secret, again.confirmed, again.asked) == (made.secret, False, True)
    assert follow_place.found(tx, made.secret).confirmed_at is None


def test_an_end_takes_back_what_is_not_sent(tx: WriteTx, defect_followed: Callable[..., Followed]) -> None:
    made = defect_followed()

    follow_place.end(tx, made.secret, NOW)

    assert tx.scalar(select(message.c.dropped_at)) == NOW


def test_nobody_can_have_us_fill_a_mailbox(tx: WriteTx) -> None:
    adopt_default_policy(tx)

    for minutes in range(0, 24 * 60, 10):
        follow_place.follow_defect(tx, a_defect(tx), email=SAM, now=NOW + timedelta(minutes=minutes))

    made = sorted(tx.scalars(select(message.c.made_at)))
    assert len(made) == 4
    assert all(later - earlier >= HOUR for earlier, later in pairwise(made))


def test_one_link_confirms_all_that_its_address_asked_for(
    tx: WriteTx, defect_followed: Callable[..., Followed]
) -> None:
    first = defect_followed()
    second = follow_place.follow_shape(tx, SQUARE, email=SAM, now=NOW)
    others = defect_followed(email="ali@example.org")

    waiting = follow_place.waiting_with(tx, follow_place.found(tx, first.secret))
    stranger = follow_place.found(tx, others.secret)
    follow_place.confirm(tx, first.secret, NOW, also=[waiting[0].id, stranger.id])

    assert [one.name for one in waiting] == [second.name]
    assert not second.asked
    assert follow_place.found(tx, second.secret).confirmed_at == NOW
    assert follow_place.found(tx, others.secret).confirmed_at is None


def test_a_street_and_an_area_are_followed_by_name(tx: WriteTx) -> None:
    line = "SRID=27700;MULTILINESTRING((353000 430000,353100 430000))"
    tx.execute(insert(street).values(network_id="n1", street_key="usrn 1", name="Fishergate", geom=line))

    made = follow_place.follow_street(tx, "usrn 1", email=SAM, rhythm=Rhythm.DAILY, now=NOW)

    assert made.name == "Fishergate"
    assert follow_place.found(tx, made.secret).rhythm is Rhythm.DAILY
    with pytest.raises(NotFound):
        follow_place.follow_street(tx, "usrn 2", email=SAM, now=NOW)
    with pytest.raises(NotFound):
        follow_place.follow_area(tx, "E05000001", email=SAM, now=NOW)


def test_the_same_circle_is_one_follow_and_another_radius_another(tx: WriteTx) -> None:
    def around(radius_m: float) -> Followed:
        return follow_place.follow_circle(tx, "PR1 8XJ", 53.7632, -2.7031, radius_m, email=SAM, now=NOW)

    assert around(1000).secret == around(1000).secret != around(500).secret
    assert around(1000).name == "PR1 8XJ and 1 km around it"
    for radius_m in (10, 50_000):
        with pytest.raises(NotAPlace):
            around(radius_m)


@pytest.mark.parametrize(
    "corners",
    [
        SQUARE[:2],
        [SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]],
        [(-3.5, 53.0), (-1.5, 53.0), (-1.5, 54.5), (-3.5, 54.5)],
        [(-2.72, 53.76), (-2.70, 190.0), (-2.70, 53.77)],
        [(-2.72 + n / 1e5, 53.76 + n * n / 1e9) for n in range(300)],
    ],
)
def test_a_shape_that_is_no_area_is_refused(tx: WriteTx, corners: list[tuple[float, float]]) -> None:
    with pytest.raises(NotAPlace):
        follow_place.follow_shape(tx, corners, email=SAM, now=NOW)


def test_a_text_is_followed_by_a_number_that_takes_them(tx: WriteTx) -> None:
    made = follow_place.follow_shape(tx, SQUARE, phone="07700 900123", now=NOW)

    assert follow_place.found(tx, made.secret).phone == "+447700900123"
    assert tx.scalar(select(message.c.channel)) == "sms"
    for wrong in ("01772 900123", "sam"):
        with pytest.raises(NotAnAddress):
            follow_place.follow_shape(tx, SQUARE, phone=wrong, now=NOW)


def test_a_link_whose_address_is_forgotten_opens_nothing(tx: WriteTx, defect_followed: Callable[..., Followed]) -> None:
    made = defect_followed()
    follow_place.end(tx, made.secret, NOW)
    tx.execute(update(follow).values(email=None))

    for act in (follow_place.confirm, follow_place.end):
        with pytest.raises(NotFound):
            act(tx, made.secret, NOW)


def test_a_secret_is_not_stored_and_another_opens_nothing(
    tx: WriteTx, defect_followed: Callable[..., Followed]
) -> None:
    made = defect_followed()

    stored = tx.execute(select(follow)).one()

    assert made.secret not in str(tuple(stored))
    with pytest.raises(NotFound):
        follow_place.found(tx, made.secret[:-1])
