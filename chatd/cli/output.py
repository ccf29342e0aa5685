"""What a command answers: tables on a terminal, lines with tabs elsewhere, JSON when asked for.

Names and texts come from strangers: what could move a cursor, colour a terminal or break a line is
shown as a replacement character. In JSON it is escaped.
"""

from __future__ import annotations

import json as encoder
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

Fact = str | int | float | bool | datetime | None
Record = Mapping[str, Fact]

_STYLES = {"ok": "green", "warning": "yellow", "error": "bold red", "disabled": "red"}


def records(found: Sequence[Record], columns: Sequence[str], *, json: bool) -> None:
    """Several things of one kind, with these columns."""
    if json:
        _write_json([_jsonable(each) for each in found])
    elif sys.stdout.isatty():
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for column in columns:
            kinds = {type(each[column]) for each in found}
            table.add_column(
                column.replace("_", " "),
                justify="right" if kinds == {int} else "left",
                no_wrap=column in ("id", "code", "state") or datetime in kinds,
                overflow="fold",
            )
        for each in found:
            table.add_row(*(_styled(each[column]) for column in columns))
        Console(highlight=False).print(table)
    else:
        for each in found:
            click.echo("\t".join(_shown(each[column]) for column in columns))


def record(found: Mapping[str, object], *, json: bool) -> None:
    """One thing: what is known of it, by name. A list in it stands in lines of its own."""
    if json:
        _write_json(_jsonable(found))
        return
    lines: list[tuple[str, str]] = []
    for name, value in found.items():
        if isinstance(value, list):
            for each in value:
                text = "  ".join(_shown(part) for part in each.values())
                lines.append((name, text))
        else:
            lines.append((name, _shown(value)))
    if sys.stdout.isatty():
        table = Table(box=None, show_header=False, pad_edge=False)
        for name, text in lines:
            table.add_row(Text(name.replace("_", " "), style="dim"), _styled(text))
        Console(highlight=False).print(table)
    else:
        for name, text in lines:
            click.echo(f"{name}\t{text}")


def done(sentence: str, what: Mapping[str, object], *, json: bool) -> None:
    """That something has been done; in JSON, to what."""
    if json:
        _write_json(_jsonable(what))
    else:
        click.echo(harmless(sentence))


def harmless(text: str) -> str:
    """The text without what a terminal would obey, and in one line."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(each)[0] in "CZ" and each != " "
        else each
        for each in text
    )


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case _:
            return harmless(str(value))


def _styled(value: object) -> Text:
    text = _shown(value)
    if isinstance(value, datetime):
        text = value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    return Text(text, style=_STYLES.get(text, ""))


def _jsonable(value: object) -> object:
    match value:
        case Mapping():
            return {str(name): _jsonable(each) for name, each in value.items()}
        case list() | tuple():
            return [_jsonable(each) for each in value]
        case datetime():
            return value.astimezone(UTC).isoformat()
        case _:
            return value


def _write_json(value: object) -> None:
    click.echo(encoder.dumps(value, indent=2))
