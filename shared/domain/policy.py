"""The policy of an authority, read from TOML: classes, matrix, bands, floors, distances, terms, lots (DESIGN 7).

`parse` refuses what it does not know and names file, line and key. What a section holds stands in `policy_sections.py`;
DOMAIN 10.1 and 10.4 are the source of the defaults.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from shared.domain.policy_sections import (
    BandRule,
    CalendarRules,
    ClassRule,
    ConditionRules,
    DetectionRules,
    DuplicateRules,
    EvidenceRules,
    Floor,
    GullyRules,
    InspectionRules,
    KpiRules,
    Level,
    Lot,
    Matrix,
    Meta,
    Named,
    PermitRules,
    PlaceRules,
    PrivacyRules,
    RetentionRules,
    RiskRules,
    ThirdPartyRules,
    TriageRules,
    VerificationRules,
    WarrantyRules,
    WorksRules,
)
from shared.domain.records import Place, PolicyError, build, read
from shared.domain.terms import Band

__all__ = [
    "FLAGS",
    "HIERARCHIES",
    "ZONES",
    "BandRule",
    "CalendarRules",
    "ClassRule",
    "DuplicateRules",
    "EvidenceRules",
    "Floor",
    "Lot",
    "Meta",
    "Policy",
    "PolicyError",
    "parse",
]

HIERARCHIES = frozenset({"2", "3a", "3b", "4a", "4b"})
"""Maintenance hierarchy of carriageways (DOMAIN 1.4)."""
ZONES = frozenset({"primary", "secondary", "local"})
"""Footway zones."""
FLAGS = frozenset(
    {"cycle_lane", "crossing", "wheel_path", "collapse", "obstruction", "flooding", "risk", "danger", "missing_cover"}
)
"""Facts of an assessment that are so or not so. `danger`: somebody said that it is dangerous."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Policy:
    """One version of a policy. Two are equal when their texts are."""

    source: str
    sha256: str
    meta: Meta
    calendar: CalendarRules
    classes: Mapping[str, ClassRule]
    class_schemes: Mapping[str, Mapping[str, str]]
    matrix: Matrix
    risk: RiskRules
    levels: Mapping[str, Level]
    bands: Mapping[Band, BandRule]
    floors: tuple[Floor, ...]
    duplicates: DuplicateRules
    duplicates_by_class: Mapping[str, DuplicateRules]
    detections: DetectionRules
    warranty: WarrantyRules
    verification: VerificationRules
    evidence: EvidenceRules
    triage: TriageRules
    inspection: InspectionRules
    place: PlaceRules
    contractors: Mapping[str, Named]
    lots: tuple[Lot, ...]
    works: WorksRules
    third_party: ThirdPartyRules
    gully: GullyRules
    permit: PermitRules
    condition: ConditionRules
    retention: RetentionRules
    privacy: PrivacyRules
    kpi: KpiRules

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and other.sha256 == self.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def class_of(self, scheme: str, code: str) -> str | None:
        """Our class for another scheme's code ("rdd2022", "D40"); a class of ours is itself; None when unknown."""
        known = self.class_schemes.get(scheme, {}).get(code)
        return known or (code if code in self.classes else None)

    def kinds_like(self, class_code: str) -> frozenset[str]:
        """The classes by which the same hole may be called, the class itself included. Symmetric."""
        return self._alike.get(class_code, frozenset({class_code}))

    def duplicates_of(self, class_code: str) -> DuplicateRules:
        """The distances for a class: its own, else its group's, else the general ones."""
        return self.duplicates_by_class.get(class_code, self.duplicates)

    @cached_property
    def _alike(self) -> Mapping[str, frozenset[str]]:
        alike: dict[str, set[str]] = {code: {code} for code in self.classes}
        for code, rule in self.classes.items():
            for other in rule.compatible:
                alike[code].add(other)
                alike[other].add(code)
        return MappingProxyType({code: frozenset(others) for code, others in alike.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The top of the file: what may stand there, with what stands for the sections that are left out."""

    meta: Meta
    calendar: CalendarRules
    classes: Mapping[str, ClassRule]
    class_schemes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    matrix: Matrix
    risk: RiskRules = field(default_factory=RiskRules)
    levels: Mapping[str, Level] = field(default_factory=dict)
    bands: Mapping[Band, BandRule]
    floors: tuple[Floor, ...] = ()
    detections: DetectionRules = field(default_factory=DetectionRules)
    warranty: WarrantyRules = field(default_factory=WarrantyRules)
    verification: VerificationRules = field(default_factory=VerificationRules)
    evidence: EvidenceRules = field(default_factory=EvidenceRules)
    triage: TriageRules = field(default_factory=TriageRules)
    inspection: InspectionRules = field(default_factory=InspectionRules)
    place: PlaceRules = field(default_factory=PlaceRules)
    contractors: Mapping[str, Named] = field(default_factory=dict)
    lots: tuple[Lot, ...] = ()
    works: WorksRules = field(default_factory=WorksRules)
    third_party: ThirdPartyRules = field(default_factory=ThirdPartyRules)
    gully: GullyRules = field(default_factory=GullyRules)
    permit: PermitRules = field(default_factory=PermitRules)
    condition: ConditionRules = field(default_factory=ConditionRules)
    retention: RetentionRules = field(default_factory=RetentionRules)
    privacy: PrivacyRules = field(default_factory=PrivacyRules)
    kpi: KpiRules = field(default_factory=KpiRules)


def parse(text: str, source: str) -> Policy:
    """The policy that a TOML text holds; `source` is the file's name, for errors.

    Raises:
        PolicyError: not TOML, a key unknown or missing, a value of a wrong type or range, a name that points nowhere.
    """
    tables, root = read(text, source)
    dedupe = tables.pop("dedupe", {})
    top = build(_File, tables, root)
    _check_names(top, root)
    general, by_class = _duplicates(dedupe, root.at("dedupe"), top.classes)
    sections = {name: getattr(top, name) for name in _File.__slots__}
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Policy(source=source, sha256=sha256, duplicates=general, duplicates_by_class=by_class, **sections)


def _duplicates(
    table: object, place: Place, classes: Mapping[str, ClassRule]
) -> tuple[DuplicateRules, Mapping[str, DuplicateRules]]:
    """The general distances, and those of each class whose own or whose group's table changes some of them."""
    if not isinstance(table, dict):
        raise place.error("should be a table.")
    own = {key: table[key] for key in table if key not in ("groups", "classes")}
    general = build(DuplicateRules, own, place)
    groups, changes = table.get("groups", {}), table.get("classes", {})
    _known(groups, {rule.group for rule in classes.values()}, place.at("groups"))
    _known(changes, classes, place.at("classes"))
    found: dict[str, DuplicateRules] = {}
    for code, rule in classes.items():
        if rule.group in groups:
            found[code] = build(DuplicateRules, groups[rule.group], place.at("groups", rule.group), general)
    for code, changed in changes.items():
        found[code] = build(DuplicateRules, changed, place.at("classes", code), found.get(code, general))
    return general, MappingProxyType(found)


def _check_names(top: _File, root: Place) -> None:
    """Every name that one section uses must be made in another."""
    groups = {rule.group for rule in top.classes.values()}
    for code, rule in top.classes.items():
        _known(rule.compatible, top.classes, root.at("classes", code, "compatible"))
        _known((rule.repair_type,), top.warranty.months, root.at("classes", code, "repair_type"))
    for scheme, codes in top.class_schemes.items():
        for code, ours in codes.items():
            _known((ours,), top.classes, root.at("class_schemes", scheme, code))
    _known(top.levels, groups, root.at("levels"))
    _known(top.risk.likelihood, HIERARCHIES, root.at("risk", "likelihood"))
    for position, floor in enumerate(top.floors):
        _check_floor(floor, groups, top.classes, root.at("floors", position))
    for position, lot in enumerate(top.lots):
        _check_lot(lot, groups, top, root.at("lots", position))
    _check_bands(top, root)


def _check_bands(top: _File, root: Place) -> None:
    for band in Band:
        if band not in top.bands:
            raise root.at("bands", band.value).error("must be given.")
    used = {band for row in (top.matrix.impact_1, top.matrix.impact_2, top.matrix.impact_3) for band in row}
    if unusual := sorted((used | set(top.matrix.impact_4)) & {Band.T, Band.G, Band.R}):
        raise root.at("matrix").error(f"{', '.join(unusual)} are not graded by risk.")


def _check_floor(floor: Floor, groups: Iterable[str], classes: Iterable[str], place: Place) -> None:
    _known(floor.groups, groups, place.at("groups"))
    _known(floor.classes, classes, place.at("classes"))
    _known(floor.hierarchies, HIERARCHIES, place.at("hierarchies"))
    _known(floor.zones, ZONES, place.at("zones"))
    _known(floor.flags, FLAGS, place.at("flags"))


def _check_lot(lot: Lot, groups: set[str], top: _File, place: Place) -> None:
    _known((lot.contractor,), top.contractors, place.at("contractor"))
    _known(lot.groups, {*groups, "*"}, place.at("groups"))
    _known(lot.classes, {*top.classes, "*"}, place.at("classes"))


def _known(names: Iterable[str], known: Iterable[str], place: Place) -> None:
    if not isinstance(names, Iterable):
        raise place.error("should be a table.")
    allowed = sorted(known)
    for name in names:
        if name not in allowed:
            named = place.at(name) if isinstance(names, Mapping) else place
            raise named.error(f"{name!r} is not known here; known: {', '.join(allowed) or 'none'}.")
