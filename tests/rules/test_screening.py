"""What residents type is public only without what names or reaches somebody; the substance of a report stays."""

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.screening import HIDDEN, Personal, screen


@pytest.mark.parametrize(
    "written",
    [
        "sam@example.org",
        "Sam.Lee+roads@mail.example.co.uk",
        "sam @ example.org",
        "sam(at)example.org",
        "sam [at] example [dot] org",
        "sam at example dot org",
        "o'neill_99@example.com",
        "søren@bücher.example",
    ],
)
def test_an_e_mail_address_is_hidden_however_it_is_spelt(written: str) -> None:
    told = screen(f"Write to {written} about the hole")

    assert told.words == f"Write to {HIDDEN} about the hole"
    assert told.found == (Personal.EMAIL,)


@pytest.mark.parametrize(
    "written",
    [
        "07700900123",
        "07700 900123",
        "07700 900 123",
        "077 0090 0123",
        "07700-900-123",
        "07700.900.123",
        "(01632) 960123",
        "01632 960123",
        "01632960123",
        "0163 296 0123",
        "020 7946 0123",
        "(020) 7946 0123",
        "0161 496 0123",
        "016977 2345",
        "+447700900123",
        "+44 7700 900123",
        "+44 (0)7700 900123",
        "+44(0) 1632 960 123",
        "0044 7700 900123",
        "00447700900123",
        "+353 85 012 3456",
        "+1 202-555-0143",
        "7700 900123",
        "077009001234",
        "0 7 7 0 0 9 0 0 1 2 3",
    ],
)
def test_a_telephone_number_is_hidden_however_it_is_spelt(written: str) -> None:
    for before, after in (("I am on ", ", any time"), ("number 12 ", " 5 houses up"), ("tel:", ""), ("ring,", ".")):
        told = screen(f"{before}{written}{after}")

        assert not _digits(written) & _digits(told.words), told.words
        assert Personal.PHONE in told.found


def _digits(words: str) -> set[str]:
    """Every run of four digits, whatever stands between them."""
    digits = [letter for letter in words if letter.isdigit()]
    return {"".join(digits[place : place + 4]) for place in range(len(digits) - 3)}


@pytest.mark.parametrize("written", ["call 960123", "Ring me on 960 123", "phone no: 96012", "WhatsApp 9601234"])
def test_a_local_number_is_hidden_where_a_word_says_that_it_is_one(written: str) -> None:
    assert HIDDEN in screen(written).words


@pytest.mark.parametrize(
    "written",
    [
        "AB12 CDE",
        "AB12CDE",
        "ab12 cde",
        "ab12cde",
        "PO24 XYZ",
        "A123 BCD",
        "A123BCD",
        "a123 bcd",
        "M6 KLV",
        "ABC 123D",
        "ABC123D",
        "abc123d",
        "AIZ 1234",
        "OUI 4455",
    ],
)
def test_a_number_plate_of_any_age_is_hidden(written: str) -> None:
    told = screen(f"The lorry {written} broke the kerb")

    assert told.words == f"The lorry {HIDDEN} broke the kerb"
    assert told.found == (Personal.PLATE,)


@pytest.mark.parametrize("written", ["reg 1 ABC", "registration number is K1 NGS", "plate: 123 XY", "VRM AB1"])
def test_what_is_said_to_be_a_plate_is_hidden(written: str) -> None:
    assert Personal.PLATE in screen(written).found


@pytest.mark.parametrize(
    "written",
    [
        "https://www.facebook.com/sam.lee.1",
        "facebook.com/sam.lee.1",
        "http://example.org/~sam",
        "www.example.org/sam",
        "x.com/samlee",
        "@samlee",
        "instagram.com/sam_lee/",
    ],
)
def test_an_account_and_any_web_address_are_hidden(written: str) -> None:
    told = screen(f"Video at {written} today")

    assert told.words == f"Video at {HIDDEN} today"


