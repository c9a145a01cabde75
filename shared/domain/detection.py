"""When a camera's detection may be kept: the rules that need policy and time. Its form was checked at the edge."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from shared.domain.policy import Policy

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class Sent(Protocol):
    """A detection as it was sent, every field of its right type and range (DOMAIN 3.3). Only what rules look at."""

    @property
    def external_id(self) -> str: ...
    @property
    def source(self) -> str | None: ...
    @property
    def survey_pass_id(self) -> str | None: ...
    @property
    def captured_at(self) -> datetime: ...
    @property
    def class_code(self) -> str: ...
    @property
    def class_scheme(self) -> str | None: ...
    @property
    def confidence(self) -> float: ...
    @property
    def lat(self) -> float: ...
    @property
    def lon(self) -> float: ...
    @property
    def h_accuracy_m(self) -> float | None: ...
    @property
    def heading_deg(self) -> float | None: ...
    @property
    def est_depth_mm(self) -> float | None: ...
    @property
    def est_width_mm(self) -> float | None: ...
    @property
    def depth_method(self) -> str | None: ...


class Item(Protocol):
    """One of a request: what was sent, and what else it came with, as JSON that PostgreSQL can keep."""

    @property
    def sent(self) -> Sent: ...
    @property
    def more(self) -> str: ...


class Unreadable(NamedTuple):
    """One of a request that has not the right form: which field, "" for the whole, and what is wrong with it."""

    field: str
    reason: str


class Detection(NamedTuple):
    """One detection, fit to be kept. `position` counts from 0 in the request."""

    position: int
    external_id: str
    survey_pass_id: str | None
    captured_at: datetime
    class_code: str
    confidence: float
    lat: float
    lon: float
    accuracy_m: float
    heading_deg: float | None
    depth_mm: float | None
    width_mm: float | None
    depth_method: str | None
    more: str


class Fault(NamedTuple):
    """Why a detection is refused: which field, "" for the whole, and what is wrong with it."""

    position: int
    field: str
    reason: str


class Reader:
    """Applies the rules to the detections of one request, of the source `source`."""

    def __init__(self, policy: Policy, source: str, now: datetime) -> None:
        self.policy, self.source = policy, source
        self.latest = now + timedelta(minutes=policy.place.future_minutes)
        self.accuracy_m = policy.place.default_accuracy_m
        self._classes: dict[tuple[str | None, str], str | None] = {}

    def read(self, position: int, item: Item | Unreadable) -> Detection | Fault:
        """The detection, or the first thing that is wrong with it. What is not told of its accuracy is the policy's."""
        if isinstance(item, Unreadable):
            return Fault(position, item.field, item.reason)
        sent = item.sent
        class_code = self._class(sent.class_scheme, sent.class_code)
        if class_code is None or not EARLIEST <= sent.captured_at <= self.latest or sent.source:
            fault = self._fault(position, sent, class_code)
            if fault is not None:
                return fault
        return Detection(
            position,
            sent.external_id,
            sent.survey_pass_id,
            sent.captured_at,
            class_code or "",
            sent.confidence,
            sent.lat,
            sent.lon,
            self.accuracy_m if sent.h_accuracy_m is None else sent.h_accuracy_m,
            sent.heading_deg,
            sent.est_depth_mm,
            sent.est_width_mm,
            sent.depth_method,
            item.more,
        )

    def _fault(self, position: int, sent: Sent, class_code: str | None) -> Fault | None:
        if class_code is None:
            scheme = sent.class_scheme or self.policy.detections.default_scheme
            return Fault(position, "class_code", f"{sent.class_code!r} is not a class of {scheme}")
        if sent.captured_at > self.latest:
            return Fault(position, "captured_at", "is in the future: check the clock of the camera")
        if sent.captured_at < EARLIEST:
            return Fault(position, "captured_at", "lies before the year 2000")
        if sent.source and sent.source != self.source:
            return Fault(position, "source", f"is not yours: this key is of {self.source}")
        return None

    def _class(self, scheme: str | None, code: str) -> str | None:
        key = (scheme, code)
        if key not in self._classes:
            self._classes[key] = self.policy.class_of(scheme or self.policy.detections.default_scheme, code)
        return self._classes[key]
