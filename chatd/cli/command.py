"""Shared by all commands: options, confirmation, exit codes, and errors."""

from __future__ import annotations

import logging
import os
import re
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from chatd.observability import logs

F = TypeVar("F", bound=Callable[..., Any])

EXIT_FAILURE = 1
EXIT_USAGE = 2  # also invalid settings; systemd does not restart after it

_DURATION = re.compile(r"([0-9]{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


as_json = click.option("--json", "json", is_flag=True, help="Print JSON.")
confirmed = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
with_passphrase_file = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Read the passphrase from this file instead of asking for it.",
)


def with_pg_bindir(program: str) -> Callable[[F], F]:
    """Return the option that says where this program of Postgres is."""
    return click.option(
        "--pg-bindir",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help=f"The folder of {program}, if it is not found.",
    )


def log_no_slow_statements() -> None:
    """Log no statements that take long: in a command they are no fault, and stderr is for errors.

    A server logs them.
    """
    logging.getLogger("chatd.db.cursor").setLevel(logging.ERROR)


def confirm(question: str, *, yes: bool) -> None:
    """Ask for confirmation, unless `yes`. Without a terminal, ends the command."""
    if yes:
        return
    if not sys.stdin.isatty():
        fail("without a terminal, this needs --yes", EXIT_USAGE)
    click.confirm(question, abort=True, err=True)


class Duration(click.ParamType[int]):
    """A number of seconds, written as 90s, 15m, 12h, 7d or 2w; "never" is 0."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if value == "never":
            return 0
        match = _DURATION.fullmatch(str(value))
        if match is None or int(match[1]) == 0:
            self.fail(
                f"{value!r} is not a duration like 90s, 15m, 12h, 7d, 2w or never.", param, ctx
            )
        return int(match[1]) * _SECONDS[match[2]]


def sanitize(text: str) -> str:
    """Replace control characters and line breaks in a text."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(each)[0] in "CZ" and each != " "
        else each
        for each in text
    )


def fail(message: str, code: int = EXIT_FAILURE) -> NoReturn:
    """Print an error in one line to stderr, and exit."""
    text = f"chatd: {sanitize(message)}"
    if logs.is_journal(sys.stderr, os.environ):
        text = logs.prioritized(text, logging.ERROR)
    click.echo(text, err=True)
    raise SystemExit(code)
