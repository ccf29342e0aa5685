"""Which messages count as unread, by the notification settings of a user."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chatd.core.ids import ChannelId, GuildId
from chatd.core.notifications import (
    ChannelFlags,
    ChannelOverride,
    GuildFlags,
    GuildNotifications,
    Mute,
    MuteConfig,
    NotificationLevel,
    UnreadRule,
    unread_rule,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CHANNEL, CATEGORY = ChannelId(1), ChannelId(2)
ALL, MENTIONS, NONE, INHERIT = NotificationLevel
NOT_MUTED = Mute()
MUTED = Mute(True)
ENDED = Mute(True, MuteConfig(NOW - timedelta(seconds=1), 60))
LASTING = Mute(True, MuteConfig(NOW + timedelta(seconds=1), 60))


def rule(
    *,
    default_level: int = ALL,
    level: NotificationLevel = INHERIT,
    flags: int = 0,
    mute: Mute = NOT_MUTED,
    channel: ChannelOverride | None = None,
    category: ChannelOverride | None = None,
) -> UnreadRule:
    overrides = {each.channel_id: each for each in (channel, category) if each}
    settings = GuildNotifications(
        GuildId(9), level=level, flags=flags, mute=mute, overrides=overrides
    )
    return unread_rule(settings, CHANNEL, CATEGORY, default_level=default_level, now=NOW)


@pytest.mark.parametrize("mute", [MUTED, LASTING])
def test_mute_of_channel_category_or_guild_counts(mute: Mute) -> None:
    assert rule(mute=mute).is_muted
    assert rule(channel=ChannelOverride(CHANNEL, mute)).is_muted
    assert rule(category=ChannelOverride(CATEGORY, mute)).is_muted


def test_ended_mute_does_not_count() -> None:
    assert not rule(mute=ENDED, channel=ChannelOverride(CHANNEL, ENDED)).is_muted


def test_level_is_that_of_channel_then_category_then_guild_then_default() -> None:
    assert not rule(default_level=ALL).only_mentions
    assert rule(default_level=MENTIONS).only_mentions
    assert not rule(default_level=MENTIONS, level=ALL).only_mentions
    assert rule(level=NONE).only_mentions
    in_category = ChannelOverride(CATEGORY, level=MENTIONS)
    assert rule(level=ALL, category=in_category).only_mentions
    in_channel = ChannelOverride(CHANNEL, level=ALL)
    assert not rule(level=NONE, category=in_category, channel=in_channel).only_mentions


def test_flags_count_before_levels() -> None:
    assert rule(flags=GuildFlags.UNREADS_ONLY_MENTIONS).only_mentions
    assert not rule(level=MENTIONS, flags=GuildFlags.UNREADS_ALL_MESSAGES).only_mentions
    channel = ChannelOverride(CHANNEL, flags=ChannelFlags.UNREADS_ALL_MESSAGES)
    assert not rule(flags=GuildFlags.UNREADS_ONLY_MENTIONS, channel=channel).only_mentions
    channel = ChannelOverride(CHANNEL, flags=ChannelFlags.UNREADS_ONLY_MENTIONS)
    assert rule(flags=GuildFlags.UNREADS_ALL_MESSAGES, channel=channel).only_mentions


@pytest.mark.parametrize("default_level", [ALL, MENTIONS])
def test_user_without_settings_has_those_of_the_guild(default_level: NotificationLevel) -> None:
    found = unread_rule(None, CHANNEL, None, default_level=default_level, now=NOW)
    assert found == UnreadRule(only_mentions=default_level == MENTIONS)
