"""chatd user invite, invitations, uninvite: codes to register with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from chatd.cli.command import Duration, as_json, confirm, confirmed, fail

if TYPE_CHECKING:
    from chatd.context import Resources
    from chatd.core.models import Invitation

_COLUMNS = ("code", "uses_left", "expires", "created", "created_by")


@click.command(short_help="Make a code to register with.")
@click.option(
    "--uses", type=click.IntRange(0, 10_000), default=1, show_default=True, help="0 is any number."
)
@click.option(
    "--expires", type=Duration(), default="7d", show_default=True, help="Such as 12h, or never."
)
@as_json
def invite(uses: int, expires: int, json: bool) -> None:
    """Make a code to register with, for REGISTRATION=invitation.

    Whoever registers sends it as "invitation" in POST /auth/register.

    \b
    Examples:
      chatd user invite
      chatd user invite --uses 30 --expires 2w
    """
    from chatd.cli import output, running
    from chatd.services import invitations
    from chatd.wire.schemas.accounts import NewInvitation

    async def work(resources: Resources) -> dict[str, Any]:
        async with resources.begin() as work:
            wanted = NewInvitation(max_uses=uses, max_age=expires)
            return _invitation(await invitations.make(work, None, wanted))

    made = running.act(work, heard=False)
    output.done(made["code"], made, json=json)


@click.command("invitations", short_help="List the codes to register with.")
@as_json
def invitations(json: bool) -> None:
    """List the codes that somebody can still register with.

    \b
    Example:
      chatd user invitations
    """
    from chatd.cli import output, running
    from chatd.queries import invitations as queries

    found = running.read(lambda cur: queries.living(cur, limit=100_000))
    output.records([_invitation(each) for each in found], _COLUMNS, json=json)


@click.command()
@click.argument("code")
@confirmed
@as_json
def uninvite(code: str, yes: bool, json: bool) -> None:
    """Take a code to register with back.

    \b
    Example:
      chatd user uninvite 3Fq0sD1xkQ9ZbT7u
    """
    from chatd.cli import output, running
    from chatd.queries import invitations as queries

    confirm(f"Take {code} back?", yes=yes)
    if not running.read(lambda cur: queries.delete(cur, code)):
        fail(f"there is no invitation {code!r}")
    output.done(f"{code} is void.", {"code": code}, json=json)


def _invitation(made: Invitation) -> dict[str, Any]:
    return {
        "code": made.code,
        "uses": made.uses,
        "uses_left": None if made.max_uses == 0 else made.max_uses - made.uses,
        "expires": made.expires_at,
        "created": made.created_at,
        "created_by": None if made.created_by is None else str(made.created_by),
    }
