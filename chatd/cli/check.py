"""chatd check: checks whether a server can run here, and says how to fix what prevents it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from chatd.cli.command import as_json, log_no_slow_statements

if TYPE_CHECKING:
    from chatd.cli.finding import Finding
    from chatd.config import Config
    from chatd.queries.statistics import Instance

_COLUMNS = ("state", "subject", "finding", "remedy")


@click.command(short_help="Check whether a server can run here.")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
@click.option(
    "--instance",
    "instances",
    type=click.IntRange(0, 31),
    multiple=True,
    help="Check only whether the settings let these instances of systemd run side by side;"
    " 0 is chatd.service.",
)
@as_json
def check(strict: bool, instances: tuple[int, ...], json: bool) -> None:
    """Check settings, Postgres, Redis, SMTP, clock, disk, permissions and versions.

    Also checks whether every running instance is ready, and every provider of logins answers.
    Postgres knows the running instances; while it is unavailable, only the ports in the settings
    are checked.

    Needs no JWT_SECRET. Each finding has a remedy. If the output is not a terminal, each line
    holds, separated by tabs: state (ok, warning, error), subject, finding, remedy.

    Exits with 0 if a server can run, with 1 if there is an error.

    \b
    Examples:
      chatd check
      chatd check --strict > /dev/null && systemctl restart chatd
      chatd check --instance 1 --instance 2
      chatd check --json | jq -r '.[] | select(.state == "error") | .remedy'
    """
    from chatd.cli import output

    found = _unit_findings(instances) if instances else _findings()
    output.records([asdict(each) for each in found], _COLUMNS, json=json)
    states = {each.state for each in found}
    if "error" in states or (strict and "warning" in states):
        raise SystemExit(1)


def _unit_findings(numbers: Sequence[int]) -> list[Finding]:
    from chatd.cli import check_host, check_units

    config, found = check_host.settings(dict(os.environ))
    return found if config is None else [*found, *check_units.metrics_ports(config, numbers)]


def _findings() -> list[Finding]:
    from chatd.cli import check_host

    config, found = check_host.settings(dict(os.environ))
    found += [*check_host.versions(), *check_host.limits()]
    if config is None:
        return found
    for look in (check_host.disk, check_host.permissions):
        found += look(config)
    of_backends, running = _backend_findings(config)
    found += check_host.limits_of_instances(running or ())
    return [*found, *_instance_findings(config, running), *of_backends, *_of_providers(config)]


def _of_providers(config: Config) -> list[Finding]:
    """Check the providers of logins, if there are any."""
    if not config.providers:
        return []
    import asyncio

    from chatd.cli import check_providers

    return asyncio.run(check_providers.providers(config))


def _instance_findings(config: Config, running: list[Instance] | None) -> list[Finding]:
    from chatd.cli import check_instances

    of_ports = check_instances.of_ports(config, running)
    return of_ports if running is None else [*of_ports, *check_instances.of_instances(running)]


def _backend_findings(config: Config) -> tuple[list[Finding], list[Instance] | None]:
    """Check the other servers. Also returns the instances in Postgres, None if unavailable."""
    import asyncio

    from chatd.cli import check_backends, check_mail, dependencies
    from chatd.cli.finding import Finding
    from chatd.config import ConfigError
    from chatd.embedded.errors import EmbeddedError

    async def all_of(findings: AsyncIterator[Finding]) -> list[Finding]:
        return [each async for each in findings]

    async def gather(complete: Config) -> tuple[list[Finding], list[Instance] | None]:
        of_postgres, of_redis, of_mail, instances = await asyncio.gather(
            all_of(check_backends.postgres(complete)),
            all_of(check_backends.redis(complete)),
            all_of(check_mail.smtp(complete)),
            check_backends.instances(complete),
        )
        return [*of_postgres, *of_redis, *of_mail], instances

    log_no_slow_statements()
    try:
        with dependencies.with_servers(config) as complete:
            return asyncio.run(gather(complete))
    except ConfigError as error:
        remedy = "Set DATABASE_URL, or run `chatd serve --embedded` once."
        return [Finding("database", "error", str(error), remedy)], None
    except EmbeddedError as error:
        remedy = "See the log in CHATD_DATA_DIR; `chatd serve --embedded` fails the same way."
        return [Finding("database", "error", str(error), remedy)], None
