"""What clients of people send as `data` of an interaction, described for the document of the API.

Services read it, because it depends on the command, the message or the modal.
"""

from __future__ import annotations

from typing import Final

from chatd.core.commands import MAX_OPTIONS, CommandType, OptionType
from chatd.core.components import SELECTS, ComponentType
from chatd.core.json import JsonObject
from chatd.wire.json_schema import BOOL, INT, STRING, array_of, object_schema, one_of

_ID: Final[JsonObject] = {
    "type": ["string", "integer"],
    "format": "snowflake",
    "pattern": "^[0-9]{1,19}$",
    "minimum": 0,
    "maximum": 2**63 - 1,
}
_NUMBER: Final[JsonObject] = {"type": ["string", "integer"]}  # of a file
_VALUE: Final[JsonObject] = {"type": ["string", "number", "boolean"]}
_FILES: Final = array_of(
    object_schema(
        "SentFile",
        "A file that is sent with an interaction.",
        {"id": _NUMBER},
        {"filename": STRING, "uploaded_filename": STRING},
    )
).schema


def _several(name: str, high: int) -> JsonObject:
    """Return the schema of several objects of the schema with this name, which contains itself."""
    return {
        "type": "array",
        "maxItems": high,
        "items": {"$ref": f"#/components/schemas/{name}"},
    }


_OPTION: Final = object_schema(
    "CommandUseOption",
    "The value of an option, or a subcommand with its values.",
    {"name": STRING},
    {
        "type": one_of(*map(int, OptionType)),
        "value": _VALUE,
        "focused": BOOL,
        "options": _several("CommandUseOption", MAX_OPTIONS),
    },
)
COMMAND_USE: Final = object_schema(
    "CommandUse",
    "The use of a command, or of its options while the person is typing.",
    {"id": _ID},
    {
        "name": STRING,
        "type": one_of(*map(int, CommandType)),
        "version": _ID,
        "guild_id": _ID,
        "options": {"type": "array", "maxItems": MAX_OPTIONS, "items": _OPTION},
        "target_id": _ID,
        "attachments": _FILES,
    },
)
COMPONENT_USE: Final = object_schema(
    "ComponentUse",
    "The use of a component of a message.",
    {
        "component_type": one_of(*sorted({int(ComponentType.BUTTON), *map(int, SELECTS)})),
        "custom_id": STRING,
    },
    {"values": array_of(STRING).schema},
)
_FIELD: Final = object_schema(
    "SubmittedComponent",
    "A field of a modal with what was entered, or a component around it.",
    {"type": INT},
    {
        "custom_id": STRING,
        "value": _VALUE,
        "values": array_of(STRING).schema,
        "components": _several("SubmittedComponent", 1),
        "component": {"$ref": "#/components/schemas/SubmittedComponent"},
    },
)
MODAL_SUBMISSION: Final = object_schema(
    "ModalSubmission",
    "A modal that a person submits.",
    {"id": _ID, "custom_id": STRING, "components": array_of(_FIELD).schema},
    {"attachments": _FILES},
)
INTERACTION_DATA: Final[JsonObject] = {"anyOf": [COMMAND_USE, COMPONENT_USE, MODAL_SUBMISSION]}
"""The data of an interaction that a person creates."""
