"""Embeds and components that show a file of the same message: `attachment://name`, not a URL.

They are stored with the name of the file. Signed URLs expire, so each payload contains a fresh one
(`wire.payloads`). Rule: Discord docs, Reference, "Editing Message Attachments".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from chatd.core.components import ComponentType, Medium, Path, mapped, with_media
from chatd.core.errors import InvalidForm
from chatd.core.models import Attachment, Component, Embed
from chatd.services.media import file_types
from chatd.wire.payloads import EMBEDDED, EMBEDDED_FILE


def normalized(embeds: Sequence[Embed], files: Sequence[Attachment]) -> Sequence[Embed]:
    """Return embeds in which each URL of an attachment is replaced by its `attachment://name`.

    Raises InvalidForm if the message has no file of such a name.
    """
    return [_normalized(number, embed, files) for number, embed in enumerate(embeds)]


def _normalized(number: int, embed: Embed, files: Sequence[Attachment]) -> Embed:
    changed: dict[str, Any] = {}
    for part, key in EMBEDDED.items():
        url = embed.get(part, {}).get(key, "")
        file = _shown(url, files)
        if file is not None:
            changed[part] = {**embed[part], key: EMBEDDED_FILE + file.filename}
        elif _is_reference(url):
            raise _unknown_file(("embeds", number, part, key), "ATTACHMENT_NOT_FOUND")
    return {**embed, **changed} if changed else embed


def normalized_components(
    components: Sequence[Component], files: Sequence[Attachment]
) -> Sequence[Component]:
    """Return components in which each URL of an attachment is replaced by its `attachment://name`.

    Raises InvalidForm if the message has no file of such a name, or if a file component shows
    anything but a file of the message.
    """

    def referring(path: Path, component: Component) -> Component:
        changed = with_media(component, path, partial(_reference, component, files))
        if component["type"] != ComponentType.FILE:
            return changed
        file = _shown(changed["file"]["url"], files)
        return changed if file is None else {**changed, "name": file.filename, "size": file.size}

    return mapped(components, referring)


def _reference(
    component: Component, files: Sequence[Attachment], path: Path, medium: Medium
) -> Medium:
    """Return a medium as it is stored. Raises InvalidForm if it refers to a missing file."""
    url = medium["url"]
    file = _shown(url, files)
    if file is not None:
        return {"url": EMBEDDED_FILE + file.filename}
    if _is_reference(url) or component["type"] == ComponentType.FILE:
        code = "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"
        raise _unknown_file(("components", *path, "url"), code)
    return {"url": url}


def _shown(url: str, files: Sequence[Attachment]) -> Attachment | None:
    """Return the file of the message at a URL; None for a URL of another site."""
    return _by_name(url[len(EMBEDDED_FILE) :], files) if _is_reference(url) else _by_url(url, files)


def _is_reference(url: str) -> bool:
    return url[: len(EMBEDDED_FILE)].lower() == EMBEDDED_FILE


def _by_name(name: str, files: Iterable[Attachment]) -> Attachment | None:
    names = (name, file_types.safe_name(name))
    return next((file for file in files if file.filename in names), None)


def _by_url(url: str, files: Iterable[Attachment]) -> Attachment | None:
    """Return the file of a URL that this server has signed, which clients send back in edits."""
    bare = url.partition("?")[0]
    return next((file for file in files if file.url.partition("?")[0] == bare), None)


def _unknown_file(path: Path, code: str) -> InvalidForm:
    text = "The message has no file of this name."
    errors: Any = {"_errors": [{"code": code, "message": text}]}
    for key in reversed(path):
        errors = {str(key): errors}
    return InvalidForm(errors)
