"""The use of application commands, and the completion of their options."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from chatd.core.commands import Command, CommandType, Option, OptionType
from chatd.core.errors import InvalidForm, UnknownMessage, UnknownUser
from chatd.core.ids import ChannelId, CommandId, MessageId, RoleId, UserId, parse_id
from chatd.core.interactions import InteractionType
from chatd.core.json import JsonObject
from chatd.core.models import Attachment
from chatd.core.permissions import Permissions
from chatd.queries import history
from chatd.queries.history import Viewer
from chatd.services.commands.invocation import find_for_invocation
from chatd.services.interactions.files import keep, sent_files
from chatd.services.interactions.invoker import Invocation, Invoker
from chatd.services.interactions.resolved import Named, resolve
from chatd.wire import command_options, payloads
from chatd.wire.fields import whole
from chatd.wire.payloads import Resolved

_T = OptionType


async def read_command(invoker: Invoker) -> Invocation:
    """Read the use of a command, or the completion of one of its options.

    Raises UnknownCommand, MissingPermissions, InvalidForm, UnknownUser, UnknownMessage.
    """
    data = invoker.wanted.data
    version = data.get("version")
    found = await find_for_invocation(
        invoker.work.cur,
        invoker.granted,
        invoker.ctx.user.id,
        invoker.application.bot.id,
        CommandId(_id(data, "id")),
        version=None if version is None else _id(data, "version"),
    )
    command = found.command
    read: JsonObject = {"id": str(command.id), "name": command.name, "type": command.type}
    if command.guild_id is not None:
        read["guild_id"] = str(command.guild_id)
    if command.type == CommandType.CHAT_INPUT:
        return await _chat_input(invoker, command, read)
    if invoker.wanted.type == InteractionType.AUTOCOMPLETE:
        raise InvalidForm.of("type", "BASE_TYPE_CHOICES", "This command has no options.")
    return await _context_menu(invoker, command, read)


async def _chat_input(invoker: Invoker, command: Command, read: JsonObject) -> Invocation:
    is_autocomplete = invoker.wanted.type == InteractionType.AUTOCOMPLETE
    files = sent_files(invoker)
    options = command_options.validate(
        command,
        invoker.wanted.data.get("options"),
        filenames=files.filenames(),
        autocomplete=is_autocomplete,
    )
    if options:
        read["options"] = options
    if not is_autocomplete:
        found = await _resolved(invoker, command, options)
        used: list[Attachment] = []
        for option, value in _values(command.options.parsed, options):
            if option["type"] == _T.ATTACHMENT:
                used.append(files.get(value["value"]))
                value["value"] = str(used[-1].id)
        await keep(invoker, used)
        if shown := payloads.resolved(replace(found, attachments=used)):
            read["resolved"] = shown
    name = " ".join([command.name, *_subcommands(options)])
    origin = replace(invoker.origin(), name=name, command_type=int(command.type))
    return Invocation(origin, read)


async def _resolved(invoker: Invoker, command: Command, options: Sequence[JsonObject]) -> Resolved:
    """Return the objects that the options name. Raises InvalidForm."""
    named = Named()
    for option, value in _values(command.options.parsed, options):
        match option["type"]:
            case _T.USER:
                named.users.add(UserId(int(value["value"])))
            case _T.ROLE:
                named.roles.add(RoleId(int(value["value"])))
            case _T.CHANNEL:
                named.channels.add(ChannelId(int(value["value"])))
                if kinds := option.get("channel_types"):
                    named.channel_types[ChannelId(int(value["value"]))] = kinds
            case _T.MENTIONABLE:
                named.users_or_roles.add(int(value["value"]))
            case _:
                pass
    return await resolve(invoker.work.cur, invoker.granted, named)


def _values(
    defined: Sequence[Option], given: Sequence[JsonObject]
) -> Iterator[tuple[Option, JsonObject]]:
    """Yield each option that has a value, with its definition, also those of subcommands."""
    by_name = {option["name"]: option for option in defined}
    for each in given:
        option = by_name[each["name"]]
        if "options" in each:
            yield from _values(option.get("options", ()), each["options"])
        elif "value" in each:
            yield option, each


def _subcommands(options: Sequence[JsonObject]) -> Iterator[str]:
    """Yield the names of the group and the subcommand that are used."""
    for each in options:
        if "options" in each:
            yield each["name"]
            yield from _subcommands(each["options"])


async def _context_menu(invoker: Invoker, command: Command, read: JsonObject) -> Invocation:
    """Read the use of a command on a user or a message. Raises UnknownUser, UnknownMessage."""
    target = _id(invoker.wanted.data, "target_id")
    origin = replace(invoker.origin(), name=command.name, command_type=int(command.type))
    if command.type == CommandType.USER:
        named = Named(users={UserId(target)})
        try:
            found = await resolve(invoker.work.cur, invoker.granted, named)
        except InvalidForm:
            raise UnknownUser from None
        origin = replace(origin, target_user_id=UserId(target))
    else:
        invoker.granted.require(Permissions.READ_MESSAGE_HISTORY)
        viewer = Viewer(invoker.application.bot.id, invoker.ctx.dependencies.signed_urls)
        channel_id = invoker.granted.channel.id
        message = await history.get(invoker.work.cur, viewer, channel_id, MessageId(target))
        if message is None:
            raise UnknownMessage
        found = Resolved(messages=[message])
        origin = replace(origin, target_message_id=message.id)
    read |= {"target_id": str(target), "resolved": payloads.resolved(found)}
    return Invocation(origin, read)


def _id(data: Any, name: str) -> int:
    """Return an id of the data. Raises InvalidForm."""
    value = data.get(name)
    number = whole(value)
    if number is not None:
        value = str(number)
    if isinstance(value, str) and len(value) < 20:
        try:
            return parse_id(value)
        except ValueError:
            pass
    text = "Value is not snowflake." if value is not None else "This field is required"
    code = "NUMBER_TYPE_COERCE" if value is not None else "BASE_TYPE_REQUIRED"
    raise InvalidForm({"data": {name: {"_errors": [{"code": code, "message": text}]}}})
