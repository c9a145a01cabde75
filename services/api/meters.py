"""What this process counts for Prometheus: requests by route and status, and how long they took."""

from functools import lru_cache

from prometheus_client import Counter, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]

REQUESTS = Counter("roadmend_requests", "Requests answered", ("method", "route", "status"))
SECONDS = Histogram(
    "roadmend_request_seconds",
    "Time from a request to the end of its answer",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request. `route` is the route's pattern, so that there are few of them and none holds a secret."""
    _requests(method, route, status).inc()
    _seconds(route).observe(seconds)


@lru_cache(maxsize=4096)
def _requests(method: str, route: str, status: int) -> Counter:
    return REQUESTS.labels(method, route, str(status))


@lru_cache(maxsize=1024)
def _seconds(route: str) -> Histogram:
    return SECONDS.labels(route)
