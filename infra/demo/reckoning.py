"""Holds what Roadmend says at the end against the truth, and against everything that it promised."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

from infra.demo.client import Client
from infra.demo.watcher import Watcher
from infra.demo.world import World

PAGE = 500


@dataclass(frozen=True, slots=True)
class Matched:
    """How reports became defects. `doubled`: defects too many for one hole, open at the end."""

    holes_reported: int = 0
    defects_of_reports: int = 0
    doubled: int = 0
    false_merges: int = 0
    waiting_for_a_person: int = 0


def reports(world: World, client: Client) -> dict[str, dict[str, Any] | None]:
    """Every report that was promised, as it is shown now; None: it is not there."""
    return {reference: client.get(f"/api/v1/reports/{reference}") for reference in list(world.ledger.reports)}


def promises(world: World, client: Client, found: Mapping[str, Any]) -> None:
    """Ask for everything else that was promised; what is not so is broken. `found`: the reports."""
    for reference, report in found.items():
        if report is None:
            world.ledger.broke(f"report {reference} was accepted and is not there")
    _batches(world, client)
    _visits(world, client)


def _batches(world: World, client: Client) -> None:
    key = {"Authorization": f"Bearer {world.account.vendor_key}"}
    for reference, accepted in world.ledger.batches.items():
        answer = client.ask("GET", f"/api/v1/detections/batches/{reference}", headers=key)
        if answer.status_code != 200:
            world.ledger.broke(f"batch {reference} was accepted and is answered {answer.status_code}")
            continue
        told = answer.json()
        if told["accepted"] != accepted:
            world.ledger.broke(f"batch {reference} had {accepted} accepted, now {told['accepted']}")
        if told["matched_at"] is None:
            world.ledger.broke(f"batch {reference} is still not matched")


def _visits(world: World, client: Client) -> None:
    by_order: dict[str, list[str]] = defaultdict(list)
    for visit, order in world.ledger.visits.items():
        by_order[order].append(visit)
    for order, visits in by_order.items():
        whole = client.get(f"/api/v1/works-orders/{order}") or {"visits": []}
        known = {one["client_id"] for one in whole["visits"]}
        for visit in visits:
            if visit not in known:
                world.ledger.broke(f"visit {visit} to {order} was accepted and is not there")


def matched(world: World, client: Client, found: Mapping[str, Any]) -> Matched:
    """Which defects the reports (`found`) of each hole became, told from the reports themselves."""
    of_hole: dict[int, set[str]] = defaultdict(set)
    of_defect: dict[str, set[int]] = defaultdict(set)
    waiting = 0
    for reference, report in found.items():
        number = world.ledger.reports[reference]
        if number is None or report is None:
            continue
        linked = report["defects"]
        waiting += not linked
        for defect in linked:
            of_hole[number].add(defect)
            of_defect[defect].add(number)
    opened = _open(client)
    doubled = sum(max(0, len(defects & opened) - 1) for defects in of_hole.values())
    mixed = sum(len(holes) - 1 for holes in of_defect.values())
    return Matched(len(of_hole), len(of_defect), doubled, mixed, waiting)


def _open(client: Client) -> set[str]:
    states = (
        "candidate",
        "confirmed",
        "made_safe",
        "ordered",
        "repaired_temporary",
        "repair_claimed",
        "repair_rejected",
    )
    return {one["properties"]["reference"] for state in states for one in _features(client, state)}


def _features(client: Client, state: str) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        page = client.get("/api/v1/defects", state=state, limit=PAGE, after=after) or {"features": []}
        yield from page["features"]
        after = page.get("next")
        if len(page["features"]) < PAGE:
            return


def summary(world: World, watcher: Watcher, told: Matched) -> dict[str, Any]:
    """Everything in numbers, ready for a person or for a file."""
    holes = world.truth.holes
    return {
        "truth": {
            "holes": len(holes),
            "repairs": sum(hole.repairs for hole in holes),
            "repairs that failed": sum(hole.failures for hole in holes),
        },
        "matching": {
            "holes reported": told.holes_reported,
            "defects of their reports": told.defects_of_reports,
            "doubled": told.doubled,
            "false merges": told.false_merges,
            "reports waiting for a person": told.waiting_for_a_person,
        },
        "feed": {
            "defects recorded": watcher.kinds["DefectRecorded"],
            "orders issued": watcher.kinds["OrderIssued"],
            "repairs verified": watcher.kinds["RepairVerified"],
            "recalls proposed": watcher.kinds["RecallProposed"],
            "recalls attributed": watcher.kinds["DefectRecalled"],
            "lines": sum(watcher.kinds.values()),
        },
        "seconds from report to feed line": _spread(watcher.told_after),
        "seconds to an answer": _spread(world.ledger.seconds),
        "counts": dict(sorted(world.ledger.counts.items())),
        "broken promises": world.ledger.broken,
    }


def _spread(seconds: list[float]) -> dict[str, float]:
    if len(seconds) < 2:
        return {"count": len(seconds)}
    return {"count": len(seconds), "median": round(median(seconds), 4), "p99": round(quantiles(seconds, n=100)[98], 4)}
