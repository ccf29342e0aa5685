"""chatd guild: shows, transfers and deletes guilds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from chatd.cli.command import as_json, confirm, confirmed, sanitize

if TYPE_CHECKING:
    from chatd.context.dependencies import CoreDependencies
    from chatd.queries.administration import GuildSummary

_COLUMNS = ("id", "name", "owner", "members", "channels", "invites")


@click.group()
def guild() -> None:
    """Show, transfer and delete guilds.

    GUILD is an id; `chatd guild list NAME` finds it. Changes take effect on every running instance
    at once, so they need Redis.
    """


@guild.command("list", short_help="List guilds, the oldest first.")
@click.argument("part", metavar="[FILTER]", default="")
@click.option("--after", type=click.IntRange(0), default=0, help="Start after this id.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@as_json
def list_(part: str, after: int, limit: int, json: bool) -> None:
    """List guilds, the oldest first. FILTER is a part of their name.

    If the output is not a terminal, each line holds, separated by tabs: id, name, owner, members,
    channels, invites.

    \b
    Examples:
      chatd guild list
      chatd guild list engine --json
    """
    from chatd.cli import dependencies, output
    from chatd.queries import administration

    found = dependencies.run_read(
        lambda cur: administration.list_guilds(cur, text=part, after=after, limit=limit)
    )
    output.records([_summary(each) for each in found], _COLUMNS, json=json)
    if len(found) == limit:
        click.echo(f"There may be more: continue with --after {found[-1].id}.", err=True)


@guild.command()
@click.argument("guild_id", metavar="GUILD")
@as_json
def show(guild_id: str, json: bool) -> None:
    """Show a guild.
    \b
    Example:
      chatd guild show 1408133746352128000
    """
    from chatd.cli import dependencies, output
    from chatd.services.accounts import administration

    found = dependencies.run_read(lambda cur: administration.find_guild(cur, guild_id))
    output.record(_summary(found), json=json)


@guild.command(short_help="Transfer a guild to another member.")
@click.argument("guild_id", metavar="GUILD")
@click.argument("name", metavar="USER")
@confirmed
@as_json
def transfer(guild_id: str, name: str, yes: bool, json: bool) -> None:
    """Transfer a guild to another member, for example if its owner is disabled.

    The audit log of the guild records it as an action of the owner, with the reason.

    \b
    Example:
      chatd guild transfer 1408133746352128000 ada
    """
    from chatd.cli import dependencies, output
    from chatd.services.accounts import administration

    confirm(f"Transfer guild {guild_id} to {name}?", yes=yes)

    async def work(deps: CoreDependencies) -> GuildSummary:
        async with deps.database.cursor() as cur:
            found = await administration.find_guild(cur, guild_id)
            new_owner = await administration.find(cur, name)
        await administration.transfer_guild(deps, found, new_owner.id)
        async with deps.database.cursor() as cur:
            return await administration.find_guild(cur, guild_id)

    changed = dependencies.run_write(work)
    output.done(f"Transferred {changed.name} to {changed.owner}.", _summary(changed), json=json)


@guild.command()
@click.argument("guild_id", metavar="GUILD")
@confirmed
@as_json
def delete(guild_id: str, yes: bool, json: bool) -> None:
    """Delete a guild with all its channels and messages. This cannot be undone.

    \b
    Examples:
      chatd guild delete 1408133746352128000
      chatd guild delete 1408133746352128000 --yes
    """
    from chatd.cli import dependencies, output
    from chatd.services.accounts import administration

    if not yes:
        found = dependencies.run_read(lambda cur: administration.find_guild(cur, guild_id))
        name = sanitize(found.name)
        confirm(f"Delete {name!r} of {found.owner} with {found.members} members?", yes=False)

    async def work(deps: CoreDependencies) -> GuildSummary:
        async with deps.database.cursor() as cur:
            found = await administration.find_guild(cur, guild_id)
        await administration.delete_guild(deps, found)
        return found

    deleted = dependencies.run_write(work)
    output.done(f"Deleted {deleted.name}.", _summary(deleted), json=json)


def _summary(found: GuildSummary) -> dict[str, Any]:
    from chatd.core.snowflake import created_at

    return {
        "id": str(found.id),
        "name": found.name,
        "owner": found.owner,
        "owner_id": str(found.owner_id),
        "members": found.members,
        "channels": found.channels,
        "invites": found.invites,
        "created": created_at(found.id),
    }
