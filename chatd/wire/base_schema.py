"""The base of all request schemas."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

import marshmallow as ma
from marshmallow import EXCLUDE, RAISE, ValidationError, fields
from marshmallow.error_store import ErrorStore
from marshmallow.types import UnknownOption

from chatd.core.errors import InvalidForm
from chatd.core.field_errors import FieldErrors
from chatd.wire.validators import MAX_BAD_ELEMENTS, FieldError

T = TypeVar("T")

# Narrowed schemas that are kept for each schema. Clients use a few sets of fields; the bound
# keeps a client from filling the memory with made-up sets.
_MAX_NARROWED = 64

# Of a body with more keys, only those that the schema names are looked at: marshmallow examines
# every key.
_MAX_KEYS = 64


NULL_IS_ABSENT: Final[dict[str, Any]] = {
    "allow_none": True,
    "metadata": {"null_is_absent": True},
}
"""Options of a field in which null means the same as leaving it out, as many libraries send it."""


class Schema(ma.Schema, Generic[T]):
    """A schema that loads into the dataclass `into`."""

    into: ClassVar[type[Any]]
    error_messages = {  # noqa: RUF012
        "type": FieldError("MODEL_TYPE_CONVERT", "Only dictionaries may be used."),
    }

    class Meta:
        unknown = EXCLUDE

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> Any:
        return self.into(**data)

    @cached_property
    def lists(self) -> frozenset[str]:
        """The names of the fields that are arrays."""
        return frozenset(
            field.data_key or name
            for name, field in self.fields.items()
            if isinstance(field, fields.List)
        )

    @cached_property
    def _nullable(self) -> frozenset[str]:
        """The names of the fields in which null has a meaning of its own."""
        return frozenset(
            field.data_key or name
            for name, field in self.fields.items()
            if not field.metadata.get("null_is_absent", False)
        )

    def read_plain(self, data: Mapping[str, Any]) -> T | None:
        """Load what most clients send, as `read` does in more time; None for everything else."""
        return None

    def read(self, data: Any) -> T:
        """Load a value. Raises InvalidForm with the errors of each field."""
        try:
            return self.read_part(data)
        except ValidationError as refused:
            raise InvalidForm(field_errors(refused.messages)) from None

    def read_part(self, data: Any) -> T:
        """Load a value that is a part of a body. Raises ValidationError."""
        if not isinstance(data, dict):
            value: T = self.load(data)
            return value
        if len(data) > _MAX_KEYS:
            data = self._first_of(data)
        if None in data.values():
            data = self.without_redundant_nulls(data)
        value = self._narrowed(data).load(data)
        return value  # noqa: RET504  # marshmallow's type is Any

    def load(
        self,
        data: Any,
        *,
        many: bool | None = None,
        partial: Any = None,
        unknown: UnknownOption | None = None,
    ) -> Any:
        """Load a value, as marshmallow does. Raises ValidationError.

        In marshmallow the error and its traceback refer to each other, so the garbage collector
        alone would free a refused body, much later. The reference to the traceback is deleted.
        """
        try:
            return self._do_load(
                data, many=many, partial=partial, unknown=unknown, postprocess=True
            )
        except ValidationError as refused:
            refused.__traceback__ = None
            raise

    def _deserialize(
        self,
        data: Any,
        *,
        error_store: ErrorStore,
        many: bool = False,
        partial: Any = None,
        unknown: UnknownOption = RAISE,
        index: int | None = None,
    ) -> Any:
        """Load each field of an object, as marshmallow does, in two thirds of its time.

        Bodies can have a thousand small objects. Marshmallow makes a function for each of their
        fields, for the case that only a part of an object is loaded.
        """
        if many or partial is not None or not isinstance(data, dict):
            return super()._deserialize(
                data,
                error_store=error_store,
                many=many,
                partial=partial,
                unknown=unknown,
                index=index,
            )
        loaded = {}
        for name, field in self.load_fields.items():
            key = name if field.data_key is None else field.data_key
            try:
                value = field.deserialize(data.get(key, ma.missing), key, data)
            except ValidationError as error:
                error_store.store_error(  # type: ignore[no-untyped-call]
                    error.messages, key, index=index
                )
                value = error.valid_data or ma.missing
            if value is not ma.missing:
                loaded[field.attribute or name] = value
        if unknown != EXCLUDE:
            self._handle_unknown(data, loaded, unknown, error_store)
        return loaded

    def _handle_unknown(
        self,
        data: dict[str, Any],
        loaded: dict[str, Any],
        unknown: UnknownOption,
        error_store: ErrorStore,
    ) -> None:
        """Keep or refuse the keys that the schema does not know."""
        for key in data.keys() - frozenset(self._keys):
            if unknown == RAISE:
                error_store.store_error(  # type: ignore[no-untyped-call]
                    [self.error_messages["unknown"]], key
                )
            else:
                loaded[key] = data[key]

    def without_redundant_nulls(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the body without those nulls that mean the same as leaving the field out."""
        kept = self._nullable
        return {key: each for key, each in data.items() if each is not None or key in kept}

    def _first_of(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the known keys, and as many unknown keys as are reported as errors."""
        first = {key: data[key] for key in self._keys if key in data}
        if self.unknown != EXCLUDE:
            unknown = islice((key for key in data if key not in first), MAX_BAD_ELEMENTS)
            first |= {key: data[key] for key in unknown}
        return first

    @cached_property
    def _keys(self) -> list[str]:
        """The keys that the schema knows."""
        return [field.data_key or name for name, field in self.fields.items()]

    def _narrowed(self, data: dict[str, Any]) -> Self:
        """Return a schema without the optional fields that this body does not have.

        An absent field costs marshmallow about as much as a present one, and most bodies have few
        of many optional fields. Narrowed schemas are kept for each set of fields, up to
        `_MAX_NARROWED`.
        """
        given = self._optional.intersection(data)
        found = self._narrow.get(given)
        if found is None:
            if len(self._narrow) >= _MAX_NARROWED or given == self._optional:
                return self
            found = self._narrow[given] = type(self)(exclude=self._optional - given)
        return found

    @cached_property
    def _narrow(self) -> dict[frozenset[str], Self]:
        return {}

    @cached_property
    def _optional(self) -> frozenset[str]:
        """The fields that add nothing to the value when they are left out."""
        return frozenset(
            name
            for name, field in self.fields.items()
            if not field.required and field.load_default is ma.missing and field.data_key is None
        )

    def read_many(self, data: Any) -> list[T]:
        """Load each element of an array. Raises InvalidForm with the first bad elements."""
        elements = self.reading(data)
        for _ in elements:
            pass
        return elements.values

    def reading(self, data: Any, parse: Callable[[Any], Any] | None = None) -> ArrayReader[T]:
        """Return an iterator that loads an element of an array in each step.

        With `parse`, each element is what this function returns for it. Raises InvalidForm if
        this is not an array.
        """
        if not isinstance(data, list):
            raise InvalidForm(field_errors([self.error_messages["type"]]))
        if parse is None:
            return ArrayReader(self.read_part, data)
        return ArrayReader(lambda each: self.read_part(parse(each)), data)


class ArrayReader(Generic[T]):
    """Loads the elements of an array, one in each step of the iteration.

    The last step raises InvalidForm with the first bad elements, if there are any.
    """

    def __init__(self, read: Callable[[Any], T], data: Sequence[Any]) -> None:
        self.values: list[T] = []
        """The elements that were loaded so far."""
        self._read = read
        self._data = data

    def __iter__(self) -> Iterator[None]:
        errors = {}
        for index, each in enumerate(self._data):
            try:
                self.values.append(self._read(each))
            except ValidationError as refused:
                errors[index] = refused.messages
                if len(errors) == MAX_BAD_ELEMENTS:
                    break
            yield
        if errors:
            raise InvalidForm(field_errors(errors))


class MappingSchema(Schema[Mapping[str, Any]]):
    """A schema that loads into a mapping, without the keys that were sent as null.

    For objects that are stored and sent to clients as they are, like embeds.
    """

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {key: value for key, value in data.items() if value is not None}


def field_errors(messages: Any) -> FieldErrors:
    """Return the messages of marshmallow as Discord nests them."""
    if isinstance(messages, Mapping):
        errors: FieldErrors = {}
        for key, inner in messages.items():
            if key == "_schema":
                errors |= field_errors(inner)
            else:
                errors[str(key)] = field_errors(inner)
        return errors
    return {
        "_errors": [
            {"code": getattr(text, "code", "BASE_TYPE_INVALID"), "message": str(text)}
            for text in messages
        ]
    }
