"""No transaction changes an unbounded number of rows, however large the guild is.

A transaction holds the locks that it has taken until it ends. So each act here is done in a guild
with much of everything, and Postgres says how many rows the transaction has changed, cascades and
triggers included.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import quote

import pytest

from chatd.queries import search_index
from chatd.rest.table import table as route_table
from chatd.services.maintenance import janitor, pending_deletions
from chatd.services.messages import reactions
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.crowded_scene import MANY, Scene, crowded_scene, rows
from tests.helpers.row_changes import RowChanges, record_row_changes
from tests.world import PASSWORD, TIMEOUT_S, World

BATCH = 50
MOST = 6 * BATCH  # rows that a transaction may change


@pytest.fixture
async def scene(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    for module, name in (
        (pending_deletions, "BATCH_MESSAGES"),
        (pending_deletions, "_SWEPT_ROWS"),
        (reactions, "MAX_CLEARED"),
        (janitor, "_BATCH_ROWS"),
    ):
        monkeypatch.setattr(module, name, BATCH)
    # A segment of the search has a limit of its own (tests/rest/test_search_indexer.py), and the
    # server adds segments of earlier tests' messages at any time.
    monkeypatch.setattr(search_index, "extend", adds_no_segment)
    made_scene = await crowded_scene(world, server)
    async with asyncio.timeout(TIMEOUT_S):  # earlier tests may have left pending deletions
        while await rows(server, "SELECT FROM pending_deletions LIMIT 1"):
            await asyncio.sleep(0.05)
    yield made_scene


async def adds_no_segment(*arguments: object, **options: object) -> bool:
    return False


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> RowChanges:
    return record_row_changes(monkeypatch)


async def ban(scene: Scene, world: World, server: Server) -> None:
    path = f"{scene.path}/bans/{scene.author.id}"
    await scene.rest.put(path, {"delete_message_seconds": 604_800})


async def bulk_ban(scene: Scene, world: World, server: Server) -> None:
    for each in range(scene.first, scene.first + 200):
        await rows(server, "DELETE FROM bans WHERE user_id = %(id)s", id=each)
    ids = [str(each) for each in range(scene.first, scene.first + 200)]
    wanted = {"user_ids": ids, "delete_message_seconds": 604_800}
    found = await scene.rest.post(f"{scene.path}/bulk-ban", wanted)
    assert len(found["banned_users"]) == 200


async def prune(scene: Scene, world: World, server: Server) -> None:
    await rows(
        server,
        "UPDATE guild_members SET joined_at = now() - interval '9 days' WHERE guild_id = %(id)s",
        id=int(scene.guild.id),
    )
    found = await scene.rest.post(f"{scene.path}/prune", {"include_roles": [scene.role]})
    assert found == {"pruned": MANY}


async def clear(scene: Scene, world: World, server: Server) -> None:
    await scene.rest.delete(f"{scene.channel_path}/messages/{scene.messages[0]}/reactions")


async def clear_emoji(scene: Scene, world: World, server: Server) -> None:
    path = f"{scene.channel_path}/messages/{scene.messages[0]}/reactions/{quote('👍')}"
    await scene.rest.delete(path)


async def delete_message(scene: Scene, world: World, server: Server) -> None:
    await scene.rest.delete(f"{scene.channel_path}/messages/{scene.messages[0]}")


async def bulk_delete(scene: Scene, world: World, server: Server) -> None:
    wanted = {"messages": scene.messages}
    await scene.rest.post(f"{scene.channel_path}/messages/bulk-delete", wanted)


async def delete_role(scene: Scene, world: World, server: Server) -> None:
    await scene.rest.delete(f"{scene.path}/roles/{scene.role}")


async def delete_channel(scene: Scene, world: World, server: Server) -> None:
    await scene.rest.delete(scene.channel_path)


async def delete_guild(scene: Scene, world: World, server: Server) -> None:
    await scene.rest.delete(scene.path)


async def delete_account(scene: Scene, world: World, server: Server) -> None:
    await scene.author.rest.post("/users/@me/delete", {"password": PASSWORD})


async def leave(scene: Scene, world: World, server: Server) -> None:
    await scene.author.rest.delete(f"/users/@me/guilds/{scene.guild.id}")


async def kick(scene: Scene, world: World, server: Server) -> None:
    await scene.rest.delete(f"{scene.path}/members/{scene.author.id}")


async def delete_command(scene: Scene, world: World, server: Server) -> None:
    await scene.commands.rest.delete(f"{scene.commands.path}/{scene.command}")


async def rename_command(scene: Scene, world: World, server: Server) -> None:
    await scene.commands.rest.patch(f"{scene.commands.path}/{scene.command}", {"name": "other"})


async def overwrite_commands(scene: Scene, world: World, server: Server) -> None:
    await scene.commands.rest.put(scene.commands.path, [])


async def delete_application(scene: Scene, world: World, server: Server) -> None:
    """Delete an application that is in a few guilds, with many commands in each."""
    await rows(
        server,
        """
        INSERT INTO streams (id) SELECT n FROM generate_series(%(first)s, %(first)s + 9) AS n;
        INSERT INTO guild_integrations (guild_id, application_id, bot)
        SELECT n, %(bot)s, false FROM generate_series(%(first)s, %(first)s + 9) AS n;
        INSERT INTO application_commands (id, application_id, guild_id, type, version, name,
                                          description, options, nsfw, integration_types)
        SELECT %(first)s + 10000 + n, %(bot)s, %(first)s + n %% 10, 1, 1, 'command' || n, '', '[]',
               false, '{0}'
          FROM generate_series(1, %(many)s) AS n
        """,
        bot=int(scene.commands.bot.id),
        first=scene.first,
        many=MANY,
    )
    await scene.guild.owner.rest.delete(f"/applications/{scene.commands.bot.id}")


Act = Callable[[Scene, World, Server], Awaitable[None]]

OF_COMMAND = {
    "application_command_permissions": "application_id = %(bot)s AND guild_id >= %(first)s"
}
OF_COMMANDS = (
    "application_commands",
    "application_command_scopes",
    "application_command_permissions",
)

ACTS: dict[Act, dict[str, str]] = {
    # The rows that are deleted in the end, as a condition on each table.
    ban: {"messages": "channel_id = %(channel)s AND author_id = %(author)s"},
    bulk_ban: {
        "guild_members": "guild_id = %(guild)s AND user_id BETWEEN %(first)s AND %(first)s + 199"
    },
    prune: {"guild_members": "guild_id = %(guild)s AND user_id BETWEEN %(first)s AND %(last)s"},
    clear: {"reactions": "message_id = %(message)s"},
    clear_emoji: {"reactions": "message_id = %(message)s"},
    delete_message: {"reactions": "message_id = %(message)s"},
    bulk_delete: {"reactions": "channel_id = %(channel)s"},
    delete_role: {"member_roles": "role_id = %(role)s"},
    delete_channel: {
        "read_states": "channel_id = %(channel)s",
        "messages": "channel_id = %(channel)s",
        "reactions": "channel_id = %(channel)s",
    },
    delete_guild: {
        "guild_members": "guild_id = %(guild)s",
        "member_roles": "guild_id = %(guild)s",
        "bans": "guild_id = %(guild)s",
        "audit_logs": "guild_id = %(guild)s",
        "read_states": "channel_id = %(channel)s",
        "messages": "channel_id = %(channel)s",
        "reactions": "channel_id = %(channel)s",
        **dict.fromkeys(OF_COMMANDS, "guild_id = %(guild)s"),
    },
    delete_command: OF_COMMAND,
    rename_command: OF_COMMAND,
    overwrite_commands: OF_COMMAND,
    delete_application: dict.fromkeys(OF_COMMANDS, "application_id = %(bot)s"),
    delete_account: {"read_states": "user_id = %(author)s"},
    leave: {"guild_members": "guild_id = %(guild)s AND user_id = %(author)s"},
    kick: {"guild_members": "guild_id = %(guild)s AND user_id = %(author)s"},
}


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
async def test_transaction_changes_a_bounded_number_of_rows(
    world: World, server: Server, scene: Scene, changes: RowChanges, act: Act
) -> None:
    guild = scene.guild
    key = {
        "guild": int(guild.id),
        "channel": int(guild.general.id),
        "author": int(scene.author.id),
        "role": int(scene.role),
        "message": int(scene.messages[0]),
        "bot": int(scene.commands.bot.id),
        "first": scene.first,
        "last": scene.first + MANY - 1,
    }
    await act(scene, world, server)
    dependencies = server.runner.app[DEPENDENCIES]
    async with asyncio.timeout(60):
        for table, condition in ACTS[act].items():
            while await rows(server, f"SELECT FROM {table} WHERE {condition} LIMIT 1", **key):
                if not await pending_deletions.run_next(dependencies):
                    await janitor.delete_orphaned_messages(dependencies.database)
                    await asyncio.sleep(0.01)
    assert changes.most <= MOST, (changes.most, changes.by)


async def test_janitor_deletes_in_batches(
    world: World, server: Server, scene: Scene, changes: RowChanges
) -> None:
    """The janitor deletes many expired rows of each kind, and keeps one that has not expired."""
    await rows(
        server,
        """
        INSERT INTO invites (code, guild_id, channel_id, inviter_id, max_age, max_uses, uses,
                             expires_at)
        SELECT 'x' || n || %(guild)s, %(guild)s, %(channel)s, %(author)s, 1, 0, 0,
               CASE WHEN n > 0 THEN now() - interval '1 hour' END
          FROM generate_series(0, %(many)s) AS n;
        INSERT INTO registration_invitations (code, max_uses, expires_at)
        SELECT 'x' || n || %(guild)s, 0, CASE WHEN n > 0 THEN now() - interval '2 days' END
          FROM generate_series(0, %(many)s) AS n;
        INSERT INTO logins (id, user_id) SELECT %(first)s + n, %(author)s
          FROM generate_series(0, %(many)s) AS n;
        INSERT INTO refresh_tokens (token_hash, login_id, expires_at)
        SELECT sha256(convert_to(%(guild)s || ' ' || n || ' ' || age, 'UTF8')), %(first)s + n,
               now() - CASE WHEN n = 0 AND age = 0 THEN '-9 days'::interval
                            ELSE (age + 2) * interval '1 day' END
          FROM generate_series(0, %(many)s) AS n, generate_series(0, 1) AS age;
        INSERT INTO nonces (channel_id, author_id, nonce, message_id)
        SELECT %(channel)s, %(author)s, n, CASE WHEN n = 0 THEN %(future)s ELSE n END
          FROM generate_series(0, %(many)s) AS n;
        INSERT INTO slow_modes (channel_id, user_id, message_id, gap)
        SELECT %(channel)s, n, CASE WHEN n = 0 THEN %(future)s ELSE n END, 0
          FROM generate_series(0, %(many)s) AS n;
        INSERT INTO uploads (id, created_at)
        SELECT %(first)s + n, now() - CASE WHEN n > 0 THEN interval '2 days' ELSE '0' END
          FROM generate_series(0, %(many)s) AS n;
        """,
        guild=int(scene.guild.id),
        channel=int(scene.guild.general.id),
        author=int(scene.author.id),
        first=scene.first,
        many=MANY,
        future=2**62,
    )
    database = server.runner.app[DEPENDENCIES].database
    for expired in janitor.EXPIRED:
        await janitor.delete_expired(database, expired)
    key = {
        "invites": f"code LIKE 'x%%{scene.guild.id}'",
        "registration_invitations": f"code LIKE 'x%%{scene.guild.id}'",
        "logins": f"id BETWEEN {scene.first} AND {scene.first + MANY}",
        "refresh_tokens": f"login_id BETWEEN {scene.first} AND {scene.first + MANY}",
        "nonces": f"channel_id = {scene.guild.general.id}",
        "slow_modes": f"channel_id = {scene.guild.general.id}",
        "uploads": f"id BETWEEN {scene.first} AND {scene.first + MANY}",
    }
    for table, condition in key.items():
        found = await rows(server, f"SELECT count(*) FROM {table} WHERE {condition}", x=1)
        assert found == [(1,)], table
    # Other tests on this server expect no pending uploads.
    await rows(server, f"DELETE FROM uploads WHERE {key['uploads']} RETURNING id", x=1)
    assert changes.most <= MOST, (changes.most, changes.by)


WALKED = {
    "PUT /guilds/{guild_id}/bans/{user_id}": ban,
    "POST /guilds/{guild_id}/bulk-ban": bulk_ban,
    "POST /guilds/{guild_id}/prune": prune,
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions": clear,
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}": clear_emoji,
    "DELETE /channels/{channel_id}/messages/{message_id}": delete_message,
    # These run the same statement.
    "DELETE /webhooks/{webhook_id}/{webhook_token}/messages/@original": delete_message,
    "DELETE /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}": delete_message,
    "POST /channels/{channel_id}/messages/bulk-delete": bulk_delete,
    "DELETE /guilds/{guild_id}/roles/{role_id}": delete_role,
    "DELETE /channels/{channel_id}": delete_channel,
    "DELETE /guilds/{guild_id}": delete_guild,
    "DELETE /administration/accounts/{user_id}": delete_account,
    "DELETE /users/@me": delete_account,
    "POST /users/@me/delete": delete_account,
    "DELETE /applications/{application_id}": delete_application,
    "POST /applications/{application_id}/delete": delete_application,
    "DELETE /applications/{application_id}/commands/{command_id}": delete_command,
    "PATCH /applications/{application_id}/commands/{command_id}": rename_command,
    "PUT /applications/{application_id}/commands": overwrite_commands,
    "DELETE /users/@me/guilds/{guild_id}": leave,
    "DELETE /guilds/{guild_id}/members/{user_id}": kick,
}
"""Routes that delete more than one row, and the case that covers each."""

ONE_ROW = {
    "DELETE /applications/{application_id}/guilds/{guild_id}/commands/{command_id}",
    "DELETE /attachments/{uploaded_filename}",
    "DELETE /auth/invitations/{code}",
    "DELETE /auth/sessions/{id_hash}",
    "DELETE /channels/{channel_id}/messages/pins/{message_id}",
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me",
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user_id}",
    "DELETE /channels/{channel_id}/permissions/{target_id}",
    "DELETE /channels/{channel_id}/pins/{message_id}",
    "DELETE /channels/{channel_id}/recipients/{user_id}",
    "DELETE /guilds/{guild_id}/auto-moderation/rules/{rule_id}",
    "DELETE /guilds/{guild_id}/bans/{user_id}",
    "DELETE /guilds/{guild_id}/integrations/{integration_id}",
    "DELETE /guilds/{guild_id}/members/{user_id}/roles/{role_id}",
    "DELETE /invites/{code}",
    "DELETE /oauth2/tokens/{token_id}",
    "DELETE /users/@me/mentions/{message_id}",
    "DELETE /users/@me/mfa/webauthn/credentials/{passkey_id}",
    "DELETE /users/@me/oidc/{provider}",
    "DELETE /users/@me/relationships/{user_id}",
    "DELETE /webhooks/{webhook_id}",
    "DELETE /webhooks/{webhook_id}/{webhook_token}",
}
"""Routes that delete a row by its key, with a limited number of rows that refer to it."""


def test_every_delete_route_has_a_case() -> None:
    deleting = {
        f"{route.method} {route.path}" for route in route_table() if route.method == "DELETE"
    }
    assert deleting <= WALKED.keys() | ONE_ROW
    assert {*WALKED.values()} == ACTS.keys()
