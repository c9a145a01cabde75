"""`roadmend doctor`: is everything true that must always be true? Exit code 1 when something is not."""

import time
from dataclasses import asdict
from typing import Annotated

import orjson
import typer

from services.cli.run import now, say
from shared.store import doctor as rules
from shared.store.doctor import Finding
from shared.store.engine import reading

app = typer.Typer(help="Check what must always be true.")


@app.command()
def doctor(
    audit: Annotated[bool, typer.Option("--audit", help="Recompute the feed's chain from line 1 and read all")] = False,
    photos: Annotated[bool, typer.Option("--photos", help="Read every photo's original, where they lie")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,
) -> None:
    """Check the record against what must always be true, and name what breaks it. Exit code 1 when something does."""
    began = time.monotonic()
    with reading() as tx:
        findings = list(rules.examine(tx, now(), audit=audit))
        if photos:
            findings.append(rules.examine_photos(tx))
        remarks = rules.remarks(tx)
    clean = all(one.clean for one in findings)
    if as_json:
        said = {"clean": clean, "findings": [asdict(one) for one in findings], "remarks": remarks}
        say(orjson.dumps(said).decode())
    else:
        _tell(findings, remarks, time.monotonic() - began)
    if not clean:
        raise typer.Exit(1)


def _tell(findings: list[Finding], remarks: list[str], seconds: float) -> None:
    for one in findings:
        say(f"{'ok ' if one.clean else 'NOT'} {one.sentence}")
        for ref in one.shown:
            say(f"      {ref}")
        if one.broken > len(one.shown):
            say(f"      … and {one.broken - len(one.shown)} more")
    for remark in remarks:
        say(f"see {remark}")
    broken = sum(not one.clean for one in findings)
    verdict = "Clean" if not broken else "Not clean"
    say(f"{verdict}: {len(findings)} checks, {broken} broken, in {seconds:.1f} s.")
