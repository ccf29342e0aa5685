"""Gauges of the present state of the server."""

from __future__ import annotations

from chatd.context.dependencies import CoreDependencies
from chatd.gateway.connection_table import ConnectionTable
from chatd.gateway.fanout.hub import Hub
from chatd.observability.metrics import Metrics


def add_gauges(metrics: Metrics, table: ConnectionTable, hub: Hub, core: CoreDependencies) -> None:
    """Export the state of the server as gauges, read at each scrape."""
    connections, database, bus = table.connections, core.database, core.bus
    for name, meaning, read in (
        ("chatd_connections", "Open gateway connections.", lambda: len(connections)),
        (
            "chatd_sessions",
            "Sessions, including disconnected ones that can still be resumed.",
            lambda: len(hub),
        ),
        (
            "chatd_send_queue_bytes",
            "Bytes in the send queues of all connections.",
            lambda: sum(each.send_queue_bytes for each in connections),
        ),
        (
            "chatd_replay_bytes",
            "Bytes in the replay buffers of all sessions.",
            lambda: hub.replay_budget.used_bytes,
        ),
        ("chatd_db_pool_in_use", "Database connections in use.", lambda: database.in_use),
        ("chatd_db_pool_idle", "Idle database connections.", lambda: database.idle),
        (
            "chatd_db_pool_waiting",
            "Requests waiting for a database connection.",
            lambda: database.waiting,
        ),
        ("chatd_database_up", "1 if connected to Postgres.", lambda: not database.is_unavailable),
        ("chatd_bus_up", "1 if connected to Redis.", lambda: bus.connected),
        (
            "chatd_bus_lag_seconds",
            "Age of the last event received from another instance.",
            lambda: bus.lag_s,
        ),
        (
            "chatd_bus_pending_events",
            "Events not yet published to other instances.",
            lambda: bus.unpublished,
        ),
    ):
        metrics.gauge(name, meaning, read)
