"""The use of components: of messages that everyone in the channel sees, and of ephemeral ones."""

from __future__ import annotations

from dataclasses import replace

from chatd.core.components import SELECTS, ComponentType, find_component
from chatd.core.errors import InvalidForm, UnknownMessage
from chatd.core.interactions import EPHEMERAL
from chatd.core.json import JsonObject
from chatd.core.models import Component, Message
from chatd.queries import ephemeral_messages, history
from chatd.queries.history import Viewer
from chatd.services.interactions.invoker import Invocation, Invoker
from chatd.services.interactions.resolved import Named, resolve
from chatd.wire import payloads
from chatd.wire.schemas.components import validate_values


async def read_component(invoker: Invoker) -> Invocation:
    """Read the use of a component of a message of the application.

    Raises UnknownMessage, InvalidForm.
    """
    message, is_ephemeral = await load_message(invoker)
    component = _component(message, invoker)
    data: JsonObject = {
        "id": component["id"],
        "custom_id": component["custom_id"],
        "component_type": component["type"],
    }
    if component["type"] in SELECTS:
        values = validate_values(component, invoker.wanted.data.get("values"))
        named = Named()
        named.add_values(component, values)
        found = payloads.resolved(await resolve(invoker.work.cur, invoker.granted, named))
        data |= {"values": values, **({"resolved": found} if found else {})}
    origin = replace(invoker.origin(), interacted_message_id=message.id)
    return Invocation(origin, data, message, is_ephemeral)


async def load_message(invoker: Invoker) -> tuple[Message, bool]:
    """Return the message with the component, and whether it is ephemeral.

    Raises UnknownMessage.
    """
    wanted, user_id = invoker.wanted, invoker.ctx.user.id
    if wanted.message_id is None:
        raise UnknownMessage
    # As the application sees the message, because it receives the message.
    viewer = Viewer(invoker.application.bot.id, invoker.ctx.dependencies.signed_urls)
    cur, is_ephemeral = invoker.work.cur, bool(wanted.message_flags & EPHEMERAL)
    if is_ephemeral:
        found = await ephemeral_messages.get(cur, viewer, user_id, wanted.message_id)
    else:
        found = await history.get(cur, viewer, wanted.channel_id, wanted.message_id)
    if found is None or found.channel_id != wanted.channel_id:
        raise UnknownMessage
    return found, is_ephemeral


def _component(message: Message, invoker: Invoker) -> Component:
    """Return the component that is used. Raises InvalidForm if there is no such component."""
    data = invoker.wanted.data
    custom_id, kind = data.get("custom_id"), data.get("component_type", data.get("type"))
    if message.author.id != invoker.application.bot.id or not isinstance(custom_id, str):
        raise invalid_component()
    found = find_component(message.components, custom_id)
    if found is None or found["type"] != kind or found.get("disabled", False):
        raise invalid_component()
    if found["type"] not in (ComponentType.BUTTON, *SELECTS):
        raise invalid_component()
    return found


def invalid_component() -> InvalidForm:
    """Return the error for a component that the application has not sent."""
    text = (
        "The message has no enabled button or select of this application with this `custom_id` and"
        " `component_type`."
    )
    error = {"code": "COMPONENT_VALIDATION_FAILED", "message": text}
    return InvalidForm({"data": {"_errors": [error]}})
