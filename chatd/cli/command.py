"""Shared by all commands: options, confirmation, exit codes, and errors."""

from __future__ import annotations

import logging
import os
import re
import sys
from typing import Any, NoReturn

import click

from chatd.observability import logs

EXIT_FAILURE = 1
EXIT_USAGE = 2  # also invalid settings; systemd does not restart after it

_DURATION = re.compile(r"([0-9]{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


as_json = click.option("--json", "json", is_flag=True, help="Print JSON.")
confirmed = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


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


def fail(message: str, code: int = EXIT_FAILURE) -> NoReturn:
    """Print an error in one line to stderr, and exit."""
    text = f"chatd: {message}"
    if logs.is_journal(sys.stderr, os.environ):
        text = logs.prioritized(text, logging.ERROR)
    click.echo(text, err=True)
    raise SystemExit(code)
