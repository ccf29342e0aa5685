"""Settings of user clients as Protocol Buffers: merging them, and their older form."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chatd.core.ids import GuildId
from chatd.core.relationships import FriendSources, UserSettings
from chatd.wire.protobuf import legacy, settings
from chatd.wire.protobuf.encoding import (
    LEN,
    encode,
    field,
    read_fields,
)
from chatd.wire.protobuf.preloaded import PRELOADED_SETTINGS
from tests.helpers.protobuf import FRECENCY, PRELOADED, TEXTS, budget

PARTS = st.dictionaries(st.integers(2, 40), st.binary(max_size=8), max_size=8)


def message_of(parts: dict[int, bytes]) -> bytes:
    return encode([(number, LEN, field(99, LEN, each)) for number, each in parts.items()])


def parts_of(data: bytes) -> dict[int, int | bytes]:
    return {number: value for number, _, value in read_fields(data, budget()) if number != 1}


@given(PARTS, PARTS)
def test_merge_replaces_top_level_fields(
    stored: dict[int, bytes], change: dict[int, bytes]
) -> None:
    merged = settings.merge(PRELOADED, message_of(stored), message_of(change), data_version=3)
    assert parts_of(merged) == parts_of(message_of({**stored, **change}))
    versions = settings.to_json(PRELOADED, merged)["versions"]
    assert versions == {"clientVersion": 0, "serverVersion": 0, "dataVersion": 3}


@given(PARTS, PARTS)
def test_merging_again_changes_only_the_version(
    stored: dict[int, bytes], change: dict[int, bytes]
) -> None:
    once = settings.merge(FRECENCY, message_of(stored), message_of(change), data_version=1)
    twice = settings.merge(FRECENCY, once, message_of(change), data_version=2)
    assert parts_of(once) == parts_of(twice)


def test_client_sets_its_own_version_only() -> None:
    change = PRELOADED_SETTINGS.encode(
        {"versions": {"client_version": 14, "server_version": 9, "data_version": 900}}, budget()
    )
    merged = settings.merge(PRELOADED, b"", change, data_version=1)
    kept = settings.merge(PRELOADED, merged, b"", data_version=2)
    for data, version in ((merged, 1), (kept, 2)):
        assert settings.to_json(PRELOADED, data)["versions"] == {
            "clientVersion": 14,
            "serverVersion": 0,
            "dataVersion": version,
        }


@given(
    st.sets(st.integers(1, 2**63 - 1), max_size=5),
    st.booleans(),
    st.integers(0, 7),
    st.booleans(),
)
def test_privacy_settings_are_shown_and_read(
    guilds: set[int], restricted: bool, sources: int, compact: bool
) -> None:
    stored = PRELOADED_SETTINGS.encode(
        {"privacy": {"hide_legacy_username": compact, "restricted_guild_ids": ["99"]}}, budget()
    )
    effective = UserSettings(
        friend_sources=FriendSources(sources),
        default_guilds_restricted=restricted,
        restricted_guilds=tuple(GuildId(each) for each in sorted(guilds)),
    )
    shown = settings.with_privacy(stored, effective)
    privacy = settings.privacy_of(shown)
    assert privacy is not None
    assert privacy.restricted_guilds == effective.restricted_guilds
    assert privacy.default_guilds_restricted == restricted
    assert privacy.friend_sources == effective.friend_sources
    assert settings.to_json(PRELOADED, shown)["privacy"]["hideLegacyUsername"] is compact
    assert settings.with_privacy(shown, effective) == shown


LEGACY = st.fixed_dictionaries(
    {},
    optional={
        "afk_timeout": st.integers(0, 2**31 - 1),
        "animate_emoji": st.booleans(),
        "animate_stickers": st.integers(0, 2),
        "developer_mode": st.booleans(),
        "guild_positions": st.lists(st.integers(0, 2**63 - 1).map(str), max_size=3),
        "locale": TEXTS,
        "status": st.sampled_from(["online", "idle", "dnd", "invisible"]),
        "theme": st.sampled_from(legacy.THEMES),
        "timezone_offset": st.integers(-1440, 1440),
        "guild_folders": st.lists(
            st.fixed_dictionaries(
                {
                    "id": st.none() | st.integers(-(2**63), 2**63 - 1),
                    "name": st.none() | TEXTS,
                    "color": st.none() | st.integers(0, 0xFFFFFF),
                    "guild_ids": st.lists(st.integers(0, 2**63 - 1).map(str), max_size=3),
                }
            ),
            max_size=3,
        ),
    },
)


@given(LEGACY, LEGACY)
def test_older_form_of_settings_is_a_view_of_the_message(first: Any, second: Any) -> None:
    defaults = legacy.show(b"")
    stored = settings.merge(PRELOADED, b"", legacy.change(b"", first), data_version=1)
    assert legacy.show(stored) == {**defaults, **first}
    stored = settings.merge(PRELOADED, stored, legacy.change(stored, second), data_version=2)
    assert legacy.show(stored) == {**defaults, **first, **second}


def test_older_form_keeps_fields_that_it_does_not_know() -> None:
    stored = PRELOADED_SETTINGS.encode(
        {"appearance": {"ui_density": "UI_DENSITY_COZY", "theme": "THEME_LIGHT"}}, budget()
    )
    unknown = field(PRELOADED_SETTINGS.numbers["appearance"], LEN, field(77, LEN, b"new"))
    change = legacy.change(stored + unknown, {"theme": "midnight"})
    merged = settings.merge(PRELOADED, stored + unknown, change, data_version=1)
    appearance = settings.to_json(PRELOADED, merged)["appearance"]
    assert (appearance["uiDensity"], appearance["theme"]) == ("UI_DENSITY_COZY", "THEME_MIDNIGHT")
    assert field(77, LEN, b"new") in merged
