"""Writes messages out of templates in files: a folder each, with subject.txt, text.txt, and perhaps sms.txt, html.html.

The text is what is written; the HTML is made of it, so that both say the same. In the text a line "Words: https://…" is
a link, "* " begins a point, "# " a heading. A text message without a file of its own is the subject and the link.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

FOLDER = Path(__file__).parent
LONGEST_SUBJECT = 150
_LINK = re.compile(r"(?P<words>[^:\n]{3,90}): (?P<url>https?://\S+)")
_LAST_SECOND = time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every message: where links lead, who writes, the local clock, and what classes are called."""

    url: str
    name: str
    zone: tzinfo
    titles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is written. `unsubscribe` is for a mail program's button: one POST, nothing asked."""

    subject: str
    text: str
    html: str
    sms: str
    unsubscribe: str


def templates() -> list[str]:
    """The names of all templates."""
    return sorted(file.parent.name for file in FOLDER.glob("*/subject.txt"))


def render(template: str, values: Mapping[str, Any], frame: Frame, now: datetime) -> Letter:
    """Write a message. `values` may hold times or ISO times; they need `link`, `manage` and `unsubscribe`."""
    words = _environment(frame.zone)
    given = {"name": frame.name, "url": frame.url, "now": now, **_OFTEN_MISSING, **values}
    subject = _line(words.get_template(f"{template}/subject.txt").render(given))[:LONGEST_SUBJECT]
    given["subject"] = subject
    text = _tidy(words.get_template(f"{template}/text.txt").render(given))
    return Letter(
        subject=subject,
        text=text,
        html=_html(template, text, given),
        sms=_line(words.select_template([f"{template}/sms.txt", "_sms.txt"]).render(given)),
        unsubscribe=str(given["unsubscribe"]),
    )


_OFTEN_MISSING: Mapping[str, Any] = dict.fromkeys(
    (
        "street",
        "report",
        "defect",
        "other",
        "due",
        "make_safe_due",
        "look_due",
        "depth_mm",
        "earlier",
        "follow",
        "joined",
    )
)
"""What a message may or may not know. Anything else that is not given is a mistake, and raises."""


def _line(written: str) -> str:
    return " ".join(written.split())


def _tidy(written: str) -> str:
    """Lines without blanks at their ends, and one empty line between paragraphs."""
    lines = "\n".join(line.rstrip() for line in written.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"


# --- HTML ------------------------------------------------------------------------------------------------------------


def _html(template: str, text: str, given: Mapping[str, Any]) -> str:
    pages = _pages()
    chosen = pages.select_template([f"{template}/html.html", "_layout.html"])
    return chosen.render({**given, "body": Markup("\n").join(_blocks(text))})


def _blocks(text: str) -> list[Markup]:
    return [_block(block.splitlines()) for block in text.strip().split("\n\n")]


def _block(lines: list[str]) -> Markup:
    if all(line.startswith("* ") for line in lines):
        return Markup("<ul>{}</ul>").format(Markup("").join(Markup("<li>{}</li>").format(one[2:]) for one in lines))
    if lines[0].startswith("# "):
        return Markup("<h2>{}</h2>").format(lines[0][2:])
    return Markup("<p>{}</p>").format(Markup("<br>").join(_linked(line) for line in lines))


def _linked(line: str) -> Markup:
    found = _LINK.fullmatch(line)
    if found is None:
        return escape(line)
    return Markup('<a href="{url}">{words}</a>').format(url=found["url"], words=found["words"])


@lru_cache
def _pages() -> Environment:
    loader = FileSystemLoader(FOLDER)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


# --- words -----------------------------------------------------------------------------------------------------------


@lru_cache
def _environment(zone: tzinfo) -> Environment:
    made = Environment(  # noqa: S701 (plain text; HTML is made of it with everything escaped)
        loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["day"] = lambda at: _day(_local(at, zone))
    made.filters["moment"] = lambda at: f"{_day(_local(at, zone))}, {_hour(_local(at, zone))}"
    made.filters["by"] = lambda at: _by(_local(at, zone))
    return made


def _local(at: datetime | str, zone: tzinfo) -> datetime:
    return (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(zone)


def _day(at: datetime) -> str:
    return f"{at:%A} {at.day} {at:%B %Y}"


def _hour(at: datetime) -> str:
    """As GOV.UK writes it: 5:30pm, 9am."""
    minutes = f":{at:%M}" if at.minute else ""
    return f"{(at.hour + 11) % 12 + 1}{minutes}{'am' if at.hour < 12 else 'pm'}"


def _by(at: datetime) -> str:
    """A due time: the end of a day, or an hour of it."""
    return (
        f"the end of {_day(at)}" if at.time().replace(microsecond=0) == _LAST_SECOND else f"{_hour(at)} on {_day(at)}"
    )
