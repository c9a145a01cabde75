"""Where in the hub each thing that has a reference is shown. Scripts know the same: src/hub/links.ts."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.terms import OrderState

TO_VERIFY = frozenset({OrderState.EVIDENCE_OK, OrderState.EVIDENCE_FAILED})
"""An order that waits for a person is shown where people verify."""


def report(reference: str) -> str:
    return f"/hub/reports/{reference}"


def defect(reference: str) -> str:
    return f"/hub/defects/{reference}"


def recall(reference: str) -> str:
    return f"/hub/recalls#{reference}"


def order(reference: str, state: str, defects: Sequence[str]) -> str:
    """With the defect that it is for, once nobody has to look at its repair any more."""
    if state in TO_VERIFY or not defects:
        return f"/hub/verification?order={reference}"
    return f"{defect(defects[0])}#{reference}"


def of(found: Mapping[str, Any]) -> str:
    """Of what a search has found, by the first letter of its reference."""
    reference: str = found["reference"]
    match reference[0]:
        case "R":
            return report(reference)
        case "D":
            return defect(reference)
        case "W":
            return order(reference, found["state"], found["defects"])
        case _:
            return recall(reference)
