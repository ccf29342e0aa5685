"""Distributions are exported as the histograms of the client library are."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from chatd.observability.metrics import Metrics

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LABELS = ["method", "route"]

durations = st.sampled_from(_BOUNDS) | st.floats(0, 60) | st.none()
requests = st.tuples(
    st.sampled_from(["GET", "POST"]),
    st.sampled_from(["/guilds/{guild_id}", 'a "quoted"\nroute']),
    st.sampled_from([200, 404]),
    durations,
)


def _lines(exposition: bytes) -> set[str]:
    """Return the lines about requests, without the times at which series began."""
    lines = exposition.decode().splitlines()
    return {each for each in lines if "chatd_http_request" in each and "_created" not in each}


@given(st.lists(requests, max_size=20))
def test_requests_are_exported_as_by_the_client_library(
    observed: list[tuple[str, str, int, float | None]],
) -> None:
    registry = CollectorRegistry()
    count = Counter(
        "chatd_http_requests", "HTTP requests answered.", [*_LABELS, "status"], registry=registry
    )
    seconds = Histogram(
        "chatd_http_request_seconds",
        "Time from a request to its response.",
        _LABELS,
        buckets=_BOUNDS,
        registry=registry,
    )
    metrics = Metrics()
    for method, route, status, took_s in observed:
        metrics.observe_request(method, route, status, took_s)
        count.labels(method, route, status).inc()
        if took_s is not None:
            seconds.labels(method, route).observe(took_s)
    assert _lines(metrics.exposition()) == _lines(generate_latest(registry))


def test_a_distribution_has_a_last_bucket_without_bound() -> None:
    metrics = Metrics()
    metrics.observe_commit(257, 6.0)
    assert list(metrics.commit_rows.cumulative())[-2:] == [(256, 0), (math.inf, 1)]
    assert metrics.commit_s.total == 6.0
