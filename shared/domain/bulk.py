"""One act on many defects: what may be asked, and in which words it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from shared.domain.screening import screen
from shared.errors import Invalid

MOST = 500
"""Defects of one act."""


class Act(StrEnum):
    """assign: issue a works order; grade: confirm, with the facts of an assessment; refer: another owns it; message:
    write to those who reported or follow it.
    """

    ASSIGN = "assign"
    GRADE = "grade"
    REFER = "refer"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: the act, for which defects (by reference, each once), and what it takes.

    `body` of assign: contractor (None: by policy) and reason; of grade and refer: the fields of a finding; of message:
    words.
    """

    act: Act
    defects: tuple[str, ...]
    body: Mapping[str, Any] = field(default_factory=dict)


def screened(words: str) -> str:
    """What people read of an operator's words: without what reaches or names a person, as with all public words.

    Raises:
        Invalid: nothing is left to be said.
    """
    shown = screen(words.strip()).words.strip()
    if not shown:
        raise Invalid("Write what they should know.", {"words": "says nothing"})
    return shown
