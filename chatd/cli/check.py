"""chatd check: whether a server can run here, and what to do if it cannot."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from chatd.cli.command import as_json

if TYPE_CHECKING:
    from chatd.cli.finding import Finding
    from chatd.config import Config

_COLUMNS = ("state", "subject", "finding", "remedy")


@click.command(short_help="Look whether a server can run here.")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings, too.")
@as_json
def check(strict: bool, json: bool) -> None:
    """Check settings, Postgres, Redis, clock, disk, permissions and versions.

    Needs no JWT_SECRET. Every finding comes with its remedy. Elsewhere than on
    a terminal a line has, between tabs: state (ok, warning, error), subject, finding, remedy.

    Exits with 0 if a server can run, with 1 if there is an error.

    \b
    Examples:
      chatd check
      chatd check --strict > /dev/null && systemctl restart chatd
      chatd check --json | jq -r '.[] | select(.state == "error") | .remedy'
    """
    from chatd.cli import output

    found = _findings()
    output.records([asdict(each) for each in found], _COLUMNS, json=json)
    states = {each.state for each in found}
    if "error" in states or (strict and "warning" in states):
        raise SystemExit(1)


def _findings() -> list[Finding]:
    from chatd.cli import check_here

    config, found = check_here.settings(dict(os.environ))
    found += [*check_here.versions(), *check_here.limits()]
    if config is None:
        return found
    for look in (check_here.disk, check_here.permissions, check_here.port):
        found += look(config)
    return found + _of_servers(config)


def _of_servers(config: Config) -> list[Finding]:
    import asyncio

    from chatd.cli import check_servers, running
    from chatd.cli.finding import Finding
    from chatd.config import ConfigError

    async def gather(complete: Config) -> list[Finding]:
        async def all_of(findings: AsyncIterator[Finding]) -> list[Finding]:
            return [each async for each in findings]

        of_each = await asyncio.gather(
            all_of(check_servers.postgres(complete)), all_of(check_servers.redis(complete))
        )
        return [each for found in of_each for each in found]

    try:
        with running.with_servers(config) as complete:
            return asyncio.run(gather(complete))
    except ConfigError as error:
        remedy = "Name a Postgres, or run `chatd serve --embedded` once."
        return [Finding("database", "error", str(error), remedy)]
    except Exception as error:
        if not running.is_of_embedded(error):
            raise
        remedy = "See the log beside the data; `chatd serve --embedded` says the same."
        return [Finding("database", "error", str(error), remedy)]
