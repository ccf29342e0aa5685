"""Reading a page of messages: what a client does whenever somebody looks at a channel."""

from __future__ import annotations

from chatd.context import Context
from chatd.core.ids import ChannelId
from chatd.core.models import Message
from chatd.core.permissions import Permissions
from chatd.queries import history
from chatd.queries.history import Part
from chatd.services.access import AnyAccess, ChannelAccess
from chatd.services.grants import Grants
from chatd.services.sending import check_is_text

_NEWEST = 2**63 - 1


class Reader:
    """Reads pages for users."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    async def page(
        self,
        ctx: Context,
        channel_id: ChannelId,
        *,
        limit: int,
        before: int | None,
        after: int | None,
        around: int | None,
    ) -> list[Message]:
        """Messages of a channel, newest first; at most one of the three cursors is given.

        Without READ_MESSAGE_HISTORY there are none. Raises UnknownChannel, MissingAccess,
        NotATextChannel.
        """
        if around is not None:
            granted = await self._grants.decide(ctx, channel_id)
            older = limit // 2
            return [
                *await _read(ctx, granted, Part(limit - older, after=around - 1)),
                *await _read(ctx, granted, Part(older, before=around)),
            ]
        part = Part(limit, before=_NEWEST if before is None else before, after=after)
        known = self._grants.known(ctx, channel_id)
        if isinstance(known, ChannelAccess):
            found = await _read(ctx, known, part, version=known.version)
            if found:
                return found
            self._grants.forget(ctx, channel_id)  # nothing is there, or it is no longer true
        return await _read(ctx, await self._grants.decide(ctx, channel_id), part)


async def _read(
    ctx: Context, granted: AnyAccess, part: Part, *, version: int | None = None
) -> list[Message]:
    """What somebody with this access reads; nothing, if its guild is not at `version` any more."""
    check_is_text(granted)
    if Permissions.READ_MESSAGE_HISTORY not in granted.permissions:
        return []
    place = granted.place
    async with ctx.database.cursor() as cur:
        return await history.page(cur, ctx.viewer, place, part, version=version)
