"""chatd registration: approves accounts, and blocks mail domains and networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

import click

from chatd.cli.command import EXIT_USAGE, as_json, confirm, confirmed, fail

if TYPE_CHECKING:
    from chatd.context.dependencies import CoreDependencies
    from chatd.queries.administration import AccountSummary

_COLUMNS = ("id", "username", "email", "requested")
_BLOCK_COLUMNS = ("value", "note", "created")
_MAX_BYTES = 16 * 2**20  # of a list of blocks; the known lists of mail domains have 3 MiB
_BATCH = 10_000  # blocks inserted in one statement


@click.group()
def registration() -> None:
    """Approve accounts, and block mail domains and networks.

    With REGISTRATION=approval, a new account waits until an administrator or this command approves
    it. Blocks are for registration only: existing accounts keep working.
    """


@registration.command(short_help="List the accounts that wait for approval.")
@click.option("--after", type=click.IntRange(0), default=0, help="Start after this id.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=1000, show_default=True)
@as_json
def waiting(after: int, limit: int, json: bool) -> None:
    """List the accounts that wait for approval, the oldest first.

    \b
    Example:
      chatd registration waiting
    """
    from chatd.cli import dependencies, output
    from chatd.queries import registrations

    found = dependencies.run_read(lambda cur: registrations.page(cur, after=after, limit=limit))
    shown: list[dict[str, Any]] = [
        {
            "id": str(each.id),
            "username": each.username,
            "email": each.email,
            "requested": each.requested_at,
        }
        for each in found
    ]
    output.records(shown, _COLUMNS, json=json)
    if len(found) == limit:
        click.echo(f"There may be more: continue with --after {found[-1].id}.", err=True)


@registration.command(short_help="Approve an account that waits.")
@click.argument("name", metavar="USER")
@as_json
def approve(name: str, json: bool) -> None:
    """Approve an account that waits: its owner can log in.

    USER is a name, an e-mail address or an id.

    \b
    Example:
      chatd registration approve ada
    """
    _decide(name, is_approved=True, json=json)


@registration.command(short_help="Refuse an account that waits.")
@click.argument("name", metavar="USER")
@confirmed
@as_json
def refuse(name: str, yes: bool, json: bool) -> None:
    """Refuse an account that waits. It is deleted; its name and address can be used again.

    \b
    Example:
      chatd registration refuse mallory --yes
    """
    confirm(f"Refuse and delete {name}?", yes=yes)
    _decide(name, is_approved=False, json=json)


def _decide(name: str, *, is_approved: bool, json: bool) -> None:
    from chatd.cli import dependencies, output
    from chatd.services.accounts import administration
    from chatd.services.safety import approvals

    async def work(deps: CoreDependencies) -> AccountSummary:
        async with deps.database.cursor() as cur:
            found = await administration.find(cur, name)
        if is_approved:
            await approvals.approve(deps, found.id)
        else:
            await approvals.refuse(deps, found.id)
        return found

    found = dependencies.run_write(work)
    done = "Approved" if is_approved else "Refused and deleted"
    facts = {"id": str(found.id), "username": found.username, "approved": is_approved}
    output.done(f"{done} {found.username}.", facts, json=json)


@registration.command(short_help="Block mail domains and networks.")
@click.argument("values", metavar="[DOMAIN|NETWORK]...", nargs=-1)
@click.option(
    "--file",
    type=click.File("rb"),
    help="Read them from a file, one in each line; # begins a comment. - is standard input.",
)
@click.option("--note", help="Why, for yourself.")
@as_json
def block(values: tuple[str, ...], file: IO[bytes] | None, note: str | None, json: bool) -> None:
    """Block mail domains, with their subdomains, and networks for registration.

    \b
    Examples:
      chatd registration block mail.example 192.0.2.0/24 --note "spam"
      chatd registration block --file disposable-domains.txt
    """
    from chatd.cli import dependencies, output
    from chatd.queries import registrations

    wanted = [*values, *(_lines(file) if file is not None else ())]
    if not wanted:
        fail("name a mail domain or a network, or a --file", EXIT_USAGE)
    if note is not None and len(note) > 1000:
        fail("a note has at most 1000 characters", EXIT_USAGE)
    domains, networks = _parsed(wanted)

    async def work(deps: CoreDependencies) -> int:
        added = 0
        for start in range(0, max(len(domains), len(networks)), _BATCH):
            async with deps.database.cursor() as cur:
                added += await registrations.insert_blocks(
                    cur,
                    domains=domains[start : start + _BATCH],
                    networks=networks[start : start + _BATCH],
                    note=note,
                )
        return added

    added = dependencies.run_write(work, requires_bus=False)
    facts = {"added": added, "known": len(domains) + len(networks) - added}
    output.done(f"Blocked {added} mail domains and networks.", facts, json=json)


@registration.command(short_help="List the blocked domains and networks.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True)
@as_json
def blocked(limit: int, json: bool) -> None:
    """List the blocked mail domains and networks.

    \b
    Example:
      chatd registration blocked --json
    """
    from chatd.cli import dependencies, output
    from chatd.queries import registrations

    found = dependencies.run_read(lambda cur: registrations.list_blocks(cur, limit=limit))
    shown = [{"value": each.value, "note": each.note, "created": each.created_at} for each in found]
    output.records(shown, _BLOCK_COLUMNS, json=json)
    if len(found) == limit:
        click.echo("There may be more: use --limit.", err=True)


@registration.command(short_help="Remove the block of a domain or network.")
@click.argument("value", metavar="DOMAIN|NETWORK")
@as_json
def unblock(value: str, json: bool) -> None:
    """Remove the block of a mail domain or a network.

    \b
    Example:
      chatd registration unblock 192.0.2.0/24
    """
    from chatd.cli import dependencies, output
    from chatd.queries import registrations

    domains, networks = _parsed([value])

    async def work(deps: CoreDependencies) -> bool:
        async with deps.database.cursor() as cur:
            return await registrations.delete_block(
                cur,
                domain=domains[0] if domains else None,
                network=networks[0] if networks else None,
            )

    if not dependencies.run_write(work, requires_bus=False):
        fail(f"{value!r} is not blocked")
    output.done(f"Unblocked {value}.", {"value": value}, json=json)


def _lines(file: IO[bytes]) -> Sequence[str]:
    """Return the lines of a file without comments. Ends the command if it is too large."""
    try:
        content = file.read(_MAX_BYTES + 1)
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"cannot read the list: {error}")
    if len(content) > _MAX_BYTES:
        fail(f"the list has more than {_MAX_BYTES // 2**20} MiB")
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def _parsed(values: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the domains and the networks. Ends the command if one is neither."""
    from chatd.core.registration import parse_block

    domains: dict[str, Any] = {}
    networks: dict[str, Any] = {}
    for value in values:
        try:
            found = parse_block(value)
        except ValueError as error:
            fail(str(error), EXIT_USAGE)
        if isinstance(found, str):
            domains[found] = None
        else:
            networks[str(found)] = None
    return [*domains], [*networks]
