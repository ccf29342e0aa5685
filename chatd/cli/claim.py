"""chatd user claim-code: lets a person take over a placeholder account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from chatd.cli.command import Duration, as_json, fail

if TYPE_CHECKING:
    from chatd.context.dependencies import CoreDependencies


@click.command("claim-code", short_help="Create the code to claim a placeholder account.")
@click.argument("name", metavar="USER")
@click.option(
    "--expires", type=Duration(), default="7d", show_default=True, help="Such as 12h or 2w."
)
@as_json
def claim_code(name: str, expires: int, json: bool) -> None:
    """Create a code with which a person takes over an author of an import.

    The person registers with it, as with a registration code, whatever REGISTRATION says: the
    account keeps its id, messages, roles and guilds, and gets the name, address and password of
    the registration. The code is valid once, and replaces the one before. Make sure that it gets
    to the person who wrote the messages.

    \b
    Examples:
      chatd user list --only placeholders
      chatd user claim-code ada.lovelace
      chatd user claim-code ada.lovelace --expires 2w --json
    """
    from chatd.cli import dependencies, output
    from chatd.services.accounts import administration, claims

    if not expires:
        fail("a code to claim an account has to expire")

    async def work(deps: CoreDependencies) -> dict[str, object]:
        async with deps.database.cursor() as cur:
            account = await administration.find(cur, name)
        made = await claims.create_code(deps, account.id, lifetime_s=expires)
        return {
            "code": made.code,
            "expires": made.expires_at,
            "user_id": str(account.id),
            "username": account.username,
        }

    created = dependencies.run_write(work, requires_bus=False)
    output.done(str(created["code"]), created, json=json)
