"""chatd stats: counts of accounts, guilds, messages and files, and the running instances."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from chatd.cli.command import as_json

if TYPE_CHECKING:
    from chatd.db.cursor import Cursor


@click.command(short_help="Show counts and the running instances.")
@as_json
def stats(json: bool) -> None:
    """Show counts of accounts, guilds, messages and files, and the running instances.

    Above 100000 messages, their number is an estimate of Postgres. "active" counts accounts with a
    login that was used within the last day, or the last 30 days.

    \b
    Examples:
      chatd stats
      chatd stats --json | jq .people
    """
    from chatd.cli import dependencies, output
    from chatd.queries import statistics

    async def work(cur: Cursor) -> dict[str, Any]:
        counts = await statistics.server_counts(cur)
        running = await statistics.list_instances(cur)
        instances = [{"worker_id": each.worker_id, "holder": each.holder} for each in running]
        return {**asdict(counts), "instance": instances}

    output.record(dependencies.run_read(work), json=json)
