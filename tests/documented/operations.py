"""Operations that Discord documents, and what this server's OpenAPI document says about them."""

from __future__ import annotations

import orjson

from chatd.rest import openapi
from chatd.rest.table import table
from tests.documented.extract import FILE, Document, Schemas, bare

DOCUMENTED = orjson.loads(FILE.read_bytes())["operations"]
OURS = Document(openapi.document(table()))
OPERATIONS = OURS.operations()

CHANNELS = ("POST /guilds/{guild_id}/channels", "PATCH /channels/{channel_id}")
MESSAGE = "POST /channels/{channel_id}/messages"
EDIT = "PATCH /channels/{channel_id}/messages/{message_id}"
GUILD = "PATCH /guilds/{guild_id}"
MEMBER = "PATCH /guilds/{guild_id}/members/{user_id}"
SELF = "PATCH /guilds/{guild_id}/members/@me"
NEW_MEMBER = "PUT /guilds/{guild_id}/members/{user_id}"
RECIPIENT = "PUT /channels/{channel_id}/recipients/{user_id}"
OWN_APPLICATION = "PATCH /applications/@me"
APPLICATIONS = ("PATCH /applications/{application_id}", OWN_APPLICATION)
SERVICES = tuple(
    f"POST /webhooks/{{webhook_id}}/{{webhook_token}}/{service}" for service in ("slack", "github")
)
INVITE = "POST /channels/{channel_id}/invites"
ROLES = ("POST /guilds/{guild_id}/roles", "PATCH /guilds/{guild_id}/roles/{role_id}")

CALLBACK = "POST /interactions/{interaction_id}/{interaction_token}/callback"
_WEBHOOK = "/webhooks/{webhook_id}/{webhook_token}"
FOLLOW_UP = f"POST {_WEBHOOK}"
_ANY_RESPONSE = [f"{_WEBHOOK}/messages/{each}" for each in ("@original", "{message_id}")]
RESPONSE_EDITS = tuple(f"PATCH {path}" for path in _ANY_RESPONSE)
WITH_TOKEN = (
    FOLLOW_UP,
    *(f"{method} {path}" for method in ("GET", "PATCH", "DELETE") for path in _ANY_RESPONSE),
)
MESSAGES = (MESSAGE, EDIT, FOLLOW_UP, *RESPONSE_EDITS)
"""Operations whose body is a message, or a change of one."""
_OF_GUILD = "applications/{application_id}/guilds/{guild_id}/commands"
COMMANDS = tuple(
    f"{method} /{path}"
    for scope in ("applications/{application_id}/commands", _OF_GUILD)
    for method, path in (("POST", scope), ("PATCH", f"{scope}/{{command_id}}"))
)
COMMAND_LISTS = ("PUT /applications/{application_id}/commands", f"PUT /{_OF_GUILD}")


def _named(operation: str) -> str:
    """Return the operation with the parameter names of this server."""
    method, _, path = operation.partition(" ")
    return next(
        f"{method} {ours}" for ours in openapi.document(table())["paths"] if bare(ours) == path
    )


SHARED = {
    _named(operation): operation for operation in sorted(OPERATIONS.keys() & DOCUMENTED.keys())
}


def above(field: str) -> list[str]:
    """Return a field and the objects that contain it, the outermost first."""
    parts = field.split(".")
    return [".".join(parts[:end]).removesuffix("[]") for end in range(1, len(parts) + 1)]


def marked(schemas: Schemas, field: str, mark: str) -> bool:
    """Return whether a field, or an object that contains it, has a mark in the document of this
    server.
    """
    known = (schemas.get(each) or schemas.get(f"{each}[]") for each in above(field))
    return any(mark in schema for found in known for schema in found or ())
