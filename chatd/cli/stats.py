"""chatd stats: how much there is, and who serves it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from chatd.cli.command import as_json

if TYPE_CHECKING:
    from chatd.db import Cursor


@click.command(short_help="Show how much there is, and what runs.")
@as_json
def stats(json: bool) -> None:
    """Show how much there is: accounts, guilds, messages, files; and which instances run.

    Of more than 100000 messages the number is an estimate of Postgres's. "active" counts accounts
    whose login was used within a day, or 30 days.

    \b
    Examples:
      chatd stats
      chatd stats --json | jq .people
    """
    from chatd.cli import output, running
    from chatd.queries import statistics

    async def work(cur: Cursor) -> dict[str, Any]:
        counts = await statistics.counts(cur)
        running_now = await statistics.instances(cur)
        instances = [{"worker_id": each.worker_id, "holder": each.holder} for each in running_now]
        return {**asdict(counts), "instance": instances}

    output.record(running.read(work), json=json)