@pytest.mark.parametrize(
    ("written", "public"),
    [
        ("My name is Sam Lee and I fell", f"My name is {HIDDEN} and I fell"),
        ("I am Sam Lee of number 12", f"I am {HIDDEN} of number 12"),
        ("I'm Mrs Lee", f"I'm {HIDDEN}"),
        ("Mend it. Thanks, Sam", f"Mend it. Thanks, {HIDDEN}"),
        ("Mend it.\nKind regards\nSam O'Neill-Lee", f"Mend it.\nKind regards\n{HIDDEN}"),
        ("Mr Patel next door says so", f"{HIDDEN} next door says so"),
    ],
)
def test_a_name_that_somebody_tells_is_hidden(written: str, public: str) -> None:
    assert screen(written).words == public


@pytest.mark.parametrize(
    "written",
    [
        "On the A59 AND the M6, near J31 of the M6",
        "A59 THE hole by the B5254 OUT of Leyland",
        "B5254 Watkin Lane, PR5 5TT",
        "PR1 8XJ",
        "pr1 8xj",
        "PR18XJ",
        "SW1A 1AA and FY5 3PG",
        "See R-7K3M-9QXF and D-2P5R-8ABC",
        "It is 40 mm deep, 300mm wide, 20 MPH road",
        "On 01/02/2026 at 10:30, again on 2026-11-03",
        "01.02.2026 10:30 and 3-11-26",
        "About 12 m from 125 Fishergate, flats 1-12",
        "Easting 353000 northing 430000, 53.7632, -2.7031",
        "USRN 32100123, lamp column 12345",
        "Thank you. Please mend it. It has been there since 2019",
        "Thanks. The bus 125 stops there",
        "Grid reference SD 53001 30001",
        "meet me @ 5pm by 30 cms of water",
        "THE 40M PATCH, TOP 20 CMS DEEP",
        "0.5 m deep, 0.25 wide",
        "Emergency: I called 101 and 999",
        "1234567 cars a day",
        "Mon 3 Nov, half past 8",
    ],
)
def test_the_substance_of_a_report_stays(written: str) -> None:
    told = screen(written)

    assert told.words == written
    assert told.found == ()


def test_a_number_after_a_date_is_found() -> None:
    assert screen("01/02/2026 07700 900123").words == f"01/02/2026 {HIDDEN}"


def test_everything_in_one_text_is_told_in_its_order() -> None:
    told = screen("I am Sam Lee, AB12 CDE, sam@example.org or 07700 900123.")

    assert told.words == f"I am {HIDDEN}, {HIDDEN}, {HIDDEN} or {HIDDEN}."
    assert told.found == (Personal.NAME, Personal.PLATE, Personal.EMAIL, Personal.PHONE)


_ANY = st.text(st.characters(codec="utf-8"), max_size=400)
_TYPED = st.text(string.ascii_letters + string.digits + " .,@()+-\n:/'", max_size=400)


@given(_ANY | _TYPED)
def test_what_is_left_has_nothing_more_to_hide(words: str) -> None:
    once = screen(words)

    assert screen(once.words).words.count(HIDDEN) >= once.words.count(HIDDEN)
    assert len(once.found) == once.words.count(HIDDEN) - words.count(HIDDEN)


@given(_TYPED, _TYPED, st.integers(0, 10**9 - 1))
def test_no_mobile_number_survives_wherever_it_stands(before: str, after: str, number: int) -> None:
    written = f"07{number:09}"

    assert written not in screen(f"{before} {written} {after}").words


@given(_TYPED, _TYPED, st.from_regex(r"[a-z]{1,20}@[a-z]{1,20}\.(org|co\.uk)", fullmatch=True))
def test_no_e_mail_address_survives_wherever_it_stands(before: str, after: str, address: str) -> None:
    assert address not in screen(f"{before} {address} {after}").words


@given(st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=8, max_size=8), st.sampled_from("RDWC"))
def test_no_reference_of_ours_is_taken_for_a_plate_or_a_number(letters: str, kind: str) -> None:
    written = f"See {kind}-{letters[:4]}-{letters[4:]}, please"

    assert screen(written).words == written


@pytest.mark.parametrize(
    "part", ["a", "0 ", "a@", "a.", " at ", "(0", "+4", "ring me on ", "Thanks, ", "A1 ", "@a.", "  ", "-"]
)
def test_no_text_takes_long(part: str) -> None:
    began = time.perf_counter()

    screen((part * 4000)[:4000])

    assert time.perf_counter() - began < 0.5
