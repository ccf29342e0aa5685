"""What commands print: nothing of a stranger's moves the cursor or breaks a line."""

from __future__ import annotations

import json

import pytest

from chatd.cli import output


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
def test_what_is_harmless(text: str, shown: str) -> None:
    assert output.harmless(text) == shown


def test_lines_have_one_thing_each(capsys: pytest.CaptureFixture[str]) -> None:
    output.records([{"id": "1", "name": "a\nb\tc"}], ("id", "name"), json=False)
    assert capsys.readouterr().out == "1\ta\ufffdb\ufffdc\n"


def test_json_keeps_every_character(capsys: pytest.CaptureFixture[str]) -> None:
    output.records([{"name": "a\nb\x1b"}], ("name",), json=True)
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert json.loads(text) == [{"name": "a\nb\x1b"}]
