"""Snowflakes: unique and ascending, even if the clock jumps."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.core import snowflake
from chatd.core.ids import MAX_ID, parse_id
from chatd.core.snowflake import EPOCH_MS, SnowflakeGenerator

CLOCKS = st.lists(st.integers(EPOCH_MS, EPOCH_MS + 2**41), min_size=1, max_size=200)


@given(CLOCKS, st.integers(0, 31))
def test_ids_ascend_while_the_clock_jumps(clock: list[int], worker_id: int) -> None:
    readings = iter(clock)
    generator = SnowflakeGenerator(worker_id, clock_ms=lambda: next(readings))
    ids = [generator.next() for _ in clock]
    assert ids == sorted(set(ids))
    assert all(each >> 17 & 31 == worker_id and each >> 12 & 31 == 0 for each in ids)


def test_more_than_4096_ids_run_ahead_of_the_clock() -> None:
    generator = SnowflakeGenerator(1, clock_ms=lambda: EPOCH_MS + 5)
    ids = [generator.next() for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert {each >> 22 for each in ids} == {5, 6, 7}


@given(CLOCKS, st.integers(0, 2**62), st.integers(-(2**24), 2**24), st.integers(0, 5000))
def test_next_id_is_above_all_observed_ids(
    clock: list[int], observed: int, difference: int, more: int
) -> None:
    generator = SnowflakeGenerator(3, clock_ms=lambda: clock[0])
    newest = generator.next()
    for _ in range(more):
        newest = generator.next()
    for each in (observed, max(0, newest + difference), observed + 1):
        generator.observe(each)
        newest = max(newest, each)
    assert generator.next() > newest


def test_own_ids_can_be_observed_until_the_lease_is_renewed() -> None:
    """At the limit of the lease, an id of the next millisecond is refused."""
    generator = SnowflakeGenerator(3, clock_ms=lambda: EPOCH_MS + 20)
    generator.lease(until_s=math.inf, limit_ms=10)
    for _ in range(3):
        newest = generator.next()
        generator.observe(newest)
        generator.observe(newest - 1)
        assert generator.next() > newest
    assert not generator.needs_renewal.is_set()


@given(st.integers(0, 2**41))
def test_created_at_returns_the_time_of_an_id(ms: int) -> None:
    generator = SnowflakeGenerator(0, clock_ms=lambda: EPOCH_MS + ms)
    made = snowflake.created_at(generator.next())
    assert made == datetime(2015, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    assert snowflake.at(made) == ms << 22


@given(st.integers(0, 2**63 - 1))
def test_created_at_text_equals_isoformat(snowflake_id: int) -> None:
    written = snowflake.created_at_text(snowflake_id)
    assert written == snowflake.created_at(snowflake_id).isoformat(timespec="microseconds")


def test_worker_id_out_of_range_is_rejected() -> None:
    with pytest.raises(ValueError, match="0-31"):
        SnowflakeGenerator(32)


@given(st.integers(0, MAX_ID))
def test_parse_id_reverses_str(number: int) -> None:
    assert parse_id(str(number)) == number


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", " 7 ", "1_0", "１２３", "9223372036854775808", "1" * 20, "0x1", "1.0"]
)
def test_parse_id_rejects_other_texts(text: str) -> None:
    with pytest.raises(ValueError, match="snowflake"):
        parse_id(text)
