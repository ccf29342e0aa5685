"""The channels that an export of Discord makes. No input or output.

An export has no permissions. So a private thread, whose name says that few could read it, is hidden
from @everyone, and so is every channel on request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from chatd.core.models import ChannelType
from chatd.services.guilds.channel_rules import MAX_CHILDREN
from chatd.transfer.discord.files import SourceChannel
from chatd.transfer.names import display_name
from chatd.transfer.structure import MAX_TOPIC, PlannedChannel

SOURCE = "discord"

_PRIVATE_THREAD = "GuildPrivateThread"


def plan(found: Iterable[SourceChannel], *, hidden: bool) -> list[PlannedChannel]:
    """Return categories and channels in the order in which clients list them.

    A thread becomes a channel below its channel. The threads of a forum get a category with its
    name.
    """
    channels = {each.source_id: each for each in found}
    categories: dict[int, str] = {}
    placed: list[tuple[tuple[int, int, int], PlannedChannel]] = []
    children: dict[int, int] = {}
    for each in channels.values():
        parent = channels.get(each.parent_id or 0) if each.is_thread else None
        above = parent if parent is not None else each
        category = _category(above)
        if category in channels:
            category = None  # a changed export: each id is that of one channel
        if category is not None and children.get(category, 0) >= MAX_CHILDREN:
            category = None
        if category is not None:
            categories[category] = above.parent_name
            children[category] = children.get(category, 0) + 1
        order = (category or 0, above.source_id, each.source_id if parent is not None else 0)
        planned = PlannedChannel(
            source_id=each.source_id,
            type=ChannelType.ANNOUNCEMENT if each.type == "GuildNews" else ChannelType.TEXT,
            name=display_name(each.name, f"channel-{each.source_id}"),
            topic=_topic(each, parent),
            parent_id=category,
            is_hidden=hidden or each.type == _PRIVATE_THREAD,
        )
        placed.append((order, planned))
    tops = [
        PlannedChannel(
            key, ChannelType.CATEGORY, display_name(name, "category"), None, None, hidden
        )
        for key, name in sorted(categories.items())
    ]
    return tops + [planned for _, planned in sorted(placed, key=lambda each: each[0])]


def _category(channel: SourceChannel) -> int | None:
    """Return the id of a channel's category. Old exports have only its name."""
    if channel.parent_id is not None or not channel.parent_name:
        return channel.parent_id
    digest = hashlib.sha256(channel.parent_name.encode()).digest()
    return int.from_bytes(digest[:5], "big") + 1  # far below all snowflakes of real objects


def _topic(channel: SourceChannel, parent: SourceChannel | None) -> str | None:
    topic = channel.topic.strip()
    if channel.is_thread:
        name = parent.name if parent is not None else channel.parent_name
        topic = f"Thread of {name}" + (f": {topic}" if topic else "")
    return topic[:MAX_TOPIC] or None
