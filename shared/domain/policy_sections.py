"""The sections of a policy file, one frozen record each. The defaults are those of DOMAIN 10.1 and 10.4.

Every number is a setting of the authority. "X" in a comment marks a default that no source confirms.
"""

# ruff: noqa: RUF009 - a Clock is frozen, so one default may serve every record.

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.deadlines import Clock, DueAt
from shared.domain.records import FieldError, within
from shared.domain.terms import Band


def _clock(text: str) -> Any:
    return field(default=Clock.parse(text))


def _map(values: Mapping[str, Any]) -> Any:
    return field(default_factory=lambda: MappingProxyType(dict(values)))


def _clocks(values: Mapping[str, str]) -> Any:
    return _map({key: Clock.parse(text) for key, text in values.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """Whose policy, who approved it, and from when it decides (a time with its offset)."""

    name: str
    authority: str
    approver: str
    effective_from: datetime
    # Codes of the areas (tier authority) whose roads this deployment looks after; empty: those loaded as served.
    served_authorities: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if self.effective_from.tzinfo is None:
            raise FieldError("effective_from", "needs its offset, for example 2026-04-01T00:00:00+01:00.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarRules:
    """Which days are worked. The holidays are GOV.UK's for `division`; `first_year`, `last_year` None: as listed."""

    division: Literal["england-and-wales", "scotland", "northern-ireland"]
    timezone: str
    cutoff: time = time(16, 30)
    due_at: DueAt = DueAt.END_OF_DAY
    extra_holidays: tuple[date, ...] = ()
    not_holidays: tuple[date, ...] = ()
    first_year: int | None = within(None, ge=1971, le=2200)
    last_year: int | None = within(None, ge=1971, le=2200)

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise FieldError(
                "timezone", f"{self.timezone!r} is no time zone; write for example Europe/London."
            ) from None
        if self.first_year and self.last_year and self.first_year > self.last_year:
            raise FieldError("last_year", "lies before first_year.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRule:
    """One class of the taxonomy (DOMAIN 3.1). `title` and `words` are for the public."""

    group: str
    title: str
    words: str = ""
    # Other classes that people and machines call the same hole by.
    compatible: tuple[str, ...] = ()
    danger_keywords: tuple[str, ...] = ()
    # 1 to 4: how bad it is for who meets it, when nobody has assessed it.
    impact: int = within(2, ge=1, le=4)
    # Kept to show the road's condition; founds no defect.
    condition_only: bool = False
    # Seen by machines only, it is watched, not ordered.
    monitor_if_ai_only: bool = False
    # Another team of the council mends it.
    specialist: str = ""
    # May a resident choose it?
    public: bool = True
    repair_type: str = "pothole_patch"
    # Half the width of the square taken for the patch when a visit does not measure it.
    patch_m: float = within(0.5, ge=0.05, le=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """The band for each impact (row 1 least to 4 worst) and likelihood (the four entries of a row, 1 to 4)."""

    impact_1: tuple[Band, ...]
    impact_2: tuple[Band, ...]
    impact_3: tuple[Band, ...]
    impact_4: tuple[Band, ...]

    def __post_init__(self) -> None:
        for name in ("impact_1", "impact_2", "impact_3", "impact_4"):
            row = getattr(self, name)
            if len(row) != 4:
                raise FieldError(name, f"has {len(row)} bands; a row has four, for likelihood 1 to 4.")

    def band(self, impact: int, likelihood: int) -> Band:
        """The band of a cell; both run from 1 (least) to 4 (worst)."""
        return (self.impact_1, self.impact_2, self.impact_3, self.impact_4)[impact - 1][likelihood - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRules:
    """How risk is derived where nobody assessed it. Likelihood follows the hierarchy (DOMAIN 1.1)."""

    likelihood: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType({"2": 4, "3a": 4, "3b": 3, "4a": 2, "4b": 1}),
        metadata={"ge": 1, "le": 4},
    )
    likelihood_unknown: int = within(2, ge=1, le=4)
    # Somebody said that it is dangerous.
    danger_impact: int = within(4, ge=1, le=4)
    # The most urgent band that machines alone may set.
    ai_cap: Band = Band.P2


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Least size of a defect of a group: both must be reached (DOMAIN 1.2)."""

    depth_mm: float = within(ge=0, le=1000)
    width_mm: float = within(0.0, ge=0, le=10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class BandRule:
    """The clocks of a band; a clock that is not given does not run. `verify` starts at completion."""

    title: str
    make_safe: Clock | None = None
    permanent: Clock | None = None
    verify: Clock | None = None
    recheck: Clock | None = None
    # For repairs whose type has no term of its own; 0: no warranty.
    warranty_months: int = within(0, ge=0, le=600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """A rule that sets at least a band. All that it names must hold; what it does not name does not matter."""

    band: Band
    why: str
    groups: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    hierarchies: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    min_depth_mm: float | None = within(None, ge=0, le=1000)
    min_width_mm: float | None = within(None, ge=0, le=10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateRules:
    """When two sightings are one defect (DOMAIN 4). Metres on the grid; whole days; X."""

    # Same, when no further than max(floor, accuracy_factor × accuracy), capped.
    same_floor_m: float = within(8.0, ge=0, le=500)
    same_cap_m: float = within(25.0, ge=0, le=500)
    accuracy_factor: float = within(2.0, ge=0, le=10)
    # Perhaps the same: a person is asked.
    suggest_m: float = within(50.0, ge=0, le=2000)
    suggest_rural_m: float = within(100.0, ge=0, le=2000)
    # How far along one and the same street still counts.
    along_street_m: float = within(8.0, ge=0, le=2000)
    suggest_along_street_m: float = within(50.0, ge=0, le=2000)
    # The largest difference of house numbers on one street, for addresses no further apart than `house_numbers_m`.
    house_numbers: int = within(4, ge=0, le=1000)
    suggest_house_numbers: int = within(10, ge=0, le=1000)
    house_numbers_m: float = within(25.0, ge=0, le=2000)
    # On another street, a person is asked beyond the accuracy only while the defect was seen in so many days.
    suggest_other_street_m: float = within(0.0, ge=0, le=2000)
    suggest_other_street_days: int = within(0, ge=0, le=10_000)
    # Days since an open defect was last seen, beyond which it is no longer taken for the same; `lone`: seen only once.
    max_age_days: int = within(365, ge=1, le=10_000)
    lone_max_age_days: int = within(365, ge=1, le=10_000)
    suggest_max_age_days: int = within(730, ge=1, le=10_000)
    # Detections of one pass, along the heading.
    ai_pass_m: float = within(3.0, ge=0, le=100)
    # Positions less accurate than this say nothing of the side of the street.
    ignore_side_accuracy_m: float = within(6.0, ge=0, le=500)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionRules:
    """What becomes of detections (DOMAIN 3.2, 10.1)."""

    min_confidence_queue: float = within(0.5, ge=0, le=1)
    auto_candidate: float = within(0.8, ge=0, le=1)
    passes: int = within(2, ge=1, le=100)
    # Not used yet: `retention.raw_detections` says how long they are kept.
    retention: Clock = _clock("90d")
    # The scheme of a detection that names none.
    default_scheme: str = "rdd2022"


@dataclass(frozen=True, slots=True, kw_only=True)
class WarrantyRules:
    """Terms in months by repair type (X), what follows a recall, and how near counts as the same footprint."""

    months: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType(
            {
                "make_safe": 0,
                "temporary": 0,
                "spray_injection": 6,
                "pothole_patch": 12,
                "recycled_hot": 12,
                "ironwork_reset": 12,
                "structural_patch": 24,
                "kerb_flag": 24,
                "surfacing": 24,
                "drainage_clean": 0,
                "marking_renewal": 12,
                "sign_repair": 12,
                "clearance": 0,
            }
        ),
        metadata={"ge": 0, "le": 600},
    )
    recall_due: Clock = _clock("10wd")
    recall_verify: Clock = _clock("5wd")
    min_remaining_months: int = within(6, ge=0, le=600)
    footprint_m: float = within(1.0, ge=0, le=50)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRules:
    """Which repairs a person checks (DOMAIN 10.1): some always, of the others a share, never below the floor."""

    always_bands: tuple[Band, ...] = (Band.E, Band.P2)
    always_recalls: bool = True
    first_days: int = within(90, ge=0, le=3650)
    share: float = within(0.10, ge=0, le=1)
    floor: float = within(0.05, ge=0, le=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRules:
    """What a visit must show (DOMAIN 10.3, case 12; the numbers are ours, X)."""

    max_distance_m: float = within(75.0, ge=1, le=5000)
    # Bits of 64 in which two perceptual hashes may differ and still be one picture.
    same_photo_bits: int = within(4, ge=0, le=32)
    min_before: int = within(1, ge=0, le=20)
    min_after: int = within(1, ge=0, le=20)
    no_exif: Literal["accept", "warn", "fail"] = "warn"
    max_skew_minutes: int = within(10, ge=0, le=1440)
    backdated_hours: int = within(48, ge=1, le=8760)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageRules:
    """How soon a report is read. Danger runs on elapsed time, day and night (case 1)."""

    danger: Clock = _clock("1h")
    other: Clock = _clock("2wd")
    ask_timeout: Clock = _clock("10wd")
    challenge: Clock = _clock("28d")
    inspect: Clock = _clock("5wd")
    # Not used yet.
    inspect_max: Clock = _clock("10wd")
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionRules:
    """How often each hierarchy is inspected (X), and by how much an inspection may move. Not used yet."""

    frequency: Mapping[str, Clock] = _clocks({"2": "1m", "3a": "1m", "3b": "1m", "4a": "3m", "4b": "12m"})
    tolerance_days: int = within(14, ge=0, le=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRules:
    """What a position must be to be used; beyond `ask_accuracy_m` the sender is asked for a better one."""

    ask_accuracy_m: float = within(200.0, ge=1, le=100_000)
    # Not used yet, as `bng_error_without_grid_m`.
    max_accuracy_m: float = within(5000.0, ge=1, le=100_000)
    default_accuracy_m: float = within(15.0, ge=0, le=1000)
    snap_m: float = within(30.0, ge=1, le=1000)
    exif_disagree_m: float = within(100.0, ge=1, le=10_000)
    future_minutes: int = within(10, ge=0, le=1440)
    # Without the grid's shift file metres would be silently wrong (DOMAIN 4).
    require_grid: bool = True
    bng_error_without_grid_m: float = within(5.0, ge=0, le=1000)

    def __post_init__(self) -> None:
        if self.ask_accuracy_m > self.max_accuracy_m:
            raise FieldError("ask_accuracy_m", "is more than max_accuracy_m.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A contractor, by the code that lots use."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Who mends what, where, from a day to a day (inclusive; None: no end). "*" is all."""

    code: str
    contractor: str
    areas: tuple[str, ...] = ("*",)
    groups: tuple[str, ...] = ("*",)
    classes: tuple[str, ...] = ("*",)
    bands: tuple[str, ...] = ("*",)
    from_: date
    to: date | None = None

    def __post_init__(self) -> None:
        if self.to is not None and self.to < self.from_:
            raise FieldError("to", "lies before from.")
        for band in self.bands:
            if band != "*" and band not in Band.__members__:
                raise FieldError("bands", f"{band!r} is not one of {', '.join(Band)} or *.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorksRules:
    """How defects share works orders, and which clock exceptions are shown."""

    max_defects_per_order: int = within(10, ge=1, le=200)
    share_bands: tuple[Band, ...] = (Band.P2, Band.P5, Band.P10, Band.P20)
    # Not used yet.
    accept_within: Clock = _clock("1wd")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdPartyRules:
    """Chase dates of s.81 notices (X), and what a utility guarantees (DOMAIN 5.2): its months are not used yet."""

    chase_emergency: Clock = _clock("24h")
    chase: Clock = _clock("10wd")
    guarantee_months: int = within(24, ge=0, le=600)
    guarantee_months_deep: int = within(36, ge=0, le=600)


@dataclass(frozen=True, slots=True, kw_only=True)
class GullyRules:
    """Gullies (DOMAIN 6): response by flooding and risk, and the interval by silt found (percent, as text).

    The intervals are not used yet: no cleaning is planned by them.
    """

    flooding: Clock = _clock("24h")
    risk: Clock = _clock("10wd")
    planned_max: Clock = _clock("24m")
    critical_interval: Clock = _clock("6m")
    intervals: Mapping[str, Clock] = _clocks({"100": "6m", "75": "6m", "50": "12m", "25": "24m", "0": "36m"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitRule:
    """A street-works permit category (DOMAIN 5.1). Not used yet."""

    longest: Clock | None = None
    notice: Clock | None = None
    reply: Clock | None = None


def _permits() -> Mapping[str, PermitRule]:
    rules = {"minor": ("3wd", "3wd", "2wd"), "standard": ("10wd", "10wd", "5wd")}
    known = {
        name: PermitRule(longest=Clock.parse(longest), notice=Clock.parse(notice), reply=Clock.parse(reply))
        for name, (longest, notice, reply) in rules.items()
    }
    immediate = PermitRule(reply=Clock.parse("2wd"))
    major = PermitRule(notice=Clock.parse("10wd"), reply=Clock.parse("5wd"))
    return MappingProxyType({"immediate": immediate, **known, "major": major})


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitRules:
    """Durations of the categories and the time to apply for immediate works (X). Not used yet."""

    rules: Mapping[str, PermitRule] = field(default_factory=_permits)
    immediate_apply: Clock = _clock("2h")
    immediate_apply_next_day_at: time = time(10, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionRules:
    """SCANNER cut points between green, amber and red (X). Not used yet."""

    rci_amber: int = within(40, ge=0, le=315)
    rci_red: int = within(100, ge=0, le=315)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRules:
    """How long things are kept after the matter has ended (DOMAIN 8, X). Events stay, without personal data."""

    contact: Clock = _clock("24m")
    evidence: Clock = _clock("84m")
    evidence_minor_claim: Clock = _clock("252m")
    raw_detections: Clock = _clock("90d")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyRules:
    """What everybody sees of what residents send (DOMAIN 8). Of a repair, before and after are shown once verified."""

    # on_release: when a person has looked at it; at_once: as soon as it is sent.
    photos: Literal["on_release", "at_once"] = "on_release"
    # screened: without what reaches or names a person; on_release: only what a person has released.
    words: Literal["screened", "on_release"] = "screened"


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiRules:
    """What the published figures are measured by (DOMAIN 0, 5.4)."""

    rft_days: tuple[int, ...] = field(default=(30, 90, 365), metadata={"ge": 1, "le": 3650})
    in_time_target: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType({"E": 0.95, "P2": 0.95, "P5": 0.9, "P10": 0.9, "P20": 0.9}),
        metadata={"ge": 0, "le": 1},
    )
    freeze_after_days: int = within(14, ge=0, le=365)
