"""Messages of webhooks and of interactions say so, and messages with components show them."""

from __future__ import annotations

from dataclasses import replace

from chatd.core.ids import (
    ChannelId,
    GuildId,
    InteractionId,
    MessageId,
    StreamId,
    UserId,
    WebhookId,
)
from chatd.core.interactions import InteractionOrigin, InteractionType
from chatd.core.models import MessageOrigin, MessageType
from chatd.db.pool import Database
from chatd.queries import message_inserts
from chatd.queries.message_inserts import NewRow
from tests.helpers.reactions import create_message
from tests.world import Guild, World, like

ROW_OF_BUTTONS = {"type": 1, "id": 1, "components": []}


def row(guild: Guild, content: str, author_id: int | None = None) -> NewRow:
    author = UserId(author_id or int(guild.owner.id))
    channel = ChannelId(int(guild.general.id))
    stream = StreamId(int(guild.id))
    return NewRow(stream, 0, channel, author, MessageType.DEFAULT, content)


async def version_of(database: Database, guild: Guild) -> int:
    async with database.cursor() as cur:
        await cur.execute("SELECT version FROM streams WHERE id = %(id)s", {"id": int(guild.id)})
        [version] = await cur.fetchone() or [0]
        return int(version)


async def test_message_of_webhook_shows_name_of_its_origin(
    world: World, database: Database
) -> None:
    guild = await world.guild(owner="alice")
    last = int((await create_message(guild))["id"])
    webhook_id = last - 1
    named = MessageOrigin(WebhookId(webhook_id), name="Build", avatar="abc")
    renamed = MessageOrigin(WebhookId(webhook_id), name="Deploy")
    of_bot = MessageOrigin(WebhookId(webhook_id), application_id=UserId(webhook_id))
    version = await version_of(database, guild)
    rows = [
        replace(row(guild, "first", webhook_id), origin=named),
        row(guild, "plain"),
        replace(row(guild, "second", webhook_id), origin=renamed, components=[ROW_OF_BUTTONS]),
        replace(row(guild, "response"), origin=of_bot),
    ]
    ids = [MessageId(last + number) for number in range(1, 5)]
    async with database.cursor() as cur:
        versioned = [replace(each, version=version) for each in rows]
        results = await message_inserts.insert_many(cur, ids, versioned, wait=True)
    assert all(result.seq for result in results)
    async with database.cursor() as cur:
        late = replace(rows[0], content="third", components=[ROW_OF_BUTTONS])
        await message_inserts.insert_in_transaction(cur, MessageId(last + 5), late)

    page = await guild.owner.rest.get(f"/channels/{guild.general.id}/messages")

    by_content = {message["content"]: message for message in page}
    webhook = {"id": str(webhook_id), "global_name": None, "bot": True, "discriminator": "0000"}
    assert by_content["first"] == like(
        author=like(**webhook, username="Build", avatar="abc"),
        webhook_id=str(webhook_id),
        components=[],
    )
    assert by_content["second"] == like(
        author=like(**webhook, username="Deploy", avatar=None), components=[ROW_OF_BUTTONS]
    )
    assert by_content["third"] == like(
        author=like(**webhook, username="Build"), components=[ROW_OF_BUTTONS]
    )
    assert "application_id" not in by_content["first"]
    assert by_content["response"] == like(
        author=like(id=guild.owner.id, discriminator="0"),
        webhook_id=str(webhook_id),
        application_id=str(webhook_id),
    )
    assert "webhook_id" not in by_content["plain"]


async def test_edit_keeps_components(world: World, database: Database) -> None:
    guild = await world.guild(owner="alice")
    last = int((await create_message(guild))["id"])
    written = replace(row(guild, "before"), components=[ROW_OF_BUTTONS])
    async with database.cursor() as cur:
        await message_inserts.insert_in_transaction(cur, MessageId(last + 1), written)
    path = f"/channels/{guild.general.id}/messages/{last + 1}"
    changed = await guild.owner.rest.patch(path, {"content": "after"})
    assert changed == like(content="after", components=[ROW_OF_BUTTONS])


async def test_message_of_interaction_shows_who_invoked_it_by_the_present_name(
    world: World, database: Database
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = await world.people("alice", "bob")
    last = int((await create_message(guild))["id"])
    opened = InteractionOrigin(
        InteractionId(2),
        InteractionType.COMPONENT,
        UserId(int(bob.id)),
        GuildId(int(guild.id)),
        interacted_message_id=MessageId(last),
    )
    of_command = InteractionOrigin(
        InteractionId(1),
        InteractionType.COMMAND,
        UserId(int(alice.id)),
        GuildId(int(guild.id)),
        name="info of",
        command_type=2,
        target_user_id=UserId(int(bob.id)),
    )
    of_modal = InteractionOrigin(
        InteractionId(3),
        InteractionType.MODAL_SUBMIT,
        UserId(int(bob.id)),
        None,
        triggering=opened,
        original_response_id=MessageId(last),
    )
    async with database.cursor() as cur:
        for number, origin in enumerate((of_command, of_modal), 1):
            sent_by = MessageOrigin(WebhookId(9), UserId(9), interaction=origin)
            written = replace(row(guild, str(number)), origin=sent_by)
            message_id = MessageId(last + number)
            await message_inserts.insert_in_transaction(cur, message_id, written)
    await bob.rest.patch("/users/@me", {"global_name": "Robert"})

    page = await alice.rest.get(f"/channels/{guild.general.id}/messages")

    robert = like(id=bob.id, global_name="Robert")
    submitted, commanded = page[0], page[1]
    assert commanded["interaction_metadata"] == {
        "id": "1",
        "type": 2,
        "name": "info of",
        "command_type": 2,
        "user": like(id=alice.id),
        "authorizing_integration_owners": {"0": guild.id},
        "target_user": robert,
    }
    assert commanded["interaction"] == {
        "id": "1",
        "type": 2,
        "name": "info of",
        "user": like(id=alice.id),
    }
    assert submitted["interaction_metadata"] == {
        "id": "3",
        "type": 5,
        "user": robert,
        "authorizing_integration_owners": {"0": "0"},
        "original_response_message_id": str(last),
        "triggering_interaction_metadata": {
            "id": "2",
            "type": 3,
            "user": robert,
            "authorizing_integration_owners": {"0": guild.id},
            "interacted_message_id": str(last),
        },
    }
    assert "interaction" not in submitted
