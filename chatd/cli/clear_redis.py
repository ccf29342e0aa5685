"""chatd clear-redis: deletes the keys of chatd in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from chatd.cli.command import EXIT_USAGE, as_json, confirm, confirmed, fail

if TYPE_CHECKING:
    from chatd.config import Config


@click.command("clear-redis", short_help="Delete the keys of chatd in Redis.")
@confirmed
@as_json
def clear_redis(yes: bool, json: bool) -> None:
    """Delete the keys of chatd in Redis, and no others. Stop all instances first.

    No message is lost: Redis holds only events in flight, counts of rate limits, and suspended
    sessions. `scripts/uninstall --purge` does this too.

    \b
    Example:
      chatd clear-redis --yes
    """
    import asyncio

    from chatd.bus.bus import BusUnavailable
    from chatd.bus.cleanup import PREFIX, delete_keys
    from chatd.cli import output
    from chatd.config import ConfigError, load

    try:
        config: Config = load(embedded=True)
    except ConfigError as error:
        fail(str(error), EXIT_USAGE)
    if not config.redis_url:
        fail("REDIS_URL is not set: there is nothing to delete", EXIT_USAGE)
    confirm(f"Delete all keys that begin with {PREFIX} in this Redis?", yes=yes)
    try:
        deleted = asyncio.run(delete_keys(config.redis_url))
    except BusUnavailable as error:
        fail(str(error))
    output.done(f"Deleted {deleted} keys of chatd in Redis.", {"deleted": deleted}, json=json)
