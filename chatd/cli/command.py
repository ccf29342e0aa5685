"""What all commands share: how they are told, how they read settings, and how they fail."""

from __future__ import annotations

import re
import sys
from typing import Any, NoReturn

import click

EXIT_FAILED = 1
EXIT_MISUSED = 2

_DURATION = re.compile(r"([0-9]{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


as_json = click.option(
    "--json", "json", is_flag=True, help="Answer in JSON, whatever the output is."
)
confirmed = click.option("--yes", is_flag=True, help="Do not ask whether it is meant.")


def confirm(question: str, *, yes: bool) -> None:
    """Ask whether it is meant; where nobody can answer, --yes has to say so."""
    if yes:
        return
    if not sys.stdin.isatty():
        fail("this needs --yes where nobody can be asked", EXIT_MISUSED)
    click.confirm(question, abort=True, err=True)


class Duration(click.ParamType[int]):
    """So many seconds, written as 90s, 15m, 12h, 7d or 2w, or "never" for 0."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if value == "never":
            return 0
        match = _DURATION.fullmatch(str(value))
        if match is None or int(match[1]) == 0:
            self.fail(f"{value!r} is not a time like 90s, 15m, 12h, 7d, 2w or never.", param, ctx)
        return int(match[1]) * _SECONDS[match[2]]


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """End with one line of complaint."""
    click.echo(f"chatd: {message}", err=True)
    raise SystemExit(code)
