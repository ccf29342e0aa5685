"""Fitting embeds of other services into the limits of a message. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chatd.core.models import Embed
from chatd.wire.schemas.embeds import LIMITS, MAX_CHARACTERS, VISIBLE, characters
from chatd.wire.schemas.excerpts import cut


def fitted(embeds: Iterable[Embed]) -> list[Embed]:
    """Return embeds whose texts have at most the allowed lengths, each and together.

    Descriptions are cut first. An embed that does not fit without one is left out, with those that
    follow it. So are embeds that show nothing.
    """
    found: list[Embed] = []
    left = MAX_CHARACTERS
    for each in embeds:
        embed = _within_lengths(each)
        excess = characters(embed) - left
        if excess > 0:
            embed = _shortened(embed, excess)
        if characters(embed) > left:
            break
        if embed.keys() & VISIBLE:
            left -= characters(embed)
            found.append(embed)
    return found


def _within_lengths(embed: Embed) -> Embed:
    """Return an embed whose title and description have at most the allowed lengths."""
    texts = {key: cut(embed[key], most) for key, most in LIMITS.items() if key in embed}
    others = {key: each for key, each in embed.items() if key not in LIMITS}
    return {**others, **{key: text for key, text in texts.items() if text}}


def _shortened(embed: Embed, excess: int) -> Embed:
    shorter: dict[str, Any] = {**embed}
    description = shorter.pop("description", "")
    if kept := cut(description, max(0, len(description) - excess)):
        shorter["description"] = kept
    return shorter
