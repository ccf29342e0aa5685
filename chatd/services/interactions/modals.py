"""Modals: forms with which applications respond, and that people submit as new interactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatd.core import interactions as rules
from chatd.core.components import SELECTS, ComponentType, walk
from chatd.core.errors import UnknownInteraction
from chatd.core.ids import InteractionId, parse_id
from chatd.core.interactions import Interaction
from chatd.core.json import JsonObject
from chatd.core.models import Attachment, Message
from chatd.queries import ephemeral_messages, history, interactions
from chatd.queries.history import Viewer
from chatd.services.interactions.ages import age_s
from chatd.services.interactions.files import SentFiles, keep, sent_files
from chatd.services.interactions.invoker import Invocation, Invoker
from chatd.services.interactions.resolved import Named, resolve
from chatd.wire import payloads
from chatd.wire.schemas.components import validate_submission


async def read_submission(invoker: Invoker) -> Invocation:
    """Read the submission of a modal that this application has shown to this person here.

    A modal can be submitted again, because clients show it until that succeeds. Raises
    UnknownInteraction, InvalidForm.
    """
    opened = await _opened(invoker)
    assert opened.modal is not None
    submitted = validate_submission(
        opened.modal["components"], invoker.wanted.data.get("components")
    )
    files = sent_files(invoker)
    used = _use_files(submitted, files)
    await keep(invoker, used)
    named = Named()
    asked = {each.get("custom_id"): each for _, each in walk(opened.modal["components"])}
    for _, part in walk(submitted):
        if part["type"] in SELECTS:
            named.add_values(asked[part["custom_id"]], part["values"])
    found = replace(await resolve(invoker.work.cur, invoker.granted, named), attachments=used)
    data: JsonObject = {"custom_id": opened.modal["custom_id"], "components": submitted}
    if shown := payloads.resolved(found):
        data["resolved"] = shown
    message = await _message(invoker, opened)
    triggering = replace(opened.origin, triggering=None)
    origin = replace(invoker.origin(), triggering=triggering)
    return Invocation(origin, data, message, opened.message_is_ephemeral)


async def _opened(invoker: Invoker) -> Interaction:
    """Return the interaction whose response was the modal. Raises UnknownInteraction."""
    try:
        opened_id = InteractionId(parse_id(str(invoker.wanted.data.get("id"))[:20]))
    except ValueError:
        raise UnknownInteraction from None
    found = await interactions.get(invoker.work.cur, opened_id)
    if (
        found is None
        or found.modal is None
        or found.user_id != invoker.ctx.user.id
        or found.application_id != invoker.application.bot.id
        or found.channel_id != invoker.granted.channel.id
        or found.modal["custom_id"] != invoker.wanted.data.get("custom_id")
        or age_s(found) > rules.MODAL_LIFETIME_S
    ):
        raise UnknownInteraction
    return found


def _use_files(submitted: Sequence[JsonObject], files: SentFiles) -> list[Attachment]:
    """Replace the numbers of files by their ids. Return the files. Raises InvalidForm."""
    used = []
    for _, part in walk(submitted):
        if part["type"] == ComponentType.FILE_UPLOAD and isinstance(part, dict):
            own = [files.get(number) for number in part["values"]]
            part["values"] = [str(file.id) for file in own]
            used += own
    return used


async def _message(invoker: Invoker, opened: Interaction) -> Message | None:
    """Return the message with the component that has opened the modal, if it still exists."""
    message_id = opened.origin.message_id
    if message_id is None:
        return None
    viewer = Viewer(invoker.application.bot.id, invoker.ctx.dependencies.signed_urls)
    cur = invoker.work.cur
    if opened.message_is_ephemeral:
        return await ephemeral_messages.get(cur, viewer, invoker.ctx.user.id, message_id)
    return await history.get(cur, viewer, opened.channel_id, message_id)
