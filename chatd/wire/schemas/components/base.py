"""What all schemas of components share: the choice of a schema by `type`, ids, and the bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, ClassVar, Final

import marshmallow as ma
from marshmallow import ValidationError

from chatd.core.components import CHILDREN, ComponentType, Path, mapped, walk
from chatd.core.json import JsonObject
from chatd.core.models import Component
from chatd.wire.base_schema import NULL_IS_ABSENT, MappingSchema
from chatd.wire.fields import Int, List, Value, whole
from chatd.wire.text_fields import Text
from chatd.wire.validators import FieldError, bound_of, choice, length, within

MAX_COMPONENTS: Final = 40
"""Maximum components of a message or a modal, those inside of others included."""

CUSTOM_ID: Final = length(1, 100)

_MAX_ID = 2**31 - 1


def type_field(kind: ComponentType) -> Int:
    """Return the field `type` of a component of this type."""
    return Int(required=True, validate=choice(kind))


def custom_id_field() -> Text:
    """Return the field `custom_id` of a component that always has one."""
    return Text(required=True, validate=CUSTOM_ID)


class ComponentSchema(MappingSchema):
    """A schema of one type of component. It loads into the component as clients receive it.

    `defaults` are the keys that clients receive also when they were not sent.
    """

    kind: ClassVar[ComponentType]
    defaults: ClassVar[Mapping[str, Any]] = {}

    id = Int(validate=within(0, _MAX_ID), **NULL_IS_ABSENT)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        given = {key: each for key, each in data.items() if each is not None}
        if given.get("id") == 0:  # it means the same as none
            del given["id"]
        if errors := self.problems(given):
            raise ValidationError(errors)
        return {**self.defaults, **given}

    def problems(self, component: dict[str, Any]) -> dict[str, Any]:
        """Return the errors of fields that do not fit together."""
        return {}


class ByType(Value[Component]):
    """A component of one of several types: its `type` decides which schema reads it."""

    default_error_messages = {  # noqa: RUF012
        "type": FieldError("MODEL_TYPE_CONVERT", "Only dictionaries may be used."),
    }

    def __init__(self, *schemas: type[ComponentSchema], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.schemas = schemas
        self.by_type = {int(schema.kind): schema() for schema in schemas}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Component:
        if not isinstance(value, dict):
            raise self.make_error("type")
        kind = value.get("type")
        if kind is None:
            raise ValidationError({"type": [self.error_messages["required"]]})
        schema = self.by_type.get(whole(kind) or 0)
        if schema is None:
            raise union_error(self.by_type)
        return schema.read_part(value)


def union_error(kinds: Sequence[int] | Mapping[int, Any]) -> ValidationError:
    """Return the error for a component of another type than these."""
    choices = f"({', '.join(map(str, kinds))}{',' if len(kinds) == 1 else ''})"
    return ValidationError(
        [FieldError("UNION_TYPE_CHOICES", f'Value of field "type" must be one of {choices}.')]
    )


class ComponentList(List):
    """The components of a message or a modal.

    Their total number is checked first, by a walk that reads no further than `MAX_COMPONENTS`.
    Each gets an id: 1, 2 and so on, in the order of `walk`, without the ids that were sent.
    """

    def __init__(self, *schemas: type[ComponentSchema], **kwargs: Any) -> None:
        super().__init__(ByType(*schemas), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list):
            if (bound := bound_of(self.validators)) is not None:
                bound(value)
            _check_total(value)
        components = super()._deserialize(value, attr, data, **kwargs)
        if errors := duplicates(components):
            raise ValidationError(errors)
        return _numbered(components)


def _check_total(components: Sequence[Any]) -> None:
    """Raise ValidationError for too many components. Only bounded parts of the value are read."""
    total = len(components)
    waiting = [components]
    while waiting and total <= MAX_COMPONENTS:
        for each in waiting.pop():
            for key in CHILDREN if isinstance(each, dict) else ():
                below = each.get(key)
                children = below if isinstance(below, list) else [below] if below else []
                total += len(children)
                waiting.append(children)
            if total > MAX_COMPONENTS:
                break
    if total > MAX_COMPONENTS:
        text = f"Total number of components cannot exceed {MAX_COMPONENTS}"
        raise ValidationError([FieldError("COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", text)])


_UNIQUE: Final = {
    "id": FieldError("COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated"),
    "custom_id": FieldError(
        "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"
    ),
}
"""The keys whose values are unique among all components of a message, with the errors."""


def duplicates(components: Sequence[Component]) -> dict[str | int, Any]:
    """Return the errors of ids and custom ids that an earlier component has already."""
    seen: dict[str, set[object]] = {key: set() for key in _UNIQUE}
    errors: dict[str | int, Any] = {}
    for path, component in walk(components):
        for key, error in _UNIQUE.items():
            value = component.get(key)
            if value is None:
                continue
            if value in seen[key]:
                add_error(errors, (*path, key), error)
            seen[key].add(value)
    return errors


def add_error(errors: dict[str | int, Any], path: Path, error: FieldError) -> None:
    """Add an error of the value at a path to the nested errors."""
    for key in path[:-1]:
        errors = errors.setdefault(key, {})
    errors.setdefault(path[-1], []).append(error)


def _numbered(components: Sequence[Component]) -> list[Component]:
    """Return components that all have an id."""
    taken = {each["id"] for _, each in walk(components) if "id" in each}
    free = (number for number in count(1) if number not in taken)

    def numbered(_: Path, component: Component) -> Component:
        own = component["id"] if "id" in component else next(free)
        return {"type": component["type"], "id": own} | _without_id(component)

    return mapped(components, numbered)


def _without_id(component: Component) -> JsonObject:
    return {key: each for key, each in component.items() if key not in ("type", "id")}
