"""Holds the record against what must always be true (DESIGN 9): each check is a sentence, and what breaks it.

Most checks are files in `sql/doctor`: the file's name is the check's name, its first line the sentence, and its
statement yields one row for each thing that breaks it. They read one consistent view, also under load.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import shapely
from sqlalchemy import BigInteger, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.dedupe import judge, reach_m
from shared.domain.events import LISTENERS, Consumer
from shared.domain.lifecycle import DEFECT, ORDER, REPORT, WARRANTY
from shared.domain.steps import Lifecycle
from shared.domain.terms import ENDED_DEFECT, OPEN_DEFECT, OrderState, WarrantyState
from shared.domain.verdicts import Place, Same, Sighting, Standing
from shared.errors import Refusal
from shared.settings import settings
from shared.store import feed, network, photo_files, policies, whole_database
from shared.store.engine import ReadTx
from shared.store.policies import InForce

MOST_SHOWN = 20
"""A check shows so many of what breaks it, and counts the rest."""
AUDITS = frozenset({"nothing_personal_in_the_record"})
"""Checks that read everything there is; only an audit makes them."""

_SQL = Path(__file__).parent / "sql"
_FILES = sorted((_SQL / "doctor").glob("*.sql"))


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: how many things break it, and the first of them. None: it is true."""

    check: str
    sentence: str
    broken: int
    shown: tuple[str, ...]

    @property
    def clean(self) -> bool:
        return self.broken == 0


def examine(tx: ReadTx, now: datetime, *, audit: bool = False) -> Iterator[Finding]:
    """Make every check, one after another. `audit` recomputes the feed's chain from its first line, and reads all."""
    tx.execute(text("SET LOCAL work_mem = '256MB'"))
    for file in _FILES:
        if audit or file.stem not in AUDITS:
            yield _by_statement(tx, file)
    for name, (sentence, broken) in _OTHERS.items():
        yield _finding(name, sentence, broken(tx, now))
    if audit:
        yield _finding("feed_chain", "The hashes of the feed's lines chain.", _broken_chain(tx))


def examine_photos(tx: ReadTx) -> Finding:
    """Read the original of every photo, on the machine where they lie."""
    photos = whole_database.photos(tx)
    broken = [one.reference for one in photos if not photo_files.are_whole(one.reference, one.sha256)]
    return _finding("photos_are_there", "Every photo has its files, and its original is what was received.", broken)


def _by_statement(tx: ReadTx, file: Path) -> Finding:
    written = file.read_text()
    sentence = written.splitlines()[0].removeprefix("--").strip()
    return _finding(file.stem, sentence, [str(ref) for ref in tx.scalars(_bound(written), _given(written))])


def _finding(name: str, sentence: str, broken: Sequence[str]) -> Finding:
    return Finding(name, sentence, len(broken), tuple(broken[:MOST_SHOWN]))


def _bound(written: str) -> Any:
    lists = [bindparam(name, type_=ARRAY(Text)) for name in _LISTS if f":{name}" in written]
    return text(written).bindparams(*lists)


def _given(written: str) -> dict[str, Any]:
    return {name: list(values) for name, values in _LISTS.items() if f":{name}" in written}


def _steps() -> Iterator[tuple[str, str, str]]:
    """Every lawful step as (subject, before, after); before is empty for the first."""
    machines: Mapping[str, Lifecycle[Any]] = {
        "report": REPORT,
        "defect": DEFECT,
        "works_order": ORDER,
        "warranty": WARRANTY,
    }
    for subject, machine in machines.items():
        yield subject, "", str(_FIRST.get(subject, machine.initial))
        for before, after in machine.steps:
            yield subject, str(before), str(after)


_FIRST = {"works_order": OrderState.ISSUED, "warranty": WarrantyState.ACTIVE}
"""An order is recorded when it is issued, a warranty when its repair is verified: neither is kept as a draft."""
_LAWFUL = list(_steps())
_LISTENING = [(kind.__name__, str(to)) for kind, consumers in LISTENERS.items() for to in consumers]
_LISTS: Mapping[str, Sequence[str]] = {
    "subjects": [subject for subject, _, _ in _LAWFUL],
    "befores": [before for _, before, _ in _LAWFUL],
    "afters": [after for _, _, after in _LAWFUL],
    "kinds": [kind for kind, _ in _LISTENING],
    "consumers": [to for _, to in _LISTENING],
    "fed": [kind for kind, to in _LISTENING if to == Consumer.FEED],
    "open": sorted(OPEN_DEFECT),
    "ended": sorted(ENDED_DEFECT),
}


# --- checks that a statement alone cannot make ------------------------------------------------------------------------


def _unfit(tx: ReadTx, now: datetime) -> list[str]:
    try:
        rules = policies.in_force(tx, now)
        network.require_grid(tx, exact=rules.policy.place.require_grid)
    except Refusal as no:
        return [no.detail]
    return []


def _broken_chain(tx: ReadTx) -> list[str]:
    broken = feed.first_broken_link(tx)
    return [] if broken is None else [f"line {broken}"]


_FOUNDERS = text(
    """
    SELECT array_agg(sighting.id) AS ids, array_agg(ST_X(sighting.geom)) AS xs, array_agg(ST_Y(sighting.geom)) AS ys
    FROM sighting JOIN defect ON defect.id = sighting.defect_id
    WHERE sighting.verdict = 'new' AND sighting.unlinked_at IS NULL AND sighting.merged_from IS NULL
      AND defect.state = ANY (:open)
    """
).bindparams(bindparam("open", type_=ARRAY(Text)))
_PAIRS = text((_SQL / "doctor_founders.sql").read_text()).bindparams(
    *(bindparam(name, type_=ARRAY(BigInteger)) for name in ("ones", "others")), bindparam("open", type_=ARRAY(Text))
)


