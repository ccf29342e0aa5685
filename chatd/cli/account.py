"""Shared by the commands for accounts: changing an account and printing its new state."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from chatd.cli.command import fail

if TYPE_CHECKING:
    from chatd.context.dependencies import CoreDependencies
    from chatd.core.ids import UserId
    from chatd.queries.administration import AccountSummary


def change(
    name: str,
    act: Callable[[CoreDependencies, UserId], Awaitable[None]],
    message: str,
    *,
    json: bool,
    requires_bus: bool = True,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Change an account and print `message`, in which `{}` is replaced by its name.

    `extra` adds fields to the JSON output.
    """
    from chatd.cli import dependencies, output
    from chatd.services.accounts import administration

    async def work(deps: CoreDependencies) -> AccountSummary:
        async with deps.database.cursor() as cur:
            account = await administration.find(cur, name)
        await act(deps, account.id)
        async with deps.database.cursor() as cur:
            return await administration.find(cur, str(account.id))

    changed = dependencies.run_write(work, requires_bus=requires_bus)
    shown = {**summary(changed), **(extra or {})}
    output.done(message.replace("{}", changed.username, 1), shown, json=json)


def new_password(from_stdin: bool) -> tuple[str, bool]:
    """Read or generate a password. Returns it, and whether it was generated.

    Rejects an invalid password at once: on a terminal, before it is typed again.
    """
    from chatd.core import passwords

    if not from_stdin and not sys.stdin.isatty():
        return secrets.token_urlsafe(15), True
    while True:
        text = _prompt("Password") if not from_stdin else sys.stdin.readline().rstrip("\r\n")
        try:
            passwords.require_good(text)
        except passwords.BadPassword as refused:
            if from_stdin:
                fail(f"password: {refused}")
            click.echo(f"Error: {refused}", err=True)
            continue
        if from_stdin or _prompt("Repeat for confirmation") == text:
            return text, False
        click.echo("Error: The two entered values do not match.", err=True)


def _prompt(label: str) -> str:
    text: str = click.prompt(label, hide_input=True, err=True)
    return text


def summary(account: AccountSummary) -> dict[str, Any]:
    """Return the fields of an account for the output."""
    from chatd.core.snowflake import created_at

    return {
        "id": str(account.id),
        "username": account.username,
        "email": account.email,
        "state": _state(account),
        "administrator": account.is_administrator,
        "second_factor": account.mfa_enabled,
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
    if account.is_placeholder:
        return "placeholder"
    if account.bot:
        return "bot"
    return "administrator" if account.is_administrator else "active"
