"""Links to attachments, which expire: clients ask for new ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from urllib.parse import parse_qsl, urlencode, urlsplit

from chatd.context.context import Context
from chatd.core.errors import MissingAccess, UnknownChannel
from chatd.core.ids import AttachmentId, ChannelId, parse_id
from chatd.core.permissions import Permissions
from chatd.db.cursor import Cursor
from chatd.queries import files
from chatd.services.access import access

_PATH = re.compile(r"/attachments/([0-9]{1,19})/([0-9]{1,19})/[^/]+", re.ASCII)
_SIGNATURE = ("ex", "is", "hm")

Key = tuple[ChannelId, AttachmentId]


async def refresh(ctx: Context, urls: Sequence[str]) -> list[str]:
    """Return a link that is valid again for each link to an attachment.

    A link stays as it is if it leads elsewhere, or to a file whose message the caller may not read.
    """
    keys = {url: key for url in urls if (key := _key(url)) is not None}
    async with ctx.database.cursor() as cur:
        readable = await _readable(cur, ctx, {channel_id for channel_id, _ in keys.values()})
        wanted = [key for key in keys.values() if key[0] in readable]
        names = await files.names(cur, ctx.user.id, wanted) if wanted else {}
    signed = ctx.dependencies.signed_urls
    refreshed = {
        url: _with_query(signed.attachment_url(*key, names[key]), url)
        for url, key in keys.items()
        if key in names
    }
    return [refreshed.get(url, url) for url in urls]


async def _readable(cur: Cursor, ctx: Context, channel_ids: Iterable[ChannelId]) -> set[ChannelId]:
    """Return those of these channels whose history the caller may read."""
    found = set()
    for channel_id in channel_ids:
        with suppress(UnknownChannel, MissingAccess):
            granted = await access.channel(cur, ctx.user.id, channel_id)
            if Permissions.READ_MESSAGE_HISTORY in granted.permissions:
                found.add(channel_id)
    return found


def _key(url: str) -> Key | None:
    """Return the channel and the file of a link; None for a link to something else."""
    try:
        match = _PATH.fullmatch(urlsplit(url).path)
        if match is None:
            return None
        return ChannelId(parse_id(match[1])), AttachmentId(parse_id(match[2]))
    except ValueError:
        return None


def _with_query(signed: str, url: str) -> str:
    """Return a signed link with the other parameters of a link, as Discord keeps them."""
    kept = [each for each in parse_qsl(urlsplit(url).query) if each[0] not in _SIGNATURE]
    return signed + urlencode(kept)
