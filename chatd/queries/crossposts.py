"""Published messages of announcement channels, and their copies in the channels that follow."""

from __future__ import annotations

from dataclasses import dataclass

from chatd.core.ids import ChannelId, MessageId, WebhookId
from chatd.core.webhooks import Webhook
from chatd.db.cursor import Cursor, one
from chatd.queries import webhooks


@dataclass(frozen=True, slots=True)
class Crosspost:
    """A published message whose delivery an instance has leased."""

    channel_id: ChannelId
    message_id: MessageId
    last_id: int
    """The newest webhook that followed when the message was published."""
    revision: int
    after_id: int
    """The last webhook that has this revision."""


@dataclass(frozen=True, slots=True)
class Copy:
    """The message that a webhook has sent for a published one."""

    channel_id: ChannelId
    message_id: MessageId


_COLUMNS = "channel_id, message_id, last_id, revision, after_id"


async def insert(cur: Cursor, channel_id: ChannelId, message_id: MessageId) -> None:
    """Publish a message to the present followers of its channel. It is due at once."""
    await cur.execute(
        """
        INSERT INTO crossposts (channel_id, message_id, last_id)
        SELECT %(channel_id)s, %(message_id)s, coalesce(max(id), 0)
          FROM webhooks WHERE source_channel_id = %(channel_id)s
        """,
        {"channel_id": channel_id, "message_id": message_id},
    )


async def take(cur: Cursor, *, lease_s: float) -> Crosspost | None:
    """Lease the delivery that is due longest, for `lease_s`; None when none is due."""
    await cur.execute(
        f"""
        UPDATE crossposts SET due_at = now() + make_interval(secs => %(lease_s)s)
         WHERE (channel_id, message_id) = (
                   SELECT channel_id, message_id FROM crossposts
                    WHERE due_at <= now()
                 ORDER BY due_at, channel_id, message_id
                    LIMIT 1
                      FOR UPDATE SKIP LOCKED)
        RETURNING {_COLUMNS}
        """,
        {"lease_s": lease_s},
    )
    return await one(cur, Crosspost)


async def advance(cur: Cursor, crosspost: Crosspost, after_id: int, *, is_done: bool) -> None:
    """Record the last webhook that has this revision, and end the lease.

    Does nothing if the message has changed since: then all webhooks are due again.
    """
    await cur.execute(
        """
        UPDATE crossposts
           SET after_id = %(after_id)s, due_at = CASE WHEN %(is_done)s THEN NULL ELSE now() END
         WHERE channel_id = %(channel_id)s AND message_id = %(message_id)s
           AND revision = %(revision)s
        """,
        {
            "channel_id": crosspost.channel_id,
            "message_id": crosspost.message_id,
            "revision": crosspost.revision,
            "after_id": after_id,
            "is_done": is_done,
        },
    )


async def delete(cur: Cursor, channel_id: ChannelId, message_id: MessageId) -> None:
    """Delete the record of a published message, with the records of copies that it still has."""
    await cur.execute(
        """
        DELETE FROM crossposts WHERE channel_id = %(channel_id)s AND message_id = %(message_id)s
        """,
        {"channel_id": channel_id, "message_id": message_id},
    )


async def delete_copies(
    cur: Cursor, channel_id: ChannelId, message_id: MessageId, *, limit: int
) -> int:
    """Delete some records of copies of a published message. Return their number."""
    await cur.execute(
        """
        DELETE FROM crosspost_copies
         WHERE source_channel_id = %(channel_id)s AND source_message_id = %(message_id)s
           AND webhook_id = ANY (ARRAY (
                   SELECT webhook_id FROM crosspost_copies
                    WHERE source_channel_id = %(channel_id)s AND source_message_id = %(message_id)s
                    LIMIT %(limit)s))
        """,
        {"channel_id": channel_id, "message_id": message_id, "limit": limit},
    )
    return cur.rowcount


async def next_followers(cur: Cursor, crosspost: Crosspost, *, limit: int) -> list[Webhook]:
    """Return the next webhooks that follow the channel since before the publication."""
    return await webhooks.list_followers(
        cur,
        crosspost.channel_id,
        after=crosspost.after_id,
        until=crosspost.last_id,
        limit=limit,
    )


async def insert_copy(cur: Cursor, crosspost: Crosspost, webhook_id: WebhookId, copy: Copy) -> None:
    """Record the copy of a webhook, which has sent none before. Its guild is locked."""
    await cur.execute(
        """
        INSERT INTO crosspost_copies (source_channel_id, source_message_id, webhook_id,
                                      channel_id, message_id, revision)
        VALUES (%(source_channel_id)s, %(source_message_id)s, %(webhook_id)s, %(channel_id)s,
                %(message_id)s, %(revision)s)
        """,
        {
            "source_channel_id": crosspost.channel_id,
            "source_message_id": crosspost.message_id,
            "webhook_id": webhook_id,
            "channel_id": copy.channel_id,
            "message_id": copy.message_id,
            "revision": crosspost.revision,
        },
    )


async def get_copy(cur: Cursor, crosspost: Crosspost, webhook_id: WebhookId) -> Copy | None:
    """Return the copy of a webhook. The message may have been deleted since."""
    await cur.execute(
        """
        SELECT channel_id, message_id FROM crosspost_copies
         WHERE source_channel_id = %(channel_id)s AND source_message_id = %(message_id)s
           AND webhook_id = %(webhook_id)s
        """,
        {
            "channel_id": crosspost.channel_id,
            "message_id": crosspost.message_id,
            "webhook_id": webhook_id,
        },
    )
    return await one(cur, Copy)


async def raise_revision(cur: Cursor, crosspost: Crosspost, webhook_id: WebhookId) -> bool:
    """Record that a copy gets this revision. Return False if it has that or a later one."""
    await cur.execute(
        """
        UPDATE crosspost_copies SET revision = %(revision)s
         WHERE source_channel_id = %(channel_id)s AND source_message_id = %(message_id)s
           AND webhook_id = %(webhook_id)s AND revision < %(revision)s
        """,
        {
            "channel_id": crosspost.channel_id,
            "message_id": crosspost.message_id,
            "webhook_id": webhook_id,
            "revision": crosspost.revision,
        },
    )
    return cur.rowcount == 1
