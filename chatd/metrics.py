"""What is counted and measured, for Prometheus to collect; the only module that knows its client.

Each server has one `Metrics`. What happens for every event is counted in the plain integers of its
`Tally`; what is a state (how many sessions there are) is asked for when somebody collects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_REQUEST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_COMMIT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_LAG_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)


@dataclass(slots=True)
class Tally:
    """What has happened since the start. `_s` is seconds."""

    dispatches: int = 0
    deliveries: int = 0
    slow_readers: int = 0
    identifies: int = 0
    resumes: int = 0
    invalidations: int = 0
    pool_waits: int = 0
    pool_wait_s: float = 0.0
    commits: int = 0
    slow_queries: int = 0
    blocks: int = 0


_TALLIED = {
    "dispatches": ("chatd_dispatches", "Events that were brought to the sessions here."),
    "deliveries": ("chatd_deliveries", "Sessions that each event was brought to, added up."),
    "slow_readers": ("chatd_slow_reader_closes", "Clients cut off because they do not read."),
    "identifies": ("chatd_gateway_identifies", "Sessions that were started."),
    "resumes": ("chatd_gateway_resumes", "Sessions that were resumed."),
    "invalidations": ("chatd_gateway_reidentifies", "Clients that were told to identify anew."),
    "pool_waits": ("chatd_pool_waits", "Times that no database connection was free."),
    "pool_wait_s": ("chatd_pool_wait_seconds", "Time spent waiting for database connections."),
    "commits": ("chatd_transaction_commits", "Transactions committed, besides those of messages."),
    "slow_queries": ("chatd_slow_queries", "Statements that took longer than half a second."),
    "blocks": ("chatd_loop_blocks", "Times that the event loop stood still for 0.2 s or more."),
}


class Metrics:
    """All that one server tells."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._registry = CollectorRegistry()
        self._gauges: list[tuple[str, str, Callable[[], float]]] = []
        requests = Counter(
            "chatd_http_requests",
            "Requests that were answered.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        request_s = Histogram(
            "chatd_http_request_seconds",
            "How long answering took.",
            ["method", "route"],
            buckets=_REQUEST_S,
            registry=self._registry,
        )
        # Its client looks labels up under a lock, and makes strings of them each time.
        self._requests_of = cache(requests.labels)
        self._request_s_of = cache(request_s.labels)
        self._commit_s = Histogram(
            "chatd_commit_seconds",
            "How long committing a batch of messages took.",
            buckets=_COMMIT_S,
            registry=self._registry,
        )
        self._commit_rows = Histogram(
            "chatd_commit_batch_messages",
            "Messages in a batch that was committed.",
            buckets=_ROWS,
            registry=self._registry,
        )
        self._loop_lag = Histogram(
            "chatd_loop_lag_seconds",
            "How late the event loop was.",
            buckets=_LAG_S,
            registry=self._registry,
        )
        self._registry.register(_Read(self.tally, self._gauges))

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Ask for this whenever somebody collects."""
        self._gauges.append((name, meaning, read))

    def answered(self, method: str, route: str, status: int, took_s: float | None) -> None:
        """A request was answered. `route` is the template of its path."""
        self._requests_of(method, route, status).inc()
        if took_s is not None:
            self._request_s_of(method, route).observe(took_s)

    def committed(self, rows: int, took_s: float) -> None:
        """A batch of messages was committed."""
        self._commit_rows.observe(rows)
        self._commit_s.observe(took_s)

    def lagged(self, late_s: float) -> None:
        """The event loop was so late."""
        self._loop_lag.observe(late_s)

    def exposition(self) -> bytes:
        """Everything, in the text format of Prometheus."""
        return generate_latest(self._registry)


class _Read(Collector):
    """What is read when somebody collects."""

    def __init__(self, tally: Tally, gauges: list[tuple[str, str, Callable[[], float]]]) -> None:
        self._tally = tally
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        for field, (name, meaning) in _TALLIED.items():
            yield CounterMetricFamily(name, meaning, value=getattr(self._tally, field))
        for name, meaning, read in self._gauges:
            yield GaugeMetricFamily(name, meaning, value=read())
