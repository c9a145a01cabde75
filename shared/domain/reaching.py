"""How a person can be reached: an e-mail address or a telephone number as typed, in the one form that we keep."""

import re

from shared.errors import Invalid

LONGEST_EMAIL = 254
_WORD = r"[^@\s<>,;:\"()\[\]\\]+"
_EMAIL = re.compile(rf"{_WORD}@{_WORD}\.[^@\s<>,;:.]{{2,}}")
_PHONE = re.compile(r"\+?[\d\s().-]+")
_UK_MOBILE = re.compile(r"\+447\d{9}")


class NotAnAddress(Invalid):
    """What was typed is neither an e-mail address nor a telephone number that takes texts."""

    code = "not-an-address"
    title = "Not an address that we can write to"


def email(written: str) -> str:
    """An e-mail address without blanks around it. It is compared without regard to case, and kept as it was typed.

    Raises:
        NotAnAddress: it has not the form of one.
    """
    told = written.strip()
    if len(told) > LONGEST_EMAIL or not _EMAIL.fullmatch(told) or not told.isprintable():
        raise NotAnAddress(
            "Enter an email address in the correct format, like name@example.com.",
            {"email": "Enter an email address in the correct format, like name@example.com"},
        )
    return told


def mobile(written: str) -> str:
    """A number that takes texts, as +447700900123. A number of another country is taken with its + in front.

    Raises:
        NotAnAddress: it is not one.
    """
    number = texts(written)
    if number is None:
        raise NotAnAddress(
            "Enter a mobile number, like 07700 900 982.", {"phone": "Enter a mobile number, like 07700 900 982"}
        )
    return number


def number(written: str) -> str:
    """A telephone number in the form in which two are compared: however it was typed, it is one number."""
    return texts(written) or re.sub(r"\D", "", written)


def texts(written: str) -> str | None:
    """The same, or None for a number that takes no texts as far as can be told: a landline, or no number at all."""
    told = written.strip()
    if not _PHONE.fullmatch(told):
        return None
    digits = re.sub(r"\D", "", told)
    abroad = told.startswith("+") or digits.startswith("00")
    digits = digits.removeprefix("00") if abroad else digits
    if not abroad and digits.startswith("0"):
        digits = "44" + digits[1:]
    elif digits.startswith("440"):
        digits = "44" + digits[3:]
    number = f"+{digits}"
    if digits.startswith("44"):
        return number if _UK_MOBILE.fullmatch(number) else None
    return number if abroad and 8 <= len(digits) <= 15 else None
