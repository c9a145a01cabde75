"""Refusals: what Roadmend says when it will not do what was asked. They know nothing of HTTP."""

from collections.abc import Mapping, Sequence
from typing import ClassVar


class Refusal(Exception):
    """A rule said no. `code` and `title` are stable, `detail` is a sentence for this case that says what to do.

    `errors` maps a field's name to what is wrong with it. `more` is what a program needs beside the sentence: plain
    values that go out with it.
    """

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused"

    def __init__(self, detail: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors: dict[str, str] = dict(errors or {})
        self.more: dict[str, object] = {}


class Invalid(Refusal):
    """The input does not have the form or the values that it must have."""

    code = "invalid-input"
    title = "Invalid input"


class NotFound(Refusal):
    """No such thing, or none that the asker may know of."""

    code = "not-found"
    title = "Not found"


class Conflict(Refusal):
    """The thing has moved on, or the same key came with another body."""

    code = "conflict"
    title = "Conflict"


class ChangedMeanwhile(Conflict):
    """Somebody changed the thing between the asker's look at it and their save.

    `changes`, oldest first, says who did what when; `seen` is what to send to save in spite of them.
    """

    code = "changed-meanwhile"
    title = "Changed meanwhile"

    def __init__(self, detail: str, changes: Sequence[Mapping[str, str]], seen: int) -> None:
        super().__init__(detail)
        self.more = {"changes": [dict(one) for one in changes], "seen": seen}


class NotAllowed(Refusal):
    """The asker is known, and may not do this."""

    code = "not-allowed"
    title = "Not allowed"


class SignInNeeded(Refusal):
    """The asker is not known: no key, no session, or one that has ended."""

    code = "sign-in-needed"
    title = "Sign in, or send a key"


class TooLarge(Refusal):
    """The input passes a limit that the detail names."""

    code = "too-large"
    title = "Too large"


class TooMany(Refusal):
    """The asker sends faster than the limit that the detail names; `retry_after` counts seconds."""

    code = "too-many-requests"
    title = "Too many requests"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(Refusal):
    """A part that is needed does not answer now; try again later."""

    code = "unavailable"
    title = "Unavailable for the moment"


class Collided(Unavailable):
    """Somebody else was changing the same thing at the same moment, and one of the two had to give way; try again."""

    code = "collided"
    title = "Somebody else was at the same thing"
