"""Hides what names or reaches a person in what residents type, before anybody else reads it (DOMAIN 8, UK GDPR).

It errs towards hiding: a person may release the words as they stand. What looks alike and is the substance of a report
stays: road numbers (A59, M6, B5254), postcodes, references, dates, times, measures and grid references.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

HIDDEN = "[hidden]"


class Personal(StrEnum):
    """What was found."""

    EMAIL = "e-mail address"
    PHONE = "telephone number"
    PLATE = "number plate"
    HANDLE = "account or web address"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Screened:
    """The words for everybody, and what was hidden of them, in its order."""

    words: str
    found: tuple[Personal, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    begin: int
    end: int
    kind: Personal


def screen(words: str) -> Screened:
    """The text with every e-mail address, telephone number, number plate, account and told name hidden."""
    hidden = list(_merged(sorted(_find(words), key=lambda one: (one.begin, -one.end))))
    kept, place = [], 0
    for one in hidden:
        kept += [words[place : one.begin], HIDDEN]
        place = one.end
    kept.append(words[place:])
    return Screened("".join(kept), tuple(one.kind for one in hidden))


def _find(words: str) -> Iterator[_Found]:
    kept = _masked(words)
    for kind, pattern, holds in _RULES:
        for match in pattern.finditer(kept):
            group = "it" if "it" in pattern.groupindex else 0
            if holds(match.group(group)):
                yield _Found(match.start(group), match.end(group), kind)


_SUBSTANCE = re.compile(
    # A reference of ours, a date, a time, a postcode.
    r"\b[A-Z]{1,2}-[0-9A-Z]{4}-[0-9A-Z]{4}\b|"
    r"(?<![\d+])\d{1,2}(?P<by>[./-])\d{1,2}(?P=by)(?:19|20)?\d\d(?!\d)|(?<!\d)(?:19|20)\d\d-\d\d-\d\d(?!\d)|"
    r"(?<![\d:])\d{1,2}:\d\d(?!\d)|"
    r"\b[A-PR-UWYZ][A-HK-Y]?\d[\dA-Z]?\s?\d[ABD-HJLNP-UW-Z]{2}\b",
    re.IGNORECASE,
)
_MASK = "|"
"""Stands in no pattern, so that nothing is found across it."""


def _masked(words: str) -> str:
    """The text with what is the substance of a report out of the rules' sight; every place stays where it is."""
    return _SUBSTANCE.sub(lambda match: _MASK * len(match.group()), words)


def _merged(found: list[_Found]) -> Iterator[_Found]:
    """Without those that begin inside the one before; where two overlap they are hidden as one."""
    if not found:
        return
    last = found[0]
    for _, one in pairwise(found):
        if one.begin < last.end:
            last = _Found(last.begin, max(last.end, one.end), last.kind)
        else:
            yield last
            last = one
    yield last


# --- e-mail and accounts ---------------------------------------------------------------------------------------------

_AT = r"(?:\s?@\s?|\s?[\[(]\s?at\s?[\])]\s?)"
_DOT = r"(?:\.|\s?[\[(]\s?dot\s?[\])]\s?|\s+dot\s+)"
_MAILBOX = r"(?<![\w.+-])[\w.!#$%&'*+/=?^`{}~-]{1,64}"
_EMAIL = re.compile(
    rf"{_MAILBOX}{_AT}[\w-]+(?:{_DOT}[\w-]+)+|{_MAILBOX}\s+at\s+[\w-]+(?:\s+dot\s+[\w-]+)+", re.IGNORECASE
)
_LINK = re.compile(
    r"(?<![\w@])(?:https?://|www\.)[^\s<>\"']+|"
    r"(?<![\w@.-])(?:[\w-]{1,30}\.)?(?:facebook|fb|instagram|twitter|x|tiktok|linkedin|youtube|snapchat|threads|bsky|t|wa|"
    r"nextdoor)\.(?:com|me|app|net|co\.uk|social)/[^\s<>\"']+",
    re.IGNORECASE,
)
"""Every address of the web: most that people add are their own pages, and what is left is for staff to follow."""
_HANDLE = re.compile(r"(?<![\w@./])@[A-Za-z]\w{2,29}(?:\.[A-Za-z]\w*)*")

# --- telephone -------------------------------------------------------------------------------------------------------

_GAP = r"[\s().\-–]{0,3}"
_PHONE = re.compile(
    # With a country's code; as in the country, ten or eleven digits; a mobile without its 0; more digits than belong.
    rf"(?<!\d)(?:\(?\+{_GAP}\d{{1,3}}\)?|\(?00{_GAP}44\)?){_GAP}(?:\(0\){_GAP})?\d(?:{_GAP}\d){{7,10}}(?!\d)|"
    rf"(?<!\d)\(?0{_GAP}[1-9](?:{_GAP}\d){{8,9}}(?!\d)|"
    rf"(?<![\d.])7\d{{3}}{_GAP}\d{{3}}{_GAP}\d{{3}}(?!\d)|"
    r"(?<!\d)0\d{9,17}(?!\d)"
)
_LOCAL = re.compile(
    r"\b(?:tel(?:ephone)?|phone|ring|call|mob(?:ile)?|text|whatsapp)\b(?:\s+(?:me|us|is|on|no|number|at)\b){0,4}"
    r"[\s.:]{0,3}(?P<it>\d(?:[\s-]?\d){4,12})\b",
    re.IGNORECASE,
)
"""After such a word five digits are enough: a number of the same town."""

