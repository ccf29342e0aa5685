"""What a client gives for a rule, checked against the type of its trigger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chatd.automod.keywords import is_searchable
from chatd.automod.patterns import Pattern, PatternError
from chatd.core.automod import (
    FIELDS_OF,
    MAX_ALLOWED,
    Action,
    ActionType,
    Preset,
    TriggerMetadata,
    TriggerType,
)
from chatd.core.errors import InvalidForm
from chatd.core.field_errors import FieldErrors
from chatd.core.unset import UNSET
from chatd.wire.schemas.auto_moderation import AutoModActionInput, AutoModTriggerInput

_DEFAULTS = TriggerMetadata()
_ACTION_FIELDS = {
    ActionType.BLOCK_MESSAGE: "custom_message",
    ActionType.SEND_ALERT_MESSAGE: "channel_id",
    ActionType.TIMEOUT: "duration_seconds",
}
_CAN_TIME_OUT = (TriggerType.KEYWORD, TriggerType.MENTION_SPAM)


def metadata(
    trigger_type: TriggerType, given: AutoModTriggerInput, before: TriggerMetadata = _DEFAULTS
) -> TriggerMetadata:
    """Return what a rule looks for: what is given, and the rest as before.

    Raises InvalidForm for fields of other types of triggers, and for too many allowed words.
    """
    values: dict[str, Any] = {}
    for name in AutoModTriggerInput.__slots__:
        value = getattr(given, name)
        if value is UNSET:
            continue
        if name not in FIELDS_OF[trigger_type]:
            if value in (None, [], False):
                continue
            raise _in_metadata(
                name, "BASE_TYPE_INVALID", "The trigger of the rule has no such field."
            )
        values[name] = getattr(_DEFAULTS, name) if value is None else value
    for name, value in values.items():
        if isinstance(value, list):
            values[name] = tuple(map(Preset, value)) if name == "presets" else tuple(value)
    limit = MAX_ALLOWED.get(trigger_type, 0)
    if len(values.get("allow_list", ())) > limit:
        text = f"Must be {limit} or fewer in length."
        raise _in_metadata("allow_list", "BASE_TYPE_MAX_LENGTH", text)
    return replace(before, **values)


def require_compilable(found: TriggerMetadata) -> None:
    """Raise InvalidForm for keywords of wildcards alone, and for malformed patterns.

    This takes some milliseconds for the longest lists.
    """
    for name in ("keyword_filter", "allow_list"):
        for number, text in enumerate(getattr(found, name)):
            if not is_searchable(text):
                reason = "Must contain a visible character other than the wildcard."
                raise _in_metadata(name, "BASE_TYPE_INVALID", reason, number)
    for number, text in enumerate(found.regex_patterns):
        try:
            Pattern(text)
        except PatternError as error:
            raise invalid_patterns(str(error), number) from None


def actions(trigger_type: TriggerType, given: Sequence[AutoModActionInput]) -> tuple[Action, ...]:
    """Return the actions of a rule. Raises InvalidForm."""
    found: list[Action] = []
    for number, each in enumerate(given):
        kind = ActionType(each.type)
        if kind == ActionType.TIMEOUT and trigger_type not in _CAN_TIME_OUT:
            text = "Only rules for keywords and mentions can time members out."
            raise _in_action(number, {"type": _error("BASE_TYPE_INVALID", text)})
        if any(other.type == kind for other in found):
            text = "A rule has one action of each type."
            raise _in_action(number, {"type": _error("BASE_TYPE_INVALID", text)})
        found.append(_action(number, kind, each))
    return tuple(found)


def _action(number: int, kind: ActionType, given: AutoModActionInput) -> Action:
    own = _ACTION_FIELDS[kind]
    for name in _ACTION_FIELDS.values():
        if name != own and getattr(given.metadata, name) is not None:
            text = "This action has no such field."
            raise _in_action(number, {"metadata": {name: _error("BASE_TYPE_INVALID", text)}})
    value = getattr(given.metadata, own)
    if value is None and kind != ActionType.BLOCK_MESSAGE:
        missing = _error("BASE_TYPE_REQUIRED", "This field is required")
        raise _in_action(number, {"metadata": {own: missing}})
    return Action(
        kind,
        custom_message=given.metadata.custom_message or None,
        channel_id=given.metadata.channel_id,
        duration_s=given.metadata.duration_seconds,
    )


def unknown_alert_channel(number: int) -> InvalidForm:
    """Return the error for an alert in a channel that the caller cannot see, or without text."""
    unknown = _error("BASE_TYPE_INVALID", "Unknown channel")
    return _in_action(number, {"metadata": {"channel_id": unknown}})


def invalid_patterns(reason: str, number: int | None = None) -> InvalidForm:
    """Return the error for a pattern, or for all of them together."""
    text = f"Invalid regular expression: {reason}"
    return _in_metadata("regex_patterns", "AUTO_MODERATION_INVALID_REGEX", text, number)


def _in_metadata(name: str, code: str, text: str, number: int | None = None) -> InvalidForm:
    error = _error(code, text)
    field = {name: error if number is None else {str(number): error}}
    return InvalidForm({"trigger_metadata": field})


def _in_action(number: int, errors: FieldErrors) -> InvalidForm:
    return InvalidForm({"actions": {str(number): errors}})


def _error(code: str, text: str) -> FieldErrors:
    return {"_errors": [{"code": code, "message": text}]}
