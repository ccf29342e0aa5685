"""Channel sets, and the channels that overwrites make visible or hide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, auto

from chatd.core.ids import ChannelId
from chatd.core.overwrites import Overwrite, OverwriteType
from chatd.core.permissions import Permissions

ChannelSet = int
"""A set of channels: each channel of a guild has a bit of its own."""

_VIEW = int(Permissions.VIEW_CHANNEL)


class OverwriteChange(Enum):
    """How the new overwrites of a channel differ from those before."""

    NONE = auto()
    PERMISSIONS = auto()
    """In permissions other than VIEW_CHANNEL."""
    VISIBILITY = auto()
    """In VIEW_CHANNEL, and perhaps in others."""


class ChannelOverwrites:
    """The channels of a guild, and their overwrites.

    For each target (a role or a member) it also keeps the sets of channels whose overwrites allow
    or deny VIEW_CHANNEL. So `Visibility` computes what a member sees for all channels at once.
    """

    def __init__(self) -> None:
        self.all: ChannelSet = 0
        """All channels of the guild."""
        self.allowed: tuple[dict[int, ChannelSet], dict[int, ChannelSet]] = ({}, {})
        """By type (roles, members) and target: where an overwrite allows VIEW_CHANNEL."""
        self.denied: tuple[dict[int, ChannelSet], dict[int, ChannelSet]] = ({}, {})
        """By type (roles, members) and target: where an overwrite denies VIEW_CHANNEL."""
        self.bits: dict[ChannelId, ChannelSet] = {}
        """For each channel, the set that contains only this channel. The attribute is public to
        save a call: computing an audience reads it once for each member."""
        self._free_bits: list[ChannelSet] = []
        """Bits of deleted channels, to be used again."""
        self._overwrites: dict[ChannelId, dict[int, Overwrite]] = {}

    def __contains__(self, channel_id: ChannelId) -> bool:
        return channel_id in self.bits

    def ids_in(self, channels: ChannelSet) -> list[ChannelId]:
        """Return the ids of the channels in a set."""
        return [channel_id for channel_id, bit in self.bits.items() if bit & channels]

    def of(self, channel_id: ChannelId) -> Mapping[int, Overwrite]:
        """Return the overwrites of a channel, by target."""
        return self._overwrites[channel_id]

    def of_members(self) -> tuple[Mapping[int, ChannelSet], Mapping[int, ChannelSet]]:
        """Return where overwrites of members deny and allow VIEW_CHANNEL, by member."""
        return self.denied[OverwriteType.MEMBER], self.allowed[OverwriteType.MEMBER]

    def add(self, channel_id: ChannelId) -> bool:
        """Add a channel without overwrites; return False if it is there already."""
        if channel_id in self.bits:
            return False
        bit = self._free_bits.pop() if self._free_bits else 1 << len(self.bits)
        self.bits[channel_id] = bit
        self._overwrites[channel_id] = {}
        self.all |= bit
        return True

    def remove(self, channel_id: ChannelId) -> None:
        """Remove a channel that is there."""
        self.replace(channel_id, ())
        bit = self.bits.pop(channel_id)
        self._free_bits.append(bit)
        del self._overwrites[channel_id]
        self.all &= ~bit

    def replace(self, channel_id: ChannelId, overwrites: Iterable[Overwrite]) -> OverwriteChange:
        """Replace the overwrites of a channel; return how they differ."""
        before = self._overwrites[channel_id]
        after = {each.target_id: each for each in overwrites}
        self._overwrites[channel_id] = after
        if before == after:
            return OverwriteChange.NONE
        bit = self.bits[channel_id]
        change = OverwriteChange.PERMISSIONS
        for each in _affecting_visibility(before, after):
            change = OverwriteChange.VISIBILITY
            _discard(self.allowed[each.type], each.target_id, bit)
            _discard(self.denied[each.type], each.target_id, bit)
        for each in _affecting_visibility(after, before):
            change = OverwriteChange.VISIBILITY
            if each.allow & _VIEW:
                _add(self.allowed[each.type], each.target_id, bit)
            if each.deny & _VIEW:
                _add(self.denied[each.type], each.target_id, bit)
        return change


def _affecting_visibility(
    some: Mapping[int, Overwrite], others: Mapping[int, Overwrite]
) -> list[Overwrite]:
    """Return those overwrites that allow or deny VIEW_CHANNEL and are not among the others."""
    return [
        each
        for each in some.values()
        if (each.allow | each.deny) & _VIEW and others.get(each.target_id) != each
    ]


def _add(sets: dict[int, ChannelSet], target: int, bit: ChannelSet) -> None:
    sets[target] = sets.get(target, 0) | bit


def _discard(sets: dict[int, ChannelSet], target: int, bit: ChannelSet) -> None:
    left = sets.pop(target, 0) & ~bit
    if left:
        sets[target] = left
