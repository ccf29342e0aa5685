"""chatd user: creates, shows and changes accounts."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

import click

from chatd.cli.account import change, new_password, summary
from chatd.cli.claim import claim_code
from chatd.cli.command import as_json, confirm, confirmed, sanitize
from chatd.cli.invitation import invitations, invite, revoke_invite, uninvite

if TYPE_CHECKING:
    from chatd.context.dependencies import CoreDependencies
    from chatd.core.ids import UserId
    from chatd.queries.administration import AccountSummary

_COLUMNS = ("id", "username", "email", "state", "guilds", "logins", "last_used")


@click.group()
def user() -> None:
    """Create, show and change accounts.

    USER is a name, an e-mail address or an id. Changes take effect on every running instance at
    once; those that end sessions need Redis.
    """


@user.command()
@click.argument("username")
@click.option("--email", required=True, help="The address to log in with.")
@click.option("--administrator", is_flag=True, help="Make it a server administrator.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@as_json
def create(
    username: str, email: str, administrator: bool, password_stdin: bool, json: bool
) -> None:
    """Create an account, regardless of REGISTRATION.

    Prompts for the password on a terminal. Otherwise reads it with --password-stdin, or generates
    and prints one.

    \b
    Examples:
      chatd user create ada --email ada@example.org --administrator
      pass show chat/bob | chatd user create bob --email bob@example.org \\
          --password-stdin
    """
    password, is_generated = new_password(password_stdin)
    from chatd.cli import dependencies, output
    from chatd.services.accounts import accounts, administration
    from chatd.wire.schemas.accounts import NewAccountSchema

    async def work(deps: CoreDependencies) -> AccountSummary:
        wanted = NewAccountSchema().read(
            {"username": username, "email": email, "password": password}
        )
        account = await accounts.create_without_invitation(
            deps, wanted, administrator=administrator
        )
        async with deps.database.cursor() as cur:
            return await administration.find(cur, str(account.user.id))

    created = dependencies.run_write(work, requires_bus=False)
    shown = {**summary(created), **({"password": password} if is_generated else {})}
    note = f" Its password is {password}" if is_generated else ""
    output.done(f"Created {created.username}, id {created.id}.{note}", shown, json=json)


@user.command("list", short_help="List accounts, the oldest first.")
@click.argument("part", metavar="[FILTER]", default="")
@click.option(
    "--only",
    type=click.Choice(["all", "administrators", "disabled", "bots", "placeholders", "deleted"]),
    default="all",
    show_default=True,
)
@click.option("--after", type=click.IntRange(0), default=0, help="Start after this id.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@as_json
def list_(part: str, only: str, after: int, limit: int, json: bool) -> None:
    """List accounts, the oldest first. FILTER is a part of their name or address.

    If the output is not a terminal, each line holds, separated by tabs: id, username, email, state,
    guilds, logins, last used.

    \b
    Examples:
      chatd user list
      chatd user list --only disabled
      chatd user list example.org --json | jq -r '.[].email'
    """
    from chatd.cli import dependencies, output
    from chatd.core import names
    from chatd.queries import administration

    found = dependencies.run_read(
        lambda cur: administration.list_accounts(
            cur, which=only, text=names.key(part), after=after, limit=limit
        )
    )
    output.records([summary(each) for each in found], _COLUMNS, json=json)
    if len(found) == limit:
        click.echo(f"There may be more: continue with --after {found[-1].id}.", err=True)


@user.command()
@click.argument("name", metavar="USER")
@as_json
def show(name: str, json: bool) -> None:
    """Show an account, its logins, and its providers.

    Its owner can log in by an account at each of these providers.

    \b
    Examples:
      chatd user show ada
      chatd user show ada@example.org --json
    """
    from chatd.cli import dependencies, output
    from chatd.db.cursor import Cursor
    from chatd.queries import administration as queries
    from chatd.queries import oidc_identities
    from chatd.services.accounts import administration

    async def work(cur: Cursor) -> dict[str, Any]:
        account = await administration.find(cur, name)
        logins = await queries.list_logins(cur, account.id, limit=200)
        linked = await oidc_identities.list_identities(cur, account.id)
        return {
            **summary(account),
            "provider": [
                {"issuer": each.issuer, "last_used": each.last_used_at} for each in linked
            ],
            "login": [
                {"last_used": each.last_used_at, "client": each.user_agent} for each in logins
            ],
        }

    output.record(dependencies.run_read(work), json=json)


@user.command(short_help="Disable an account and log it out everywhere.")
@click.argument("name", metavar="USER")
@as_json
def disable(name: str, json: bool) -> None:
    """Disable an account and log it out everywhere.

    Its tokens are revoked and its sockets are closed on every instance, within a second. Its
    messages and guilds stay. Its bots are separate accounts and stay enabled.

    \b
    Example:
      chatd user disable mallory
    """
    from chatd.services.accounts import administration

    change(name, administration.disable, "Disabled {}.", json=json)


@user.command()
@click.argument("name", metavar="USER")
@as_json
def enable(name: str, json: bool) -> None:
    """Enable a disabled account. It must log in again; a bot needs a new token.

    An account that waits for approval is approved by this, too.

    \b
    Example:
      chatd user enable mallory
    """
    from chatd.services.accounts import administration

    change(name, administration.enable, "Enabled {}.", json=json, requires_bus=False)


@user.command(short_help="Set a password and log the account out everywhere.")
@click.argument("name", metavar="USER")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@as_json
def password(name: str, password_stdin: bool, json: bool) -> None:
    """Set the password of an account, and log it out everywhere.

    Prompts for the password on a terminal. Otherwise reads it with --password-stdin, or generates
    and prints one.

    \b
    Examples:
      chatd user password ada
      openssl rand -base64 18 | chatd user password ada --password-stdin
    """
    new, is_generated = new_password(password_stdin)
    from chatd.services.accounts import administration
    from chatd.wire.schemas.accounts import ProfileChangeSchema

    async def work(deps: CoreDependencies, user_id: UserId) -> None:
        ProfileChangeSchema().read({"new_password": new})
        await administration.set_password(deps, user_id, new)

    note = f" It is {new}" if is_generated else ""
    shown = {"password": new} if is_generated else {}
    change(name, work, "{} has a new password." + note, json=json, extra=shown)


@user.command(short_help="Delete an account.")
@click.argument("name", metavar="USER")
@click.option("--transfer", metavar="USER", help="Transfer its guilds to this member of each.")
@click.option("--delete-guilds", is_flag=True, help="Delete its guilds and their content.")
@click.option("--delete-applications", is_flag=True, help="Delete its applications and their bots.")
@confirmed
@as_json
def delete(
    name: str,
    *,
    transfer: str | None,
    delete_guilds: bool,
    delete_applications: bool,
    yes: bool,
    json: bool,
) -> None:
    """Delete an account, as its owner could. This cannot be undone.

    The account leaves its guilds, its sessions end on every instance, and its name and address
    become available. Its messages stay, by a deleted user. If it owns guilds, --transfer or
    --delete-guilds is needed; if it owns applications, --delete-applications.

    \b
    Examples:
      chatd user delete mallory
      chatd user delete mallory --transfer ada --yes
      chatd user delete mallory --delete-guilds --delete-applications --yes
    """
    if transfer is not None and delete_guilds:
        raise click.UsageError("--transfer and --delete-guilds exclude each other.")
    from chatd.cli import dependencies, output
    from chatd.services.accounts import administration

    found = dependencies.run_read(lambda cur: administration.find(cur, name))
    confirm(f"Delete {sanitize(found.username)!r} (id {found.id}) permanently?", yes=yes)

    async def work(deps: CoreDependencies) -> AccountSummary:
        async with deps.database.cursor() as cur:
            new_owner = None if transfer is None else (await administration.find(cur, transfer)).id
        await administration.delete_account(
            deps,
            found.id,
            new_owner=new_owner,
            with_guilds=delete_guilds,
            with_applications=delete_applications,
        )
        async with deps.database.cursor() as cur:
            return await administration.find(cur, str(found.id))

    deleted = dependencies.run_write(work)
    output.done(f"Deleted {found.username}, id {found.id}.", summary(deleted), json=json)


@user.command("revoke-sessions", short_help="Log an account out everywhere.")
@click.argument("name", metavar="USER")
@as_json
def revoke_sessions(name: str, json: bool) -> None:
    """Log an account out everywhere. Its tokens are revoked, its sockets are closed.

    The account may log in again; a bot needs a new token.

    \b
    Example:
      chatd user revoke-sessions ada
    """
    from chatd.services.accounts import administration

    change(name, administration.revoke_sessions, "Logged {} out everywhere.", json=json)


@user.command("reset-mfa", short_help="Remove the second factors of an account.")
@click.argument("name", metavar="USER")
@as_json
def reset_mfa(name: str, json: bool) -> None:
    """Remove the second factors of an account, and log it out everywhere.

    Use it when the owner has lost the phone, the security key and the recovery codes, and make sure
    that it is the owner that asks. The account can then log in with its password alone, and enable
    new factors. A lost JWT_SECRET needs it, too: the codes of apps and recovery codes depend on it.

    \b
    Example:
      chatd user reset-mfa ada
    """
    from chatd.services.accounts.mfa import factors

    change(name, factors.reset, "{} has no second factor any more.", json=json)


@user.command(short_help="Make a person a server administrator.")
@click.argument("name", metavar="USER")
@as_json
def promote(name: str, json: bool) -> None:
    """Make a person a server administrator.

    Administrators may create registration codes, disable, log out and delete accounts, and see
    the figures of the server: /app/admin in the web client, /administration in the API. They
    have no additional permissions in guilds.

    \b
    Example:
      chatd user promote ada
    """
    from chatd.services.accounts import administration

    def work(deps: CoreDependencies, user_id: UserId) -> Awaitable[None]:
        return administration.set_administrator(deps, user_id, True)

    change(name, work, "{} is a server administrator.", json=json, requires_bus=False)


@user.command(short_help="Revoke server administrator rights.")
@click.argument("name", metavar="USER")
@as_json
def demote(name: str, json: bool) -> None:
    """Revoke server administrator rights, and the registration codes of the account.

    \b
    Example:
      chatd user demote ada
    """
    from chatd.services.accounts import administration

    def work(deps: CoreDependencies, user_id: UserId) -> Awaitable[None]:
        return administration.set_administrator(deps, user_id, False)

    change(name, work, "{} is not a server administrator.", json=json, requires_bus=False)


for each in (invite, invitations, revoke_invite, uninvite, claim_code):
    user.add_command(each)