# --- number plates ---------------------------------------------------------------------------------------------------

_PLATES = (
    # Since 2001: AB12 CDE; in small letters only as it is written.
    re.compile(r"(?<![\w-])[A-HJ-PR-Y]{2}[\s-]?\d\d[\s-]?[A-HJ-PR-Z]{3}(?![\w-])"),
    re.compile(r"(?<![\w-])[a-hj-pr-y]{2}\d\d[\s-]?[a-hj-pr-z]{3}(?![\w-])", re.IGNORECASE),
    # 1983 to 2001: A123 BCD.
    re.compile(r"(?<![\w-])[A-HJ-NPR-TV-Y][\s-]?\d{1,3}[\s-]?[A-HJ-PR-Y]{3}(?![\w-])"),
    re.compile(r"(?<![\w-])[a-hj-npr-tv-y]\d{3}\s?[a-hj-pr-y]{3}(?![\w-])", re.IGNORECASE),
    # 1963 to 1983: ABC 123D.
    re.compile(r"(?<![\w-])[A-HJ-PR-Y]{3}[\s-]?\d{1,3}[\s-]?[A-HJ-NPR-TV-Y](?![\w-])"),
    re.compile(r"(?<![\w-])[a-hj-pr-y]{3}\s?\d{3}[a-hj-npr-tv-y](?![\w-])", re.IGNORECASE),
    # Northern Ireland: AIZ 1234.
    re.compile(r"(?<![\w-])(?=[A-Z]{0,2}[IZ])[A-Z]{2,3}[\s-]?\d{4}(?![\w-])"),
    re.compile(
        r"\b(?:reg(?:istration)?|number\s?plate|plate|vrm)\b(?:\s+(?:no|number|plate|is|was|of|mark)\b){0,4}[\s.:#]{0,3}"
        r"(?P<it>(?=[A-Z\s-]{0,5}\d)[A-Z\d]{1,4}[\s-]?[A-Z\d]{1,4})\b",
        re.IGNORECASE,
    ),
)
_NO_PLATE = frozenset(
    """
    ACT ADD AGE AGO ALL ALSO AND ANY APR ARE ARM AS AT AUG BAD BAR BED BIG BOX BUS BUT BY CAB CAN CAP CAR CM CMS CUT
    DAY DEC DID DRY DUE EACH EAR EAT END FAR FEB FEW FOR FRI FT GAP GAS GET GOT GUT HAD HAS HAT HER HGV HGVS HIM HIS
    HIT HOT HOW ITS JAM JAN JET JUL JUN KM KMS LAP LAW LAY LED LEG LET LN LOG LOT LOW MAN MAP MAR MAT MAY MET MM MON
    MPH MS MUD NEW NO NOR NOT NOV NOW OCT OFF OLD ONE OUR OUT OWN PAY PER PUB PUT RAN RD RED ROW RUN SAT SAW SAY SEA
    SEE SEP SET SHE SO SUM SUN TAP TAR TEN THE THU TO TOO TOP TRY TUE TWO USE VAN VAT WAS WAY WD WE WED WET WHO WHY
    YDS YET YOU
    """.split()  # noqa: SIM905 (a list of words is read as one)
)


def _is_plate(written: str) -> bool:
    """Not a number between two words: "A59 AND", "the 20 mph" in capitals."""
    return not _NO_PLATE & set(re.findall(r"[A-Z]+", written.upper()))


# --- names that somebody tells ---------------------------------------------------------------------------------------

_LETTERS = r"[A-Z][\w'’-]+"
_TITLE = r"(?:(?:Mr|Mrs|Ms|Miss|Dr)\.?[ ]+)"
_NAMES = (
    re.compile(
        r"\b(?i:my\s+name\s+is|my\s+name['’]s|(?:i['’]m|i\s+am)\s+called|ask\s+for|(?:kind|best)?\s?regards|"
        r"yours\s+(?:faithfully|sincerely|truly)|signed|thank\s+you|thanks|cheers)\b[\s,:\-–]{0,5}"
        rf"(?P<it>{_TITLE}?{_LETTERS}(?:[ ]+{_LETTERS}){{0,2}})"
    ),
    re.compile(rf"\b(?i:i\s+am|i['’]m)\s+(?P<it>{_TITLE}{_LETTERS}(?:[ ]+{_LETTERS})?|{_LETTERS}[ ]+{_LETTERS})"),
    re.compile(rf"\b(?:Mr|Mrs|Ms|Miss)\.?[ ]+{_LETTERS}(?:[ ]+{_LETTERS})?"),
)
_NO_NAME = frozenset(
    """
    Please The It This That There These Those For In On At If We You They And But Could Can Would Also Council
    County Lancashire Highways National Road Street Lane Is Has
    """.split()  # noqa: SIM905 (a list of words is read as one)
)


def _is_name(written: str) -> bool:
    return written.split()[0] not in _NO_NAME


def _always(_: str) -> bool:
    return True


_RULES: tuple[tuple[Personal, re.Pattern[str], Callable[[str], bool]], ...] = (
    (Personal.EMAIL, _EMAIL, _always),
    (Personal.HANDLE, _LINK, _always),
    (Personal.HANDLE, _HANDLE, _always),
    (Personal.PHONE, _PHONE, _always),
    (Personal.PHONE, _LOCAL, _always),
    *((Personal.PLATE, pattern, _is_plate) for pattern in _PLATES),
    *((Personal.NAME, pattern, _is_name) for pattern in _NAMES),
)
