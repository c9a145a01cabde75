"""The demo's sign-ins and the survey fleet's key: kept in a file of the deployment's private folder, never in git."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody who may sign in. `contractor` is the firm's code, for the role contractor."""

    role: str
    name: str
    email: str
    password: str
    contractor: str | None


@dataclass(frozen=True, slots=True)
class Account:
    people: tuple[SignIn, ...]
    vendor_key: str

    def who(self, role: str) -> SignIn:
        """The first person of a role."""
        return next(one for one in self.people if one.role == role)

    def contractors(self) -> tuple[SignIn, ...]:
        """One person of each firm."""
        return tuple(one for one in self.people if one.contractor is not None)

    def lines(self) -> Iterator[str]:
        """What a person reads at the end of `make up`."""
        yield "A county that does not exist is loaded. Its sign-ins:"
        for one in self.people:
            yield f"  {one.role:<11} {one.email:<26} {one.password:<28} {one.name}"
        yield f"  {'vendor key':<11} {self.vendor_key}"


def write(account: Account, file: Path) -> None:
    """Keep it, readable by its owner only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(asdict(account), indent=1))


def read(file: Path) -> Account | None:
    """What was kept; None when nothing was."""
    if not file.exists():
        return None
    kept = json.loads(file.read_text())
    return Account(tuple(SignIn(**one) for one in kept["people"]), kept["vendor_key"])
