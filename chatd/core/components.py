"""Components: the buttons, selects and blocks of messages and modals. Pure.

Here are their types, and functions over components that were validated (`wire.schemas.components`).
Rule: Discord docs, "Component Reference".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Any

from chatd.core.json import JsonObject
from chatd.core.models import Component

IS_COMPONENTS_V2 = 1 << 15
"""The flag of a message that consists of components only: it has neither content nor embeds."""


class ComponentType(IntEnum):
    """Rule: Discord docs, "Component Reference", "Component Types"."""

    ACTION_ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT_DISPLAY = 10
    THUMBNAIL = 11
    MEDIA_GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


SELECTS = frozenset(
    {
        ComponentType.STRING_SELECT,
        ComponentType.USER_SELECT,
        ComponentType.ROLE_SELECT,
        ComponentType.MENTIONABLE_SELECT,
        ComponentType.CHANNEL_SELECT,
    }
)
"""The types of selects."""

CHILDREN = ("components", "accessory", "component")
"""The keys under which a component contains others: a list, or a single one."""

Path = tuple[str | int, ...]
"""The keys and indexes that lead to a component in a message."""

Medium = Mapping[str, Any]
"""A picture, a video or a file that a component shows. Its `url` is that of a site, or
`attachment://name` for a file of the message."""

_MEDIA = ("media", "file")
"""The keys under which a component, or an item of a gallery, contains a medium."""


def walk(components: Iterable[Component], path: Path = ()) -> Iterator[tuple[Path, Component]]:
    """Yield each component with its path below a list of components: parents before children."""
    for index, each in enumerate(components):
        yield from _walk_one(each, (*path, index))


def _walk_one(component: Component, path: Path) -> Iterator[tuple[Path, Component]]:
    yield path, component
    for key in CHILDREN:
        below = component.get(key)
        if isinstance(below, list | tuple):
            yield from walk(below, (*path, key))
        elif below is not None:
            yield from _walk_one(below, (*path, key))


def disabled(components: Iterable[Component]) -> list[Component]:
    """Return components that users can see, but not use."""
    return [_disabled(each) for each in components]


def _disabled(component: Component) -> Component:
    changed = {**component}
    if "custom_id" in component:
        changed["disabled"] = True
    for key in CHILDREN:
        below = component.get(key)
        if isinstance(below, list | tuple):
            changed[key] = disabled(below)
        elif below is not None:
            changed[key] = _disabled(below)
    return changed


def find_component(components: Iterable[Component], custom_id: str) -> Component | None:
    """Return the component with this custom id, which a user has used; None without one."""
    return next((each for _, each in walk(components) if each.get("custom_id") == custom_id), None)


def texts(components: Iterable[Component]) -> list[str]:
    """Return the texts of the text displays, in the order in which clients show them."""
    return [
        each["content"]
        for _, each in walk(components)
        if each["type"] == ComponentType.TEXT_DISPLAY
    ]


def mapped(
    components: Iterable[Component], change: Callable[[Path, Component], Component], path: Path = ()
) -> list[Component]:
    """Return what `change` makes of each component, in the order of `walk`."""
    return [_mapped_one(each, change, (*path, index)) for index, each in enumerate(components)]


def _mapped_one(
    component: Component, change: Callable[[Path, Component], Component], path: Path
) -> Component:
    changed = dict(change(path, component))
    for key in CHILDREN:
        below = component.get(key)
        if isinstance(below, list | tuple):
            changed[key] = mapped(below, change, (*path, key))
        elif below is not None:
            changed[key] = _mapped_one(below, change, (*path, key))
    return changed


def media(components: Iterable[Component]) -> Iterator[Medium]:
    """Yield the pictures, videos and files that the components show."""
    for _, component in walk(components):
        for each in (component, *component.get("items", ())):
            yield from (each[key] for key in _MEDIA if key in each)


def with_media(
    component: Component, path: Path, change: Callable[[Path, Medium], Medium]
) -> Component:
    """Return a component with what `change` makes of its own media. `path` is its path."""
    changed: JsonObject = {
        key: change((*path, key), component[key]) for key in _MEDIA if key in component
    }
    if "items" in component:
        changed["items"] = [
            {**each, "media": change((*path, "items", index, "media"), each["media"])}
            for index, each in enumerate(component["items"])
        ]
    return {**component, **changed} if changed else component
