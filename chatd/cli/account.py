"""What the commands for accounts share: changing one, and telling what it is now."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from chatd.context import Resources
    from chatd.core.ids import UserId
    from chatd.queries.administration import AccountSummary


def change(
    name: str,
    act: Callable[[Resources, UserId], Awaitable[None]],
    told: str,
    *,
    json: bool,
    heard: bool = True,
    besides: Mapping[str, str] | None = None,
) -> None:
    """Change an account and say so; `told` has a place for its name."""
    from chatd.cli import output, running
    from chatd.services import administration

    async def work(resources: Resources) -> AccountSummary:
        async with resources.database.cursor() as cur:
            account = await administration.find(cur, name)
        await act(resources, account.id)
        async with resources.database.cursor() as cur:
            return await administration.find(cur, str(account.id))

    changed = running.act(work, heard=heard)
    shown = {**summary(changed), **(besides or {})}
    output.done(told.replace("{}", changed.username, 1), shown, json=json)


def new_password(from_stdin: bool) -> tuple[str, bool]:
    """A password that was given or made, and whether it was made."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    if sys.stdin.isatty():
        text: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return text, False
    return secrets.token_urlsafe(15), True


def summary(account: AccountSummary) -> dict[str, Any]:
    from chatd.core.snowflake import created_at

    return {
        "id": str(account.id),
        "username": account.username,
        "email": account.email,
        "state": _state(account),
        "administrator": account.is_administrator,
        "bot": account.bot,
        "disabled_at": account.disabled_at,
        "guilds": account.guilds,
        "guilds_owned": account.guilds_owned,
        "logins": account.logins,
        "last_used": account.last_used_at,
        "created": created_at(account.id),
    }


def _state(account: AccountSummary) -> str:
    if account.deleted_at is not None:
        return "deleted"
    if account.disabled_at is not None:
        return "disabled"
    if account.bot:
        return "bot"
    return "administrator" if account.is_administrator else "active"
