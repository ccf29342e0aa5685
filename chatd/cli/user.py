"""chatd user: accounts, from outside of them. A user is named by its name, address or id."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

import click

from chatd.cli.account import change, new_password, summary
from chatd.cli.command import as_json
from chatd.cli.invitation import invitations, invite, uninvite

if TYPE_CHECKING:
    from chatd.context import Resources
    from chatd.core.ids import UserId
    from chatd.queries.administration import AccountSummary

_COLUMNS = ("id", "username", "email", "state", "guilds", "logins", "last_used")


@click.group()
def user() -> None:
    """Make, show and change accounts.

    USER is a name, an e-mail address or an id. What is changed is so on every running instance at
    once: it needs Redis.
    """


@user.command()
@click.argument("username")
@click.option("--email", required=True, help="The address to log in with.")
@click.option("--administrator", is_flag=True, help="Make it an administrator of the server.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@as_json
def create(
    username: str, email: str, administrator: bool, password_stdin: bool, json: bool
) -> None:
    """Make an account, whoever may register.

    The password is asked for on a terminal; elsewhere one is made and shown, unless
    --password-stdin gives it.

    \b
    Examples:
      chatd user create ada --email ada@example.org --administrator
      pass show chat/bob | chatd user create bob --email bob@example.org \\
          --password-stdin
    """
    password, is_made = new_password(password_stdin)
    from chatd.cli import output, running
    from chatd.services import accounts, administration
    from chatd.wire.schemas.accounts import NewAccountSchema

    async def work(resources: Resources) -> AccountSummary:
        wanted = NewAccountSchema().read(
            {"username": username, "email": email, "password": password}
        )
        account = await accounts.make(resources, wanted, administrator=administrator)
        async with resources.database.cursor() as cur:
            return await administration.find(cur, str(account.user.id))

    made = running.act(work, heard=False)
    shown = {**summary(made), **({"password": password} if is_made else {})}
    told = f" Its password is {password}" if is_made else ""
    output.done(f"Made {made.username}, id {made.id}.{told}", shown, json=json)


@user.command("list", short_help="List accounts, the oldest first.")
@click.argument("part", default="")
@click.option(
    "--only",
    type=click.Choice(["all", "administrators", "disabled", "bots", "deleted"]),
    default="all",
    show_default=True,
)
@click.option("--after", type=click.IntRange(0), default=0, help="Begin after this id.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@as_json
def list_(part: str, only: str, after: int, limit: int, json: bool) -> None:
    """List accounts, the oldest first; with PART, those with it in name or address.

    Elsewhere than on a terminal a line has, between tabs: id, username, email, state, guilds,
    logins, last used.

    \b
    Examples:
      chatd user list
      chatd user list --only disabled
      chatd user list example.org --json | jq -r '.[].email'
    """
    from chatd.cli import output, running
    from chatd.core import names
    from chatd.queries import administration

    found = running.read(
        lambda cur: administration.accounts(
            cur, which=only, part=names.key(part), after=after, limit=limit
        )
    )
    output.records([summary(each) for each in found], _COLUMNS, json=json)
    if len(found) == limit:
        click.echo(f"There may be more: go on with --after {found[-1].id}.", err=True)


@user.command()
@click.argument("name", metavar="USER")
@as_json
def show(name: str, json: bool) -> None:
    """Show an account and where it is logged in.

    \b
    Examples:
      chatd user show ada
      chatd user show ada@example.org --json
    """
    from chatd.cli import output, running
    from chatd.db import Cursor
    from chatd.queries import administration as queries
    from chatd.services import administration

    async def work(cur: Cursor) -> dict[str, Any]:
        account = await administration.find(cur, name)
        logins = await queries.logins(cur, account.id, limit=200)
        return {
            **summary(account),
            "login": [
                {"last_used": each.last_used_at, "client": each.user_agent} for each in logins
            ],
        }

    output.record(running.read(work), json=json)


@user.command(short_help="Shut an account.")
@click.argument("name", metavar="USER")
@as_json
def disable(name: str, json: bool) -> None:
    """Shut an account: log it out everywhere, and let it in no more.

    Its tokens are worth nothing and its sockets are closed on every instance, within a second.
    What it has written stays, and so do its guilds. Its bots are accounts of their own.

    \b
    Example:
      chatd user disable mallory
    """
    from chatd.services import administration

    change(name, administration.disable, "Disabled {}.", json=json)


@user.command()
@click.argument("name", metavar="USER")
@as_json
def enable(name: str, json: bool) -> None:
    """Open a disabled account again. It has to log in anew; a bot needs a new token.

    \b
    Example:
      chatd user enable mallory
    """
    from chatd.services import administration

    change(name, administration.enable, "Enabled {}.", json=json, heard=False)


@user.command(short_help="Give an account another password.")
@click.argument("name", metavar="USER")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@as_json
def password(name: str, password_stdin: bool, json: bool) -> None:
    """Give an account another password, and log it out everywhere.

    The password is asked for on a terminal; elsewhere one is made and shown, unless
    --password-stdin gives it.

    \b
    Examples:
      chatd user password ada
      openssl rand -base64 18 | chatd user password ada --password-stdin
    """
    new, is_made = new_password(password_stdin)
    from chatd.services import administration
    from chatd.wire.schemas.accounts import ProfileChangeSchema

    async def work(resources: Resources, user_id: UserId) -> None:
        ProfileChangeSchema().read({"new_password": new})
        await administration.set_password(resources, user_id, new)

    told = f" It is {new}" if is_made else ""
    shown = {"password": new} if is_made else {}
    change(name, work, "{} has a new password." + told, json=json, besides=shown)


@user.command("revoke-sessions", short_help="Log an account out everywhere.")
@click.argument("name", metavar="USER")
@as_json
def revoke_sessions(name: str, json: bool) -> None:
    """Log an account out everywhere: its tokens end, its sockets are closed. It may log in again.

    A bot needs a new token afterwards.

    \b
    Example:
      chatd user revoke-sessions ada
    """
    from chatd.services import administration

    change(name, administration.revoke_sessions, "Logged {} out everywhere.", json=json)


@user.command(short_help="Make a person an administrator.")
@click.argument("name", metavar="USER")
@as_json
def promote(name: str, json: bool) -> None:
    """Make a person an administrator of the server.

    Administrators may invite people to register (POST /auth/invitations) where REGISTRATION is
    "invitation". In guilds they may no more than others.

    \b
    Example:
      chatd user promote ada
    """
    from chatd.services import administration

    def work(resources: Resources, user_id: UserId) -> Awaitable[None]:
        return administration.set_administrator(resources, user_id, True)

    change(name, work, "{} is an administrator of the server.", json=json, heard=False)


@user.command(short_help="Make an administrator one no longer.")
@click.argument("name", metavar="USER")
@as_json
def demote(name: str, json: bool) -> None:
    """Make an administrator of the server one no longer; its invitations are void.

    \b
    Example:
      chatd user demote ada
    """
    from chatd.services import administration

    def work(resources: Resources, user_id: UserId) -> Awaitable[None]:
        return administration.set_administrator(resources, user_id, False)

    change(name, work, "{} is no administrator of the server.", json=json, heard=False)


for each in (invite, invitations, uninvite):
    user.add_command(each)