def _near(tx: ReadTx, reach_m: float) -> tuple[list[int], list[int]]:
    """Sightings that founded open defects, in pairs no further apart than that. A million take some ten seconds."""
    founders = tx.execute(_FOUNDERS, {"open": sorted(OPEN_DEFECT)}).one()
    points = shapely.points(founders.xs or [], founders.ys or [])
    one, other = shapely.STRtree(points).query(points, predicate="dwithin", distance=reach_m)
    pairs = [(a, b) for a, b in zip(one.tolist(), other.tolist(), strict=True) if a < b]
    return [founders.ids[a] for a, _ in pairs], [founders.ids[b] for _, b in pairs]


def _doubled(tx: ReadTx, now: datetime) -> list[str]:
    """Ask the rule itself whether the founder of one open defect is the other one, as it stood or stands."""
    try:
        rules = policies.in_force(tx, now)
    except Refusal:
        return []
    policy = rules.policy
    widest = max(reach_m(one, machine=True) for one in (policy.duplicates, *policy.duplicates_by_class.values()))
    ones, others = _near(tx, widest)
    pairs = tx.execute(_PAIRS, {"ones": ones, "others": others, "open": sorted(OPEN_DEFECT)})
    return sorted({f"{pair.younger} is {pair.older}" for pair in pairs if _is_same(pair, rules)})


def _is_same(pair: Any, rules: InForce) -> bool:
    policy = rules.policy
    if pair.younger_class not in policy.kinds_like(pair.older_class):
        return False
    seen, older = _sighting(pair.younger_founder), pair.older_founder
    standing = Standing(
        id=pair.older_id,
        class_code=pair.older_class,
        x=pair.mean_x,
        y=pair.mean_y,
        accuracy_m=pair.mean_accuracy_m,
        opened_at=datetime.fromisoformat(older["seen_at"]),
        last_seen_at=datetime.fromisoformat(older["seen_at"]),
        seen=1,
        passes={older["survey_pass"]} - {None},
    )
    founded_at = _place(standing, older, older["x"], older["y"])
    places = [founded_at]
    if seen.machine:
        # Machines are weighed by the mean of what saw the defect, which moves: it must be near now and have been near.
        places.append(_place(standing, older, pair.mean_x, pair.mean_y))
    rule = policy.duplicates_of(pair.younger_class)
    return all(isinstance(judge(seen, [place], rule), Same) for place in places)


def _place(of: Standing, founder: Mapping[str, Any], x: float, y: float) -> Place:
    return Place(
        of=of,
        x=x,
        y=y,
        accuracy_m=founder["accuracy_m"],
        street_key=founder["street_key"],
        street_side=founder["street_side"],
        level=founder["level"],
        house_number=founder["house_number"],
        survey_pass=founder["survey_pass"] if founder["detection_id"] is not None else None,
    )


def _sighting(founder: Mapping[str, Any]) -> Sighting:
    return Sighting(
        class_code=founder["class_code"],
        x=founder["x"],
        y=founder["y"],
        accuracy_m=founder["accuracy_m"],
        seen_at=datetime.fromisoformat(founder["seen_at"]),
        known_at=datetime.fromisoformat(founder["known_at"]),
        street_key=founder["street_key"],
        street_side=founder["street_side"],
        level=founder["level"],
        house_number=founder["house_number"],
        machine=founder["detection_id"] is not None,
        survey_pass=founder["survey_pass"],
    )


_OTHERS: Mapping[str, tuple[str, Callable[[ReadTx, datetime], list[str]]]] = {
    "fit_to_work": ("A policy is in force, and the grid puts metres where they are.", _unfit),
    "no_defect_twice": (
        "No two open defects are one by the rule that joins them, unless a person split them.",
        _doubled,
    ),
}


def remarks(tx: ReadTx) -> list[str]:
    """What is lawful and yet worth a person's eye."""
    counted = tx.execute(text(_REMARKS)).one()
    said = {
        "No areas are loaded: every place on the grid counts as served (roadmend load areas FILE).": not counted.areas,
        "No streets are loaded: sides and lots cannot be told (roadmend load streets FILE).": not counted.streets,
        f"{counted.unordered} confirmed defects wait for a works order: no lot covers them.": counted.unordered,
        f"{counted.late} deliveries have been due for more than a minute: are the workers running?": counted.late,
    }
    if settings().mail_provider == "none":
        said[f"{counted.unsent} messages wait: no ROADMEND_MAIL_PROVIDER is set, so that none leaves."] = counted.unsent
    else:
        said[f"{counted.unsent} messages have been due for more than ten minutes: does their provider answer?"] = (
            counted.unsent
        )
    return [sentence for sentence, so in said.items() if so]


_REMARKS = """
SELECT EXISTS (SELECT FROM area) AS areas, EXISTS (SELECT FROM street) AS streets,
       (SELECT count(*) FROM defect
        WHERE state = 'confirmed' AND permanent_due_at IS NOT NULL
          AND NOT EXISTS (SELECT FROM works_order_defect AS covered
                          WHERE covered.defect_id = defect.id AND covered.ended_at IS NULL)) AS unordered,
       (SELECT count(*) FROM delivery
        WHERE parked_at IS NULL AND due_at < now() - interval '1 minute') AS late,
       (SELECT count(*) FROM message
        WHERE sent_at IS NULL AND parked_at IS NULL AND dropped_at IS NULL
          AND made_at < now() - interval '10 minutes') AS unsent
"""
