"""Request fields that Discord documents are supported or refused: none has status 2xx and no
effect.

`documented/fields.json` contains what Discord documents. The OpenAPI document of this server
contains what the schemas read. A field that is new in either must be supported, or listed here.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from chatd.core.field_errors import NOT_SUPPORTED
from chatd.rest import openapi
from chatd.rest.table import table
from tests.documented.extract import FILE, Document, Schemas, bare
from tests.helpers.interactions import ROW, Stage
from tests.world import Answer, Guild, World

DOCUMENTED = orjson.loads(FILE.read_bytes())["operations"]
OURS = Document(openapi.document(table()))
OPERATIONS = OURS.operations()

_CHANNELS = ("POST /guilds/{guild_id}/channels", "PATCH /channels/{channel_id}")
_MESSAGE = "POST /channels/{channel_id}/messages"
_EDIT = "PATCH /channels/{channel_id}/messages/{message_id}"
_GUILD = "PATCH /guilds/{guild_id}"
_MEMBER = "PATCH /guilds/{guild_id}/members/{user_id}"
_SELF = "PATCH /guilds/{guild_id}/members/@me"
_NEW_MEMBER = "PUT /guilds/{guild_id}/members/{user_id}"
_RECIPIENT = "PUT /channels/{channel_id}/recipients/{user_id}"
_OWN_APPLICATION = "PATCH /applications/@me"
_APPLICATIONS = ("PATCH /applications/{application_id}", _OWN_APPLICATION)
_SERVICES = tuple(
    f"POST /webhooks/{{webhook_id}}/{{webhook_token}}/{service}" for service in ("slack", "github")
)
_INVITE = "POST /channels/{channel_id}/invites"
_ROLES = ("POST /guilds/{guild_id}/roles", "PATCH /guilds/{guild_id}/roles/{role_id}")

PICTURE = "data:image/png;base64,iVBORw0KGgo="
Fields = dict[str, Any]

_CALLBACK = "POST /interactions/{interaction_id}/{interaction_token}/callback"
_WEBHOOK = "/webhooks/{webhook_id}/{webhook_token}"
_FOLLOW_UP = f"POST {_WEBHOOK}"
_ANY_RESPONSE = [f"{_WEBHOOK}/messages/{each}" for each in ("@original", "{message_id}")]
_RESPONSE_EDITS = tuple(f"PATCH {path}" for path in _ANY_RESPONSE)
_WITH_TOKEN = (
    _FOLLOW_UP,
    *(f"{method} {path}" for method in ("GET", "PATCH", "DELETE") for path in _ANY_RESPONSE),
)
_MESSAGES = (_MESSAGE, _EDIT, _FOLLOW_UP, *_RESPONSE_EDITS)
"""Operations whose body is a message, or a change of one."""


def _in_data(fields: Fields) -> dict[str, Fields]:
    """Return fields of messages as fields of the message in a callback."""
    return {_CALLBACK: {f"data.{field}": value for field, value in fields.items()}}


_BUTTONS = (
    "components[].components[]",
    "components[].accessory",
    "components[].components[].components[]",
    "components[].components[].accessory",
)
"""The places of buttons in messages: in rows and sections, also of containers."""
_OF_GUILD = "applications/{application_id}/guilds/{guild_id}/commands"
_COMMANDS = tuple(
    f"{method} /{path}"
    for scope in ("applications/{application_id}/commands", _OF_GUILD)
    for method, path in (("POST", scope), ("PATCH", f"{scope}/{{command_id}}"))
)
_COMMAND_LISTS = ("PUT /applications/{application_id}/commands", f"PUT /{_OF_GUILD}")
_IN_DATA = _BUTTONS[:2]
"""Those that the documentation of callbacks shows: it does not go deeper."""

_POLL = {"question": {"text": "?"}, "answers": []}
_FILE_FIELDS = {
    "attachments[].duration_secs": 1.5,
    "attachments[].is_remix": True,
    "attachments[].is_spoiler": True,
    "attachments[].title": "x",
    "attachments[].waveform": "x",
}


def _each(operations: tuple[str, ...], fields: Fields) -> dict[str, Fields]:
    return dict.fromkeys(operations, fields)


REFUSED: dict[str, dict[str, Fields]] = {
    "There are no voice channels.": {
        **_each(
            _CHANNELS,
            {"bitrate": 96_000, "user_limit": 5, "rtc_region": "eu", "video_quality_mode": 2},
        ),
        _GUILD: {"afk_channel_id": "1", "afk_timeout": 60, "region": "eu"},
        _MEMBER: {"mute": True, "deaf": True, "channel_id": "1"},
        _NEW_MEMBER: {"mute": True, "deaf": True},
    },
    "There are no threads.": {
        **_each(_SERVICES, {"thread_id": "1"}),
        **_each(_WITH_TOKEN, {"thread_id": "1"}),
        _CHANNELS[0]: {
            "default_auto_archive_duration": 60,
            "default_thread_rate_limit_per_user": 5,
        },
        _CHANNELS[1]: {
            "default_auto_archive_duration": 60,
            "default_thread_rate_limit_per_user": 5,
            "archived": True,
            "auto_archive_duration": 60,
            "invitable": True,
            "locked": True,
        },
    },
    "There are no forums.": {
        _CHANNELS[0]: {
            "available_tags": [{"name": "x"}],
            "default_forum_layout": 1,
            "default_reaction_emoji": {"emoji_name": "x"},
            "default_sort_order": 1,
            "default_tag_setting": "match_all",
        },
        _CHANNELS[1]: {
            "applied_tags": ["1"],
            "available_tags": [{"name": "x"}],
            "default_forum_layout": 1,
            "default_reaction_emoji": {"emoji_name": "x"},
            "default_sort_order": 1,
            "default_tag_setting": "match_all",
        },
    },
    "Neither channels nor members have flags that do anything.": {
        _CHANNELS[1]: {"flags": 16},
        _MEMBER: {"flags": 4},
        _NEW_MEMBER: {"flags": 4},
    },
    "There are no polls, stickers, themes and forwarded messages.": {
        _MESSAGE: {
            "message_reference.type": 1,
            "poll": _POLL,
            "shared_client_theme": {"colors": ["ffffff"]},
            "sticker_ids": ["1"],
        },
        _EDIT: {"sticker_ids": ["1"]},
        **_each((_FOLLOW_UP, *_RESPONSE_EDITS), {"poll": _POLL}),
        **_in_data({"poll": _POLL}),
    },
    "Nothing is sold, so there are no premium buttons and purchases.": {
        **_each(_MESSAGES, {f"{each}.sku_id": "1" for each in _BUTTONS}),
        **_in_data(
            {
                "eligible": True,
                "ineligible_reason": 1,
                "ineligible_reason_description": "x",
                **{f"{each}.sku_id": "1" for each in _IN_DATA},
            }
        ),
    },
    "Messages of webhooks go to channels, since there are no threads and forums.": {
        _FOLLOW_UP: {
            "applied_tags": ["1"],
            "thread_name": "x",
        },
    },
    "Files have a name and a description only.": {
        **_each(_MESSAGES, _FILE_FIELDS),
        **_in_data(_FILE_FIELDS),
    },
    "Only avatars, icons of guilds and attached files are stored.": {
        _GUILD: {
            "banner": PICTURE,
            "discovery_splash": PICTURE,
            "home_header": PICTURE,
            "splash": PICTURE,
        },
        _CHANNELS[1]: {"icon": PICTURE},
        _SELF: {"avatar": PICTURE, "banner": PICTURE},
        **_each(_APPLICATIONS, {"cover_image": PICTURE}),
        "PATCH /users/@me": {"banner": PICTURE},
        **_each(_ROLES, {"icon": PICTURE, "unicode_emoji": "x"}),
    },
    "Nothing is verified, scanned or reported, and there are no features to turn on.": {
        _GUILD: {
            "explicit_content_filter": 2,
            "features": ["COMMUNITY"],
            "premium_progress_bar_enabled": True,
            "public_updates_channel_id": "1",
            "safety_alerts_channel_id": "1",
            "verification_level": 1,
        },
        **_each(_APPLICATIONS, {"explicit_content_filter": 1}),
    },
    "Roles have one color.": _each(
        _ROLES, {"colors.secondary_color": 1, "colors.tertiary_color": 1}
    ),
    "Members and groups have nothing of their own but what PATCH gives them.": {
        _SELF: {"bio": "x"},
        _NEW_MEMBER: {"nick": "x", "roles": ["1"]},
        _RECIPIENT: {"nick": "x"},
        "POST /users/@me/channels": {"nicks": {"1": "x"}},
    },
    "There is no OAuth2.": {
        _NEW_MEMBER: {"access_token": "x"},
        _RECIPIENT: {"access_token": "x"},
        "POST /users/@me/channels": {"access_tokens": ["x"]},
        **_each(
            _APPLICATIONS,
            {
                "role_connections_verification_url": "https://example.org",
                "team_id": "1",
            },
        ),
    },
    "Applications are not listed, and nothing is sent to them over HTTP.": {
        **_each(
            _APPLICATIONS,
            {
                "description.localizations": {"de": "x"},
                "event_webhooks_status": 2,
                "event_webhooks_types": ["ENTITLEMENT_CREATE"],
                "event_webhooks_url": "https://example.org",
                "max_participants": 5,
                "type": 1,
            },
        ),
    },
    "Invites lead to a channel, for everyone who has the code.": {
        _INVITE: {
            "role_ids": ["1"],
            "target_application_id": "1",
            "target_type": 1,
            "target_user_id": "1",
            "target_users_file": "x",
        },
        "GET /invites/{code}": {
            "guild_scheduled_event_id": "1",
            "target_channel_id": "1",
            "target_message_id": "1",
        },
    },
    "There are no activities.": {
        **_each(_COMMANDS, {"handler": 1}),
        **_each(_COMMAND_LISTS, {"[].handler": 1}),
    },
    "A search finds words wherever they are.": {
        "GET /guilds/{guild_id}/messages/search": {"slop": "5"},
    },
}

REFUSED_VALUES: dict[tuple[str, str], list[Any]] = {
    (_CHANNELS[0], "type"): [2, 13, 14, 15],
    (_CHANNELS[1], "type"): [4, 13, 15],  # of a text channel
    ("GET /guilds/{guild_id}/messages/search", "has"): [
        *("sticker", "poll", "snapshot", "-sticker", "-poll", "-snapshot"),
    ],
    **{(each, "type"): [4] for each in _COMMANDS if each.startswith("POST")},
    **{(each, "[].type"): [4] for each in _COMMAND_LISTS},
    **{(each, f"{place}.style"): [6] for each in _MESSAGES for place in _BUTTONS},
    **{(_CALLBACK, f"data.{place}.style"): [6] for place in _IN_DATA},
    (_CALLBACK, "type"): [1, 10, 12, 13],
}
"""Values of supported fields for unsupported features. The field refuses them."""


def _named(operation: str) -> str:
    """Return the operation with the parameter names of this server."""
    method, _, path = operation.partition(" ")
    return next(
        f"{method} {ours}" for ours in openapi.document(table())["paths"] if bare(ours) == path
    )


SHARED = {
    _named(operation): operation for operation in sorted(OPERATIONS.keys() & DOCUMENTED.keys())
}
LISTED = {
    (operation, field): (value, why)
    for why, operations in REFUSED.items()
    for operation, fields in operations.items()
    for field, value in fields.items()
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


@pytest.mark.parametrize("operation", SHARED)
def test_documented_field_is_supported_or_refused(operation: str) -> None:
    query, body = OPERATIONS[SHARED[operation]]
    documented = DOCUMENTED[SHARED[operation]]
    for ours, theirs in ((query, documented.get("query", {})), (body, documented.get("body", {}))):
        for field, values in theirs.items():
            if marked(ours, field, "x-derived"):
                continue
            if marked(ours, field, "x-unsupported"):
                outermost = next(
                    each for each in above(field) if marked(ours, each, "x-unsupported")
                )
                assert (operation, outermost) in LISTED, f"{outermost} is refused without a reason"
                continue
            assert field in ours, f"{field} is documented, and neither done nor refused"
            accepted = OURS.values(ours[field])
            refused = REFUSED_VALUES.get((operation, field), [])
            missing = [each for each in values if accepted and each not in (*accepted, *refused)]
            assert missing == [], f"{field} has values that are neither done nor refused"


REFUSED_TYPES = {
    "An embed's part without what it shows is a mistake of the caller.": {
        *(
            (operation, f"{before}embeds[].{part}", "null")
            for operation, before in (*((each, "") for each in _MESSAGES), (_CALLBACK, "data."))
            for part in ("author.name", "footer.text", "image.url", "thumbnail.url")
        ),
    },
    "Roles and members have ids of one kind: an overwrite says what its target is.": {
        *((operation, "permission_overwrites[].type", "null") for operation in _CHANNELS),
        ("PUT /channels/{channel_id}/permissions/{target_id}", "type", "null"),
    },
    "What is moved has an id.": {
        ("PATCH /guilds/{guild_id}/channels", "[].id", "null"),
        ("PATCH /guilds/{guild_id}/roles", "[].id", "null"),
    },
    "Colors without a color say nothing clear.": {
        (operation, "colors.primary_color", "null") for operation in _ROLES
    },
}
"""Documented JSON types of fields that are refused, with the reason."""


@pytest.mark.parametrize("operation", SHARED)
def test_documented_type_is_accepted(operation: str) -> None:
    _, body = OPERATIONS[SHARED[operation]]
    refused = {each for several in REFUSED_TYPES.values() for each in several}
    for field, types in DOCUMENTED[SHARED[operation]].get("types", {}).items():
        if field not in body or (operation, field.partition(".")[0]) in LISTED:
            continue
        if marked(body, field, "x-unsupported"):
            continue
        ours = OURS.types(body[field])
        for each in set(types) - ours if ours else ():
            if each == "number" and "integer" in ours:
                continue
            assert (operation, field, each) in refused, f"{field} may be {each}, and is refused"


def test_lists_contain_only_documented_fields() -> None:
    for operation, field in LISTED:
        documented = DOCUMENTED[SHARED[operation]]
        assert field in {**documented.get("query", {}), **documented.get("body", {})}
        assert any(marked(ours, field, "x-unsupported") for ours in OPERATIONS[SHARED[operation]])


async def scene(world: World, operation: str) -> dict[str, str]:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob, carol, dave = await world.people("alice", "bob", "carol", "dave")
    await guild.admit(carol, dave)
    message = await alice.rest.post(f"/channels/{guild.general.id}/messages", {"content": "x"})
    group = {"recipients": [bob.id, carol.id]}
    helper = await world.bot("helper", "alice", guild)
    command = {"name": "blep", "description": "x"}
    made = await helper.rest.post(f"/applications/{helper.id}/commands", command)
    bot = await world.bot("bot", "alice", guild)
    path = f"/channels/{guild.general.id}/webhooks"
    webhook = await alice.rest.post(path, {"name": "hook"})
    return {
        "webhook_id": webhook["id"],
        "webhook_token": webhook["token"],
        **(await interaction_names(world, guild, operation) if _is_response(operation) else {}),
        "guild_id": guild.id,
        "channel_id": guild.general.id,
        "message_id": message["id"],
        "user_id": bob.id,
        "role_id": (await alice.rest.post(f"/guilds/{guild.id}/roles", {}))["id"],
        "code": await guild.invite(),
        "group_id": (await alice.rest.post("/users/@me/channels", group))["id"],
        "other_id": dave.id,
        "application_id": bot.id,
        "command_id": made["id"],
    }


def _is_response(operation: str) -> bool:
    return operation in (_CALLBACK, *_WITH_TOKEN)


async def interaction_names(world: World, guild: Guild, operation: str) -> dict[str, str]:
    """Use a button of the bot, and respond unless the operation does that."""
    bot = await world.person("bot")
    [client] = await world.online("bot")
    body = {"content": "x", "components": [ROW]}
    message = await bot.rest.post(f"/channels/{guild.general.id}/messages", body)
    stage = Stage(world, guild, bot, client, message)
    received = await stage.click(await world.person("alice"))
    if operation != _CALLBACK:
        await received.respond(4, content="x")
    return {
        "interaction_id": received.id,
        "interaction_token": received.token,
        "webhook_id": bot.id,
        "webhook_token": received.token,
    }


def body_with(field: str, value: Any) -> Any:
    """Return the smallest body that contains a field. Components in it have their types."""
    parts = field.split(".")
    for depth, part in reversed([*enumerate(parts)]):
        if part in ("components[]", "accessory"):
            value = {"type": component_type(parts[depth + 1 :]), **value}
        value = [value] if part.endswith("[]") else value
        if name := part.removesuffix("[]"):
            value = {name: value}
    return value


def component_type(inside: list[str]) -> int:
    """Return the type of a component that contains these fields, each in the one before."""
    match inside:
        case ["accessory", *_]:
            return 9
        case ["components[]", _]:
            return 1
        case ["components[]", *_]:
            return 17
    return 2


def errors_of(errors: Any, field: str) -> list[dict[str, str]]:
    """Return the errors of a field."""
    for part in field.replace("[]", ".0").removeprefix(".").split("."):
        assert part in errors, (field, errors)
        errors = errors[part]
    while "_errors" not in errors:  # the error of an element of an array
        [errors] = errors.values()
    return list(errors["_errors"])


async def call(
    world: World, names: dict[str, str], operation: str, body: Any, query: Fields | None = None
) -> Answer:
    """Call an operation as the owner of all objects in its path."""
    method, _, path = operation.partition(" ")
    if operation == _RECIPIENT:
        names = {**names, "channel_id": names["group_id"], "user_id": names["other_id"]}
    if operation == _NEW_MEMBER:
        names = {**names, "user_id": names["application_id"]}
    caller = await world.person("alice")
    if operation in (*_COMMANDS, *_COMMAND_LISTS):
        caller = await world.person("helper")
        names = {**names, "application_id": caller.id}
    if operation == _OWN_APPLICATION:
        caller = await world.person("helper")
    if operation == _CALLBACK and isinstance(body, dict):
        body = {"type": 4, **body}
    url = path.format(**names) + (f"?{urlencode(query)}" if query else "")
    return await caller.rest.call(method, url, body)


async def refuse(
    world: World, names: dict[str, str], operation: str, field: str, value: Any
) -> list[dict[str, str]]:
    """Send one field; return its errors."""
    if field in OPERATIONS[SHARED[operation]][0]:
        body: Any = None if operation.startswith("GET") else {}
        answer = await call(world, names, operation, body, {field: value})
    else:
        answer = await call(world, names, operation, body_with(field, value))
    assert (answer.status, answer.code) == (400, 50035), (answer.status, answer.raw)
    return errors_of(answer.json["errors"], field)


@pytest.mark.parametrize("operation", sorted({operation for operation, _ in LISTED}))
async def test_unsupported_field_is_refused_by_name(world: World, operation: str) -> None:
    names = await scene(world, operation)
    for (listed, field), (value, _) in LISTED.items():
        if listed == operation:
            errors = await refuse(world, names, operation, field, value)
            assert [each["code"] for each in errors] == [NOT_SUPPORTED], field
            assert "does not support" in errors[0]["message"]


@pytest.mark.parametrize(("operation", "field"), REFUSED_VALUES)
async def test_unsupported_value_is_refused_by_name(
    world: World, operation: str, field: str
) -> None:
    names = await scene(world, operation)
    for value in REFUSED_VALUES[operation, field]:
        [error] = await refuse(world, names, operation, field, value)
        assert error["code"] in (NOT_SUPPORTED, "BASE_TYPE_CHOICES")


NOTHING: list[Any] = [None, False, 0, "", [], {}]


@pytest.mark.parametrize("operation", sorted({op for op, _ in LISTED if not op.startswith("GET")}))
async def test_values_that_request_nothing_are_accepted(world: World, operation: str) -> None:
    names = await scene(world, operation)
    queries = DOCUMENTED[SHARED[operation]].get("query", {})
    fields = [
        field
        for listed, field in LISTED
        if listed == operation and "." not in field and field not in queries
    ]
    for value in NOTHING:
        answer = await call(world, names, operation, dict.fromkeys(fields, value))
        errors = answer.json.get("errors", {}) if answer.raw and answer.status == 400 else {}
        assert not errors.keys() & set(fields), (value, errors)
