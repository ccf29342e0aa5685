"""The operations on channels, and the permissions that each needs in the channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chatd.core.permissions import Permissions
from chatd.core.permissions import Permissions as P

NOTHING = Permissions(0)
READING = P.VIEW_CHANNEL | P.READ_MESSAGE_HISTORY

Body = Callable[[dict[str, str]], Any]


@dataclass(frozen=True)
class Act:
    """A request on a channel, and the permissions that it needs in that channel."""

    route: str
    needs: P
    body: Body | None = None
    where: str = "channel_id"
    """The channel of the scene that it acts on."""
    in_guild: P = NOTHING
    """Further permissions that it needs in the guild."""
    query: str = ""


MESSAGE = "/channels/{channel_id}/messages/{message_id}"
REACTIONS = MESSAGE + "/reactions"

ACTS = {
    "read a channel": Act("GET /channels/{channel_id}", P.VIEW_CHANNEL),
    "change a channel": Act(
        "PATCH /channels/{channel_id}", P.MANAGE_CHANNELS, lambda _: {"topic": "theirs"}
    ),
    "change the overwrites of a channel": Act(
        "PATCH /channels/{channel_id}",
        P.MANAGE_CHANNELS | P.MANAGE_ROLES,
        lambda _: {"permission_overwrites": []},
    ),
    "move a channel to a category": Act(
        "PATCH /channels/{channel_id}",
        P.MANAGE_CHANNELS,
        lambda names: {"parent_id": names["category_id"]},
        where="category_id",
    ),
    "delete a channel": Act("DELETE /channels/{channel_id}", P.MANAGE_CHANNELS),
    "set an overwrite": Act(
        "PUT /channels/{channel_id}/permissions/{target_id}",
        P.MANAGE_ROLES,
        lambda _: {"type": 0, "deny": str(int(P.VIEW_CHANNEL))},
    ),
    "delete an overwrite": Act(
        "DELETE /channels/{channel_id}/permissions/{target_id}", P.MANAGE_ROLES
    ),
    "create under a category": Act(
        "POST /guilds/{guild_id}/channels",
        P.MANAGE_CHANNELS,
        lambda names: {"name": "theirs", "parent_id": names["category_id"]},
        where="category_id",
    ),
    "reorder a channel": Act(
        "PATCH /guilds/{guild_id}/channels",
        P.MANAGE_CHANNELS,
        lambda names: [{"id": names["channel_id"], "position": 7}],
    ),
    "reorder a channel into a category": Act(
        "PATCH /guilds/{guild_id}/channels",
        P.MANAGE_CHANNELS,
        lambda names: [{"id": names["channel_id"], "parent_id": names["category_id"]}],
        where="category_id",
    ),
    "take over the overwrites of a category": Act(
        "PATCH /guilds/{guild_id}/channels",
        P.MANAGE_CHANNELS | P.MANAGE_ROLES,
        lambda names: [
            {
                "id": names["channel_id"],
                "parent_id": names["category_id"],
                "lock_permissions": True,
            }
        ],
    ),
    "name the system channel": Act(
        "PATCH /guilds/{guild_id}",
        P.VIEW_CHANNEL,
        lambda names: {"system_channel_id": names["channel_id"]},
        in_guild=P.MANAGE_GUILD,
    ),
    "send a message": Act(
        "POST /channels/{channel_id}/messages", P.SEND_MESSAGES, lambda _: {"content": "x"}
    ),
    "send an embed": Act(
        "POST /channels/{channel_id}/messages",
        P.SEND_MESSAGES | P.EMBED_LINKS,
        lambda _: {"embeds": [{"title": "x"}]},
    ),
    "answer a message": Act(
        "POST /channels/{channel_id}/messages",
        P.SEND_MESSAGES | P.READ_MESSAGE_HISTORY,
        lambda names: {
            "content": "x",
            "message_reference": {"message_id": names["message_id"]},
        },
    ),
    "read messages": Act("GET /channels/{channel_id}/messages", P.VIEW_CHANNEL),
    "delete many messages": Act(
        "POST /channels/{channel_id}/messages/bulk-delete",
        P.MANAGE_MESSAGES,
        lambda names: {"messages": [names["message_id"], names["other_message_id"]]},
    ),
    "type": Act("POST /channels/{channel_id}/typing", P.SEND_MESSAGES),
    "read a message": Act(f"GET {MESSAGE}", P.READ_MESSAGE_HISTORY),
    "change the flags of a message": Act(
        f"PATCH {MESSAGE}", P.MANAGE_MESSAGES | P.READ_MESSAGE_HISTORY, lambda _: {"flags": 4}
    ),
    "delete a message": Act(f"DELETE {MESSAGE}", P.MANAGE_MESSAGES),
    "search a channel": Act(
        "GET /channels/{channel_id}/messages/search",
        P.READ_MESSAGE_HISTORY,
        query="?content=x",
    ),
    "acknowledge a message": Act(f"POST {MESSAGE}/ack", P.VIEW_CHANNEL, lambda _: {}),
    "read pins": Act("GET /channels/{channel_id}/messages/pins", P.VIEW_CHANNEL),
    "read all pins": Act("GET /channels/{channel_id}/pins", P.VIEW_CHANNEL),
    "pin": Act("PUT /channels/{channel_id}/messages/pins/{message_id}", P.PIN_MESSAGES),
    "pin by the old path": Act("PUT /channels/{channel_id}/pins/{message_id}", P.PIN_MESSAGES),
    "unpin": Act("DELETE /channels/{channel_id}/messages/pins/{message_id}", P.PIN_MESSAGES),
    "unpin by the old path": Act("DELETE /channels/{channel_id}/pins/{message_id}", P.PIN_MESSAGES),
    "react": Act(f"PUT {REACTIONS}/{{emoji}}/@me", P.ADD_REACTIONS | P.READ_MESSAGE_HISTORY),
    "take back a reaction": Act(f"DELETE {REACTIONS}/{{emoji}}/@me", P.VIEW_CHANNEL),
    "remove the reaction of another": Act(
        f"DELETE {REACTIONS}/{{emoji}}/{{user_id}}", P.MANAGE_MESSAGES
    ),
    "read reactions": Act(f"GET {REACTIONS}/{{emoji}}", P.READ_MESSAGE_HISTORY),
    "remove the reactions with an emoji": Act(f"DELETE {REACTIONS}/{{emoji}}", P.MANAGE_MESSAGES),
    "remove all reactions": Act(f"DELETE {REACTIONS}", P.MANAGE_MESSAGES),
    "invite": Act("POST /channels/{channel_id}/invites", P.CREATE_INSTANT_INVITE, lambda _: {}),
    "read the invites of a channel": Act("GET /channels/{channel_id}/invites", P.MANAGE_CHANNELS),
    "create a webhook": Act(
        "POST /channels/{channel_id}/webhooks", P.MANAGE_WEBHOOKS, lambda _: {"name": "theirs"}
    ),
    "read the webhooks of a channel": Act("GET /channels/{channel_id}/webhooks", P.MANAGE_WEBHOOKS),
    "follow a channel": Act(
        "POST /channels/{channel_id}/followers",
        P.MANAGE_WEBHOOKS,
        lambda names: {"webhook_channel_id": names["follower_id"]},
        where="follower_id",
    ),
    "publish a message": Act(
        f"POST {MESSAGE}/crosspost", P.SEND_MESSAGES | P.MANAGE_MESSAGES | P.READ_MESSAGE_HISTORY
    ),
    "reserve an upload": Act(
        "POST /channels/{channel_id}/attachments",
        P.SEND_MESSAGES | P.ATTACH_FILES,
        lambda _: {"files": [{"filename": "x", "file_size": 1}]},
    ),
    "read the command index": Act(
        "GET /channels/{channel_id}/application-command-index", P.VIEW_CHANNEL
    ),
    "search commands": Act(
        "GET /channels/{channel_id}/application-commands/search", P.VIEW_CHANNEL, query="?query=a"
    ),
    "delete an invite": Act("DELETE /invites/{code}", P.MANAGE_CHANNELS),
}
