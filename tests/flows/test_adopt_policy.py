"""A policy is adopted once, from its date, and the authorities that it names are served."""

from datetime import UTC, datetime, timedelta

import pytest
import shapely
from sqlalchemy import func, select

from shared.domain.policy import PolicyError
from shared.flows import adopt_policy, load_network
from shared.settings import ROOT, settings
from shared.store import policies
from shared.store.engine import WriteTx
from shared.store.loads import AreaRow
from shared.store.tables import area, event

FILE = ROOT / "shared" / "policy" / "lancashire.toml"
NOW = datetime.now(UTC)


def test_a_policy_decides_from_its_effective_date(tx: WriteTx) -> None:
    written = FILE.read_text()
    later = written.replace("2018-04-12T00:00:00+01:00", (NOW + timedelta(days=1)).isoformat(timespec="seconds"))

    now, then = (adopt_policy.adopt(tx, text, FILE.name, NOW) for text in (written, later))

    assert policies.in_force(tx, NOW).id == now.id
    assert policies.in_force(tx, NOW + timedelta(days=2)).id == then.id


def test_the_same_text_again_changes_nothing(tx: WriteTx) -> None:
    adopt_policy.adopt(tx, FILE.read_text(), FILE.name, NOW)

    again = adopt_policy.adopt(tx, FILE.read_text(), FILE.name, NOW)

    assert again.id is None
    assert tx.scalar(select(func.count()).where(event.c.kind == "PolicyAdopted")) == 1


def test_the_authorities_that_a_policy_names_are_served_whenever_they_were_loaded(tx: WriteTx) -> None:
    shape = shapely.to_wkb(shapely.box(350_000, 420_000, 360_000, 430_000))
    rows = [
        AreaRow(at, code, code, "authority", False, None, None, shape)
        for at, code in enumerate(("E10000017", "E06000009"))
    ]
    load_network.areas(tx, rows, settings().grid_epsg)

    adopt_policy.adopt(tx, FILE.read_text(), FILE.name, NOW)

    assert list(tx.scalars(select(area.c.code).where(area.c.served))) == ["E10000017"]


def test_a_policy_with_an_error_names_the_line_and_adopts_nothing(tx: WriteTx) -> None:
    with pytest.raises(PolicyError, match=r"lancashire\.toml"):
        adopt_policy.adopt(tx, FILE.read_text().replace("snap_m", "snap_metres"), FILE.name, NOW)

    assert tx.scalar(select(func.count()).select_from(event)) == 0
