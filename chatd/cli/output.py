"""Output of commands: tables on a terminal, tab-separated lines elsewhere, JSON on request.

Names and texts come from users. Control characters in them, which could move the cursor, color the
terminal or break a line, are shown as replacement characters. In JSON they are escaped.
"""

from __future__ import annotations

import json as encoder
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import click
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chatd.cli.command import sanitize

Fact = str | int | float | bool | datetime | None
Record = Mapping[str, Fact]

_STYLES = {"ok": "green", "warning": "yellow", "error": "bold red", "disabled": "red"}


def records(found: Sequence[Record], columns: Sequence[str], *, json: bool) -> None:
    """Print records, with these columns."""
    if json:
        _write_json([_jsonable(each) for each in found])
    elif sys.stdout.isatty():
        _print_table(Console(highlight=False), found, columns)
    else:
        for each in found:
            click.echo("\t".join(_shown(each[column]) for column in columns))


def _print_table(console: Console, found: Sequence[Record], columns: Sequence[str]) -> None:
    """Print a table whose cells wrap between words; if it does not fit, a block for each record."""
    cells = [[_styled(each[column]) for column in columns] for each in found]
    heads = [column.replace("_", " ") for column in columns]
    kept = [_is_whole(column, found) for column in columns]
    widths = _least_widths(heads, cells, kept)
    room = console.width - 2 * (len(widths) - 1)  # two spaces between columns
    if sum(widths) > room:
        _print_blocks(console, heads, cells)
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    widths = _widened(widths, _full_widths(heads, cells), room)
    for column, head, width in zip(columns, heads, widths, strict=True):
        is_number = {type(each[column]) for each in found} == {int}
        table.add_column(head, justify="right" if is_number else "left", width=width)
    for row in cells:
        table.add_row(*row)
    console.print(table)


def _print_blocks(console: Console, heads: Sequence[str], cells: Sequence[Sequence[Text]]) -> None:
    """Print the cells of a table as a block for each row."""
    for number, row in enumerate(cells):
        if number:
            console.print()
        _print_block(console, [*zip(heads, row, strict=True)])


def _least_widths(
    heads: Sequence[str], cells: Sequence[Sequence[Text]], whole: Sequence[bool]
) -> list[int]:
    """Return the width that each column needs at least. Cells of a `whole` one cannot wrap."""
    return [
        max(_widest_part(text, whole=is_whole) for text in [Text(head), *below])
        for is_whole, head, *below in zip(whole, heads, *cells, strict=True)
    ]


def _full_widths(heads: Sequence[str], cells: Sequence[Sequence[Text]]) -> list[int]:
    """Return the width of each column whose cells do not wrap."""
    return [
        max(cell_len(text.plain) for text in [Text(head), *below])
        for head, *below in zip(heads, *cells, strict=True)
    ]


def _widened(widths: Sequence[int], wanted: Sequence[int], room: int) -> list[int]:
    """Distribute the remaining width to the columns that lack the most."""
    found = [*widths]
    for _ in range(room - sum(found)):
        lacking = [full - width for full, width in zip(wanted, found, strict=True)]
        if max(lacking) <= 0:
            break
        found[lacking.index(max(lacking))] += 1
    return found


def _print_block(console: Console, lines: Sequence[tuple[str, Text]]) -> None:
    """Print a line for each name and value. A word longer than the line is broken."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True, min_width=max((cell_len(name) for name, _ in lines), default=0))
    table.add_column(overflow="fold")
    for name, value in lines:
        table.add_row(Text(name, style="dim"), value)
    console.print(table)


def _is_whole(column: str, found: Sequence[Record]) -> bool:
    """Return whether the values of a column must not wrap."""
    return column in ("id", "code", "state") or any(
        type(each[column]) is datetime for each in found
    )


def _widest_part(text: Text, *, whole: bool) -> int:
    """Return the width of the longest part of a cell that cannot wrap."""
    parts = [text.plain] if whole else text.plain.split(" ")
    return max(cell_len(part) for part in parts)


def record(found: Mapping[str, object], *, json: bool) -> None:
    """Print one record, a line for each field. Each element of a list gets its own line."""
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
        console = Console(highlight=False)
        _print_block(console, [(name.replace("_", " "), _styled(text)) for name, text in lines])
    else:
        for name, text in lines:
            click.echo(f"{name}\t{text}")


def done(sentence: str, what: Mapping[str, object], *, json: bool, err: bool = False) -> None:
    """Print what was done; in JSON, the record that was changed. With `err`, print to stderr."""
    if json:
        _write_json(_jsonable(what), err=err)
    else:
        click.echo(sanitize(sentence), err=err)


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case _:
            return sanitize(str(value))


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


def _write_json(value: object, *, err: bool = False) -> None:
    click.echo(encoder.dumps(value, indent=2), err=err)
