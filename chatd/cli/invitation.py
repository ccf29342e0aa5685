"""chatd user invite, invitations, revoke-invite: registration codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from chatd.cli.command import Duration, as_json, confirm, confirmed, fail

if TYPE_CHECKING:
    from chatd.context.dependencies import CoreDependencies
    from chatd.core.models import Invitation

_COLUMNS = ("code", "uses_left", "expires", "created", "created_by")


@click.command(short_help="Create a registration code.")
@click.option(
    "--uses", type=click.IntRange(0, 10_000), default=1, show_default=True, help="0 is unlimited."
)
@click.option(
    "--expires", type=Duration(), default="7d", show_default=True, help="Such as 12h, or never."
)
@as_json
def invite(uses: int, expires: int, json: bool) -> None:
    """Create a registration code, for REGISTRATION=invitation.

    A new user sends it as "invitation" in POST /auth/register.

    \b
    Examples:
      chatd user invite
      chatd user invite --uses 30 --expires 2w
    """
    from chatd.cli import dependencies, output
    from chatd.services.accounts import registration_invites
    from chatd.wire.schemas.accounts import NewInvitation

    async def work(deps: CoreDependencies) -> dict[str, Any]:
        async with deps.begin() as work:
            wanted = NewInvitation(max_uses=uses, max_age=expires)
            return _invitation(await registration_invites.create_for(work, None, wanted))

    created = dependencies.run_write(work, requires_bus=False)
    output.done(created["code"], created, json=json)


@click.command("invitations", short_help="List the registration codes.")
@as_json
def invitations(json: bool) -> None:
    """List the registration codes that are valid.

    \b
    Example:
      chatd user invitations
    """
    from chatd.cli import dependencies, output
    from chatd.queries import invitations as queries

    found = dependencies.run_read(lambda cur: queries.list_active(cur, limit=100_000))
    output.records([_invitation(each) for each in found], _COLUMNS, json=json)


@click.command("revoke-invite", short_help="Revoke a registration code.")
@click.argument("code")
@confirmed
@as_json
def revoke_invite(code: str, yes: bool, json: bool) -> None:
    """Revoke a registration code.

    \b
    Example:
      chatd user revoke-invite 3Fq0sD1xkQ9ZbT7u
    """
    from chatd.cli import dependencies, output
    from chatd.queries import invitations as queries

    async def work(deps: CoreDependencies) -> bool:
        async with deps.begin() as work:
            return await queries.delete(work.cur, code)

    confirm(f"Revoke {code}?", yes=yes)
    if not dependencies.run_write(work, requires_bus=False):
        fail(f"there is no invitation {code!r}")
    output.done(f"Revoked {code}.", {"code": code}, json=json)


uninvite = click.Command(
    "uninvite",
    params=revoke_invite.params,
    callback=revoke_invite.callback,
    help=revoke_invite.help,
    hidden=True,
    deprecated="Use `chatd user revoke-invite`.",
)
"""The former name of `revoke-invite`, accepted for one release."""


def _invitation(invitation: Invitation) -> dict[str, Any]:
    return {
        "code": invitation.code,
        "uses": invitation.uses,
        "uses_left": None if invitation.max_uses == 0 else invitation.max_uses - invitation.uses,
        "expires": invitation.expires_at,
        "created": invitation.created_at,
        "created_by": None if invitation.created_by is None else str(invitation.created_by),
    }
