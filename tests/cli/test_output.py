"""Output of commands: texts of users cannot move the cursor or break a line."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import UTC, datetime

import pytest
from rich.cells import cell_len

from chatd.cli import output
from chatd.cli.command import fail, sanitize
from chatd.db.cursor import SLOW_STATEMENT_S
from tests.cli.conftest import Chatd
from tests.conftest import Server
from tests.helpers.locks import held_table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The Analytical Engine", "The Analytical Engine"),
        ("Ünïcode 漢字 😀", "Ünïcode 漢字 😀"),
        ("a\x1b[2Jb", "a\ufffd[2Jb"),
        ("a\tb\nc\r", "a\ufffdb\ufffdc\ufffd"),
        ("right\u202eleft", "right\ufffdleft"),
        ("line\u2028break", "line\ufffdbreak"),
    ],
)
def test_control_characters_are_replaced(text: str, shown: str) -> None:
    assert sanitize(text) == shown


def test_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        fail("needs the archive a\x1b[2J\nb")
    assert capsys.readouterr().err == "chatd: needs the archive a\ufffd[2J\ufffdb\n"


@pytest.mark.parametrize(
    ("words", "table"), [(("user", "list"), "users"), (("check",), "instances")], ids=str
)
async def test_slow_statement_is_no_error(
    chatd: Chatd, server: Server, words: tuple[str, ...], table: str
) -> None:
    with held_table(server, table) as held:
        running = asyncio.create_task(asyncio.to_thread(chatd.run, *words))
        await held.waited_for_by(1)
        await asyncio.sleep(SLOW_STATEMENT_S)
        held.release()
        assert "slow statement" not in (await running).complaints


def test_each_record_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.records([{"id": "1", "name": "a\nb\tc"}], ("id", "name"), json=False)
    assert capsys.readouterr().out == "1\ta\ufffdb\ufffdc\n"


def on_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> io.StringIO:
    """Print to a terminal of this width."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "dumb")
    return terminal


@pytest.mark.parametrize("length", [1, 9, 30])
def test_tables_fit_without_breaking_words(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    terminal = on_terminal(monkeypatch, 80)
    found: list[output.Record] = [
        {
            "id": "1408133746352128000",
            "name": f"{'N' * length} {letter * length} 漢字",
            "email": f"{letter * length}@example.org",
            "state": "administrator",
            "guilds": 100,
            "last_used": datetime(2026, 1, 2, tzinfo=UTC),
        }
        for letter in "ab"
    ]
    output.records(found, ("id", "name", "email", "state", "guilds", "last_used"), json=False)
    lines = terminal.getvalue().splitlines()
    assert max(cell_len(line) for line in lines) <= 80
    words = {word for line in lines for word in line.split()}
    for each in found:
        for value in (each["id"], each["email"], each["state"], *str(each["name"]).split()):
            assert value in words
    assert "2026-01-02 00:00" in terminal.getvalue()
    assert {"id", "name", "email", "state", "guilds", "last", "used"} <= words


def test_only_words_longer_than_the_line_break(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = on_terminal(monkeypatch, 80)
    output.record({"state": "active", "email": "x" * 200}, json=False)
    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "".join(lines).count("x") == 200
    assert lines[0].split() == ["state", "active"]


def test_json_keeps_every_character(capsys: pytest.CaptureFixture[str]) -> None:
    output.records([{"name": "a\nb\x1b"}], ("name",), json=True)
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert json.loads(text) == [{"name": "a\nb\x1b"}]
