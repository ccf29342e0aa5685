"""Metrics of one server, in the text format of Prometheus.

This is the only module that imports `prometheus_client`. Each server has one `Metrics`. All events
are counted in plain integers, because incrementing a counter of the client library takes a lock.
Only the event loop counts, and a scrape reads the counts. Gauges, such as the number of sessions,
are read at each scrape.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from chatd.observability.distribution import Distribution
from chatd.observability.process_usage import ProcessUsage

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

# Upper bounds of the histogram buckets: in seconds, and in rows of a batch.
_REQUEST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_COMMIT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_LAG_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)


@dataclass(slots=True)
class Counters:
    """Counts since the start of the server. `_s` is seconds."""

    dispatches: int = 0
    deliveries: int = 0
    slow_consumer_disconnects: int = 0
    identifies: int = 0
    resumes: int = 0
    invalid_sessions: int = 0
    pool_waits: int = 0
    pool_wait_s: float = 0.0
    commits: int = 0
    slow_queries: int = 0
    loop_stalls: int = 0
    mails_sent: int = 0
    mails_failed: int = 0
    mails_dropped: int = 0


_COUNTERS = {
    "dispatches": ("chatd_dispatches", "Events dispatched to the sessions of this instance."),
    "deliveries": ("chatd_deliveries", "Deliveries: one for each session that got an event."),
    "slow_consumer_disconnects": (
        "chatd_slow_consumer_disconnects",
        "Clients disconnected because they read too slowly.",
    ),
    "identifies": ("chatd_gateway_identifies", "Sessions started."),
    "resumes": ("chatd_gateway_resumes", "Sessions resumed."),
    "invalid_sessions": (
        "chatd_gateway_invalid_sessions",
        "Invalid Session commands (op 9) sent to clients.",
    ),
    "pool_waits": ("chatd_db_pool_waits", "Requests that had to wait for a database connection."),
    "pool_wait_s": ("chatd_db_pool_wait_seconds", "Time spent waiting for database connections."),
    "commits": ("chatd_transaction_commits", "Transactions committed, without message batches."),
    "slow_queries": ("chatd_slow_queries", "Statements that took more than half a second."),
    "loop_stalls": (
        "chatd_event_loop_stalls",
        "Times that the event loop was blocked for 0.2 s or more.",
    ),
    "mails_sent": ("chatd_mails_sent", "Mails that the SMTP server has accepted."),
    "mails_failed": (
        "chatd_mails_failed",
        "Attempts to send a mail that failed; it is tried again.",
    ),
    "mails_dropped": (
        "chatd_mails_dropped",
        "Mails given up: refused by the SMTP server, or not sent within a day.",
    ),
}
"""Name and help text of each field of `Counters`."""

_FORMER_NAMES = {
    "chatd_slow_consumer_disconnects": "chatd_slow_reader_closes",
    "chatd_gateway_invalid_sessions": "chatd_gateway_reidentifies",
    "chatd_event_loop_stalls": "chatd_loop_blocks",
    "chatd_event_loop_lag_seconds": "chatd_loop_lag_seconds",
    "chatd_send_queue_bytes": "chatd_outbox_bytes",
    "chatd_bus_pending_events": "chatd_bus_unpublished",
    "chatd_db_pool_in_use": "chatd_pool_in_use",
    "chatd_db_pool_idle": "chatd_pool_idle",
    "chatd_db_pool_waiting": "chatd_pool_waiting",
    "chatd_db_pool_waits": "chatd_pool_waits",
    "chatd_db_pool_wait_seconds": "chatd_pool_wait_seconds",
}
"""Renamed metrics. Their former names are exported for one release, so that dashboards and alerts
keep working until the operator has changed them."""


class Metrics:
    """All metrics of one server."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.requests: Counter[tuple[str, str, int]] = Counter()
        """Requests answered, by method, route and status."""
        self.request_s: defaultdict[tuple[str, str], Distribution] = defaultdict(
            partial(Distribution, _REQUEST_S)
        )
        """Seconds from a request to its response, by method and route."""
        self.commit_s = Distribution(_COMMIT_S)
        self.commit_rows = Distribution(_ROWS)
        self.loop_lag = Distribution(_LAG_S)
        self.gauges: list[tuple[str, str, Callable[[], float]]] = []
        self.process: ProcessUsage | None = None
        """What the process used at the last scrape; `metrics_app` reads it."""
        self._registry = CollectorRegistry()
        self._registry.register(_Collector(self))

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Export a gauge whose value `read` returns at each scrape."""
        self.gauges.append((name, meaning, read))

    def observe_request(self, method: str, route: str, status: int, took_s: float | None) -> None:
        """Count a request that was answered. `route` is the template of its path."""
        self.requests[method, route, status] += 1
        if took_s is not None:
            self.request_s[method, route].observe(took_s)

    def observe_commit(self, rows: int, took_s: float) -> None:
        """Record a committed batch of messages."""
        self.commit_rows.observe(rows)
        self.commit_s.observe(took_s)

    def observe_loop_lag(self, late_s: float) -> None:
        """Record how many seconds late a timer of the event loop fired."""
        self.loop_lag.observe(late_s)

    def exposition(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self._registry)


class _Collector(Collector):
    """Reads all metrics at each scrape."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        for metric in self._current():
            yield metric
            if former := _FORMER_NAMES.get(metric.name):
                yield _renamed(metric, former)

    def _current(self) -> Iterator[Metric]:
        metrics = self._metrics
        yield from self._requests()
        yield _histogram(
            "chatd_commit_seconds", "Time to commit a batch of messages.", metrics.commit_s
        )
        yield _histogram(
            "chatd_commit_batch_messages", "Messages in a committed batch.", metrics.commit_rows
        )
        for field, (name, meaning) in _COUNTERS.items():
            yield CounterMetricFamily(name, meaning, value=getattr(metrics.counters, field))
        for name, meaning, read in metrics.gauges:
            yield GaugeMetricFamily(name, meaning, value=read())
        yield _histogram(
            "chatd_event_loop_lag_seconds", "Delay of a timer on the event loop.", metrics.loop_lag
        )
        if metrics.process is not None:
            yield from _process(metrics.process)

    def _requests(self) -> Iterator[Metric]:
        counts = CounterMetricFamily(
            "chatd_http_requests", "HTTP requests answered.", labels=["method", "route", "status"]
        )
        for (method, route, status), count in self._metrics.requests.items():
            counts.add_metric([method, route, str(status)], count)
        yield counts
        durations = HistogramMetricFamily(
            "chatd_http_request_seconds",
            "Time from a request to its response.",
            labels=["method", "route"],
        )
        for labels, observed in self._metrics.request_s.items():
            durations.add_metric(labels, _buckets(observed), observed.total)
        yield durations


