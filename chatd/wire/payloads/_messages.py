"""Payloads of messages, with their reactions, files and embeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import count
from typing import Any

from orjson import Fragment

from chatd.core import snowflake
from chatd.core.components import IS_COMPONENTS_V2, Medium, Path, mapped, with_media
from chatd.core.ids import UserId
from chatd.core.interactions import EPHEMERAL, InteractionOrigin
from chatd.core.json import JsonObject
from chatd.core.models import (
    Attachment,
    Component,
    Embed,
    Message,
    MessageOrigin,
    MessageSource,
    MessageType,
    Reaction,
    User,
)
from chatd.wire.payloads._encoding import encode, id_or_none, timestamp
from chatd.wire.payloads._users import user

SUPPRESS_EMBEDS = 1 << 2
"""The flag of a message that hides its embeds."""


EMBEDDED_FILE = "attachment://"
"""The scheme of an embed URL that names a file of the message."""


EMBEDDED = {"image": "url", "thumbnail": "url", "author": "icon_url", "footer": "icon_url"}
"""The parts of an embed that can show a file of the message, with the key of the URL."""


_WEBHOOK_DISCRIMINATOR = "0000"
"""Clients recognize the messages of webhooks by it: accounts have "0"."""


def emoji(emoji: str) -> JsonObject:
    """A Unicode emoji, as reactions carry it."""
    return {"id": None, "name": emoji, "animated": False}


def reaction(reaction: Reaction) -> JsonObject:
    """MessageReactionResponse."""
    return {
        "emoji": emoji(reaction.emoji),
        "count": reaction.count,
        "count_details": {"burst": 0, "normal": reaction.count},
        "burst_colors": [],
        "me": reaction.me,
        "me_burst": False,
    }


def attachment(file: Attachment, *, is_ephemeral: bool = False) -> JsonObject:
    """MessageAttachmentResponse. An ephemeral file is deleted after a day."""
    payload: JsonObject = {
        "id": str(file.id),
        "filename": file.filename,
        "size": file.size,
        "url": file.url,
        "proxy_url": file.url,
        "content_type": file.content_type,
    }
    if file.width is not None:
        payload |= {"width": file.width, "height": file.height}
    if file.description is not None:
        payload["description"] = file.description
    if is_ephemeral:
        payload["ephemeral"] = True
    return payload


def message_to_encode(found: Message) -> JsonObject:
    """A message for encoding. Pages usually have few authors, so each account is encoded once."""
    if found.origin is not None:  # each message of a webhook has a name and picture of its own
        return message(found)
    return _message(found, Fragment(encoded_user(found.author)))


def message(message: Message) -> JsonObject:
    """MessageResponse. A reply contains the message that it replies to; null if that is deleted."""
    author = user(message.author)
    if message.origin is not None and message.origin.author is not None:
        author["discriminator"] = _WEBHOOK_DISCRIMINATOR
    return _message(message, author)


def encoded_message(message: Message, nonce: str | int | None) -> bytes:
    """A message of an account with its nonce, as its author receives it, encoded.

    The bytes are those of `message`. The author, which sends many messages, is encoded once.
    """
    payload = _message(message, Fragment(encoded_user(message.author)))
    if nonce is not None:
        payload["nonce"] = nonce
    return encode(payload)


@lru_cache(1024)
def encoded_user(author: User) -> bytes:
    """The author of messages, encoded."""
    return encode(user(author))


def _message(message: Message, author: JsonObject | Fragment) -> JsonObject:
    payload: JsonObject = {
        "id": str(message.id),
        "channel_id": str(message.channel_id),
        "author": author,
        "content": message.content,
        "timestamp": snowflake.created_at_text(message.id),
        "edited_timestamp": timestamp(message.edited_at) if message.edited_at else None,
        "tts": message.tts,
        "mention_everyone": message.mention_everyone,
        "mentions": list(map(user, message.mentions)),
        "mention_roles": list(map(str, message.mention_roles)),
        "attachments": _attachments(message) if message.attachments else [],
        "embeds": _embeds(message) if message.embeds else [],
        "pinned": message.pinned,
        "type": message.type,
        "flags": message.flags,
        "components": _components(message) if message.components else [],
    }
    if message.origin is not None:
        payload |= _origin_fields(message, message.origin)
    if message.reactions:
        payload["reactions"] = [reaction(each) for each in message.reactions]
    if message.reference_id is not None:
        payload["message_reference"] = _message_reference(message)
    if message.type == MessageType.REPLY:
        payload["referenced_message"] = (
            None if message.reference is None else _referenced(message.reference)
        )
    return payload


def _attachments(message: Message) -> list[JsonObject]:
    is_ephemeral = bool(message.flags & EPHEMERAL)
    return [attachment(each, is_ephemeral=is_ephemeral) for each in message.attachments]


def _origin(origin: MessageOrigin, users: Iterable[User]) -> JsonObject:
    payload: JsonObject = {"webhook_id": str(origin.webhook_id)}
    if origin.application_id is not None:
        payload["application_id"] = str(origin.application_id)
    if origin.interaction is not None:
        by_id = {each.id: user(each) for each in users}
        payload["interaction_metadata"] = _interaction(origin.interaction, by_id)
        if origin.interaction.name is not None:  # deprecated; older libraries read it
            payload["interaction"] = _without_none(
                id=str(origin.interaction.id),
                type=origin.interaction.type,
                name=origin.interaction.name,
                user=by_id.get(origin.interaction.user_id),
            )
    return payload


def _interaction(interaction: InteractionOrigin, users: Mapping[UserId, JsonObject]) -> JsonObject:
    """MessageInteractionMetadataResponse."""
    triggering, target = interaction.triggering, interaction.target_user_id
    return _without_none(
        id=str(interaction.id),
        type=interaction.type,
        user=users.get(interaction.user_id),
        authorizing_integration_owners=integration_owners(interaction),
        name=interaction.name,
        command_type=interaction.command_type,
        original_response_message_id=id_or_none(interaction.original_response_id),
        interacted_message_id=id_or_none(interaction.interacted_message_id),
        target_user=None if target is None else users.get(target),
        target_message_id=id_or_none(interaction.target_message_id),
        triggering_interaction_metadata=(
            None if triggering is None else _interaction(triggering, users)
        ),
    )


def integration_owners(interaction: InteractionOrigin) -> JsonObject:
    """For which guild or user the application was installed: "0" in private channels.

    Rule: Discord docs, "Authorizing Integration Owners Object".
    """
    if interaction.of_user:
        return {"1": str(interaction.user_id)}
    return {"0": str(interaction.guild_id or 0)}


def _without_none(**fields: Any) -> JsonObject:
    return {name: value for name, value in fields.items() if value is not None}


def _embeds(message: Message) -> list[Any]:
    """The embeds, unless they are suppressed, with links to the files that they name."""
    if message.flags & SUPPRESS_EMBEDS:
        return []
    files = {EMBEDDED_FILE + file.filename: file for file in reversed(message.attachments)}
    return [_with_links(embed, files) for embed in message.embeds]


def _with_link(part: JsonObject, key: str, file: Attachment | None) -> JsonObject:
    """Return a part of an embed with the link to its file under `key`; without a file, no link.

    An image without its URL is nothing, and so is left out.
    """
    if file is None:
        return {} if key == "url" else {name: each for name, each in part.items() if name != key}
    linked = {**part, key: file.url, f"proxy_{key}": file.url}
    if key == "url" and file.width is not None:
        linked |= {"width": file.width, "height": file.height}
    return linked


def _origin_fields(message: Message, origin: MessageOrigin) -> JsonObject:
    """Return the fields of a message that a webhook, an interaction or a crosspost has made."""
    fields: JsonObject = {}
    if message.type != MessageType.CHANNEL_FOLLOW_ADD:
        fields = _origin(origin, message.origin_users)
    if origin.source is not None:
        fields["message_reference"] = _source(origin.source)
    return fields


def _with_links(embed: Embed, files: Mapping[str, Attachment]) -> Embed:
    """An embed with links to the files that it names, and without files that are deleted."""
    linked: JsonObject = {}
    for part, key in EMBEDDED.items():
        url = embed.get(part, {}).get(key, "")
        if url.startswith(EMBEDDED_FILE):
            linked[part] = _with_link(embed[part], key, files.get(url))
    if not linked:
        return embed
    return {name: each for name, each in {**embed, **linked}.items() if each != {}}


def _components(message: Message) -> list[Component]:
    """The components, with links to the files that they show. Only those of version 2 show any."""
    if not message.flags & IS_COMPONENTS_V2:
        return list(message.components)
    files = {EMBEDDED_FILE + file.filename: file for file in reversed(message.attachments)}
    ids = count(message.id + 1)  # of media of other sites; clients expect ids without using them

    def linked(path: Path, component: Component) -> Component:
        return with_media(component, path, lambda _, medium: _medium(medium, files, ids))

    return mapped(message.components, linked)


def _medium(medium: Medium, files: Mapping[str, Attachment], ids: Iterator[int]) -> JsonObject:
    """UnfurledMediaResponse. Of what other sites show, only the address is known."""
    url = medium["url"]
    file = files.get(url)
    payload: JsonObject = {
        "id": str(next(ids)),
        "url": url,
        "proxy_url": url,
        "width": None,
        "height": None,
        "content_type": None,
    }
    if file is None:
        return payload
    return payload | {
        "id": str(file.id),
        "url": file.url,
        "proxy_url": file.url,
        "width": file.width,
        "height": file.height,
        "content_type": file.content_type,
        "attachment_id": str(file.id),
    }


def _message_reference(message: Message) -> JsonObject:
    reference = {
        "type": 0,
        "channel_id": str(message.channel_id),
        "message_id": str(message.reference_id),
    }
    if message.guild_id is not None:
        reference["guild_id"] = str(message.guild_id)
    return reference


def _source(source: MessageSource) -> JsonObject:
    """The message that another one is a copy of, or the channel that its channel now follows."""
    reference: JsonObject = {
        "type": 0,
        "channel_id": str(source.channel_id),
        "guild_id": str(source.guild_id),
    }
    if source.message_id is not None:
        reference["message_id"] = str(source.message_id)
    return reference


def _referenced(answered: Message) -> JsonObject:
    """The message that another replies to, without the message that it replies to itself."""
    payload = message(answered)
    payload.pop("referenced_message", None)
    return payload


def search_hit(found: Message) -> list[JsonObject]:
    """One hit in a GuildSearchResponse, for encoding."""
    return [{**message_to_encode(found), "hit": True}]


def search_results(hits: Fragment, total: int, *, timed_out: bool) -> JsonObject:
    """GuildSearchResponse. `hits` is an encoded array; `timed_out` means that it may lack some."""
    return {
        "messages": hits,
        "total_results": total,
        "doing_deep_historical_index": timed_out,
        "threads": [],
        "members": [],
    }
