"""Parsing exports: any JSON is accepted or refused, and names and ids are always valid."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.backup.tar import members
from chatd.core import names
from chatd.db.bulk import copy_line
from chatd.storage.base import Storage
from chatd.transfer.discord.embeds import embed_of
from chatd.transfer.discord.files import SourceChannel
from chatd.transfer.discord.parsing import InvalidMessage, parse_message
from chatd.transfer.discord.structure import plan
from chatd.transfer.errors import BrokenJson
from chatd.transfer.findings import Findings
from chatd.transfer.guild.export import _Writer
from chatd.transfer.ids import free_ids
from chatd.transfer.json_array import JsonArray
from chatd.transfer.names import display_name, usernames
from tests.transfer.conftest import Silent
from tests.transfer.exports import Export, reaction, user

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def good() -> dict[str, Any]:
    ada = user(5 << 22, "ada")
    export = Export(1, 2)
    return export.add(ada, "text", reactions=[reaction("👍", [ada])], mentions=[ada])


@given(changes=st.dictionaries(st.sampled_from(sorted(good())), VALUES, max_size=4))
def test_any_message_is_parsed_or_refused(changes: dict[str, Any]) -> None:
    try:
        found = parse_message(good() | changes, 1, 2, NOW)
    except InvalidMessage:
        return
    assert len(found.content) <= 2000
    assert "\0" not in found.content
    assert json.loads(json.dumps(found.embeds)) == found.embeds
    known = {each["id"] for each in found.users}
    assert {found.author, *found.mentions, *(u for _, us in found.reactions for u in us)} <= known


def read(path: Path, text: bytes) -> tuple[list[Any], str]:
    path.write_bytes(text)
    found: list[Any] = []
    try:
        found.extend(each.value for each in JsonArray(path, "messages", shown_as="x"))
    except BrokenJson as error:
        return found, str(error)
    return found, ""


@given(messages=st.lists(VALUES, max_size=6), other=st.dictionaries(st.text(), VALUES, max_size=3))
def test_array_has_what_json_has(
    tmp_path_factory: pytest.TempPathFactory, messages: list[Any], other: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "array.json"
    bounded = [each for each in messages if "9" * 19 not in json.dumps(each)]
    whole = {**other, "messages": bounded}
    text = json.dumps(whole, ensure_ascii=False)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return
    found, error = read(path, data)
    if "integer overflow" not in error:
        assert error == ""
        assert found == bounded


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b'{"messages": [1, 2', "x: byte 18: the file ends too early"),
        (b'{"messages": [1,\n 2,, 3]}', "x: line 2, byte 20: parse error"),
        (b'{"messages": [' + b"[" * 100, "more than 64 levels"),
        (b'{"messages": [NaN]}', "x: line 1, byte 14: lexical error"),
        (b'{"messages": ["\xff"]}', "x: line 1, byte 15: lexical error"),
        (b'{"a": [' + b"1," * 600_000, "no list 'messages' in the first MiB"),
        (b'{"messages": ["' + b"x" * (17 << 20), "a text of more than 16 MiB"),
        (b"\xef\xbb\xbf" + b'{"messages": []}', ""),
    ],
    ids=["cut", "comma", "levels", "nan", "utf-8", "no list", "long", "mark"],
)
def test_broken_file_is_named_with_its_position(tmp_path: Path, text: bytes, error: str) -> None:
    assert error in read(tmp_path / "x.json", text)[1]


@given(text=st.text(max_size=300), discriminator=st.text(max_size=5))
def test_names_are_always_valid(text: str, discriminator: str) -> None:
    names.check(display_name(text, "fallback"))
    made = list(usernames(text, discriminator, 123))
    assert made
    assert all(names.normalize_username(each) == each for each in made)


@given(
    wanted=st.sets(st.integers(1, 2**63 - 1), max_size=20),
    taken=st.sets(st.integers(1, 2**63 - 1), max_size=20),
)
def test_ids_are_free_and_of_the_same_time(wanted: set[int], taken: set[int]) -> None:
    async def used(ids: Iterable[int]) -> set[int]:
        return taken & set(ids)

    found = asyncio.run(free_ids(wanted, used))
    assert found.keys() == wanted
    assert not set(found.values()) & taken
    assert len(set(found.values())) == len(wanted)
    assert all(each >> 22 == source >> 22 for source, each in found.items())
    assert all(found[each] == each for each in wanted - taken)


@given(st.lists(st.none() | st.booleans() | st.integers() | st.text(), min_size=1, max_size=4))
def test_line_of_copy_has_one_line_and_its_fields(values: list[Any]) -> None:
    line = copy_line(values)
    assert line.count("\n") == 1
    assert line.count("\t") == len(values) - 1


def test_threads_are_below_their_channel_and_forums_become_categories() -> None:
    found = [
        SourceChannel(5, "GuildPublicThread", "answer", "", 9, "Forum"),
        SourceChannel(4, "GuildPublicThread", "aside", "", 1, "general"),
        SourceChannel(1, "GuildTextChat", "general", "", 8, "Talk"),
        SourceChannel(2, "GuildVoiceChat", "old", "", None, "Talk"),
    ]
    planned = plan(found, hidden=False)
    parents = {each.source_id: each.name for each in planned if each.type == 4}
    assert [
        (each.name, parents.get(each.parent_id or 0)) for each in planned if each.type != 4
    ] == [
        ("general", "Talk"),
        ("aside", "Talk"),
        ("answer", "Forum"),
        ("old", "Talk"),
    ]


def test_repeated_lines_are_counted() -> None:
    lines: list[str] = []
    findings = Findings(lines.append)
    for number in range(25):
        findings.problem("kind", f"file {number}", "missing")
    findings.show_counts()
    assert len(lines) == 21
    assert lines[-1] == "5 more: kind"
    assert findings.problems == 25


def test_embed_with_control_characters_has_none() -> None:
    """Postgres stores no NUL."""
    raw = {"title": "a\0b", "url": "https://x/\0", "image": {"url": "https://x/\x01"}}
    found = embed_of({**raw, "footer": {"text": "\0"}, "fields": [{"name": "\0n", "value": "v"}]})
    assert found is not None
    assert "\\u0000" not in json.dumps(found)
    assert found == {
        "type": "rich",
        "title": "ab",
        "fields": [{"name": "n", "value": "v", "inline": False}],
    }


def test_channel_is_no_category() -> None:
    text = SourceChannel(5, "GuildTextChat", "text", "", None, "")
    below = SourceChannel(6, "GuildTextChat", "below", "", 5, "text")
    planned = [(each.source_id, each.parent_id) for each in plan([text, below], hidden=False)]
    assert planned == [(5, None), (6, None)]


async def test_parts_of_an_archive_are_small_however_many_lines_come_at_once() -> None:
    target = io.BytesIO()
    writer = _Writer(target, cast(Storage, None), Silent())
    await writer.add(["x" * 2**20] * 20)  # an import reads parts of up to 16 MiB
    await writer.close()
    target.seek(0)
    sizes = [member.size for member in members(target)]
    assert sum(sizes) > 20 * 2**20
    assert max(sizes) < 8 * 2**20