def _process(usage: ProcessUsage) -> Iterator[Metric]:
    """Yield the standard metrics of a process, under the names of Prometheus' client libraries."""
    yield CounterMetricFamily(
        "process_cpu_seconds", "User and system CPU time of the process.", value=usage.cpu_s
    )
    for name, meaning, value in (
        ("process_max_fds", "Maximum number of open file descriptors.", usage.max_open_files),
        ("process_open_fds", "Number of open file descriptors.", usage.open_files),
        ("process_resident_memory_bytes", "Resident memory size.", usage.resident_bytes),
        ("process_virtual_memory_bytes", "Virtual memory size.", usage.virtual_bytes),
        ("process_start_time_seconds", "Start time since the Unix epoch.", usage.started),
    ):
        if value is not None:
            yield GaugeMetricFamily(name, meaning, value=value)


def _histogram(name: str, meaning: str, observed: Distribution) -> HistogramMetricFamily:
    return HistogramMetricFamily(name, meaning, _buckets(observed), observed.total)


def _buckets(observed: Distribution) -> list[tuple[str, float]]:
    return [
        (floatToGoString(bound), count)  # type: ignore[no-untyped-call]
        for bound, count in observed.cumulative()
    ]


def _renamed(metric: Metric, former: str) -> Metric:
    """Return a copy of a metric under its former name."""
    copy = Metric(former, f"Deprecated: use {metric.name}.", metric.type)
    copy.samples = [
        sample._replace(name=sample.name.replace(metric.name, former, 1))
        for sample in metric.samples
    ]
    return copy
