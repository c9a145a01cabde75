"""What was recorded of a thing since somebody looked at it, and up to where somebody who looks now has seen it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Select, Text, bindparam, func, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.meanwhile import GROUND, Happened
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import event, merge

_SINCE = text((Path(__file__).parent / "sql" / "happened_since.sql").read_text()).bindparams(
    bindparam("subject", type_=Text),
    bindparam("ids", type_=ARRAY(BigInteger)),
    bindparam("seen", type_=ARRAY(BigInteger)),
)
_WEIGHS = or_(event.c.kind == func.any(sorted(GROUND)), event.c.actor.startswith("person:"))


def newest(tx: ReadTx, subject: str, ids: Sequence[int]) -> dict[int, int]:
    """The newest event of each of these that may stand against a save, by its id: `seen`, for whoever reads it now.

    `subject`: defect, report, works_order or recall. 0 where there is none.
    """
    own = (
        select(event.c.subject_id.label("id"), func.max(event.c.id).label("seen"))
        .where(event.c.subject == subject, event.c.subject_id == func.any(list(ids)), _WEIGHS)
        .group_by(event.c.subject_id)
    )
    found = {one: 0 for one in ids} | {row.id: row.seen for row in tx.execute(own)}
    if subject == "defect":
        for row in tx.execute(_taken_in(ids)):
            found[row.id] = max(found[row.id], row.seen)
    return found


def _taken_in(ids: Sequence[int]) -> Select[Any]:
    """The newest event of a merge into each of these defects, or of its undoing: it stands with the other one."""
    told = event.c.kind.in_(("DefectMerged", "DefectUnmerged"))
    return (
        select(merge.c.into_id.label("id"), func.max(event.c.id).label("seen"))
        .join(event, (event.c.subject == "defect") & (event.c.subject_id == merge.c.defect_id) & told)
        .where(merge.c.into_id == func.any(list(ids)))
        .group_by(merge.c.into_id)
    )


def happened_since(tx: WriteTx, subject: str, seen: Mapping[int, int]) -> dict[int, list[Happened]]:
    """All that was recorded of these since the event that was seen of each, oldest first, by its id.

    Whoever asks has locked them: nothing is added to it then. Those of which nothing was recorded are left out.
    """
    found: dict[int, list[Happened]] = {}
    for row in tx.execute(_SINCE, {"subject": subject, "ids": list(seen.keys()), "seen": list(seen.values())}):
        told = dict(row._mapping)
        found.setdefault(told.pop("about"), []).append(Happened(**told))
    return found
