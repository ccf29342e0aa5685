"""`walk` calls a test for each case, and names all that failed."""

from __future__ import annotations

import pytest

from tests.helpers.walk import walk


@walk("number", range(8))
@walk("word, is_odd", [("zero", False), ("one", True)])
def some_fail(tmp: list[str], number: int, word: str, is_odd: bool) -> None:
    tmp.append(f"{number} {word}")
    if number == 5:
        with pytest.raises(ValueError, match="never"):
            pass
    assert bool(number % 2) == is_odd or number < 5


def test_walk_names_every_failed_case() -> None:
    called: list[str] = []
    with pytest.raises(AssertionError) as failed:
        some_fail(tmp=called)
    assert len(called) == 16
    _, _, named = str(failed.value).partition("4 of 16 cases failed:\n")
    assert [line.partition(": ")[0].strip() for line in named.splitlines()] == [
        "5 zero False",
        "5 one True",
        "6 one True",
        "7 zero False",
    ]


def test_walk_over_one_case(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setenv("TEST_CASE", "3 one")
    some_fail(tmp=called)
    assert called == ["3 one"]


async def test_walk_over_coroutines() -> None:
    @walk("number", [1, 2])
    async def one_fails(number: int) -> None:
        assert number == 1

    with pytest.raises(AssertionError, match="1 of 2 cases failed:\n  2: "):
        await one_fails()
