"""Hooks of `test_schemathesis.py`; they run in the process of schemathesis, not in that of pytest.

Some of its cases are pointed at existing objects: at a guild of the owner with one object of each
kind, which is created again after a case has deleted a part of it.
"""

from __future__ import annotations

import gc
import os
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import AuthContext, Case, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.jsonschema import patterns
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree
from schemathesis.specs.openapi import converter

from tests.rest.rules_for_schemathesis import RULES

gc.set_threshold(100_000, 20, 100)  # collections took a tenth of the CPU time
URL = os.environ["CHATD_STAGE_URL"]
OWNER, OTHER = os.environ["CHATD_STAGE_TOKENS"].split(",")
EMAIL, PASSWORD = os.environ["CHATD_STAGE_LOGIN"].split(",")
OTHER_ID, BANNED_ID = os.environ["CHATD_STAGE_IDS"].split(",")
AS_OWNER = {"Authorization": f"Bearer {OWNER}"}
INVALID_FORM = 50035
_RESERVES_UPLOADS = "/channels/{channel_id}/attachments"  # a setting bounds their `file_size`
_LONG = 1000
"""Maximum length of texts of which schemathesis writes the lengths into the pattern."""
MAX_GUILDS = 50
"""Maximum number of guilds created by cases that are kept for later cases."""

PARTS = (
    "guild",
    "invite",
    "member",
    "role",
    "message",
    "marks",
    "ban",
    "strangers",
    "group",
    "theirs",
    "application",
    "command",
    "integration",
    "rule",
    "webhook",
)
_REACTIONS = "DELETE /channels/{channel_id}/messages/{message_id}/reactions"
BREAKS = {
    "DELETE /channels/{channel_id}/messages/{message_id}": {"message", "marks"},
    "POST /channels/{channel_id}/messages/bulk-delete": {"message", "marks"},
    "DELETE /channels/{channel_id}/messages/pins/{message_id}": {"marks"},
    "DELETE /channels/{channel_id}/pins/{message_id}": {"marks"},
    _REACTIONS: {"marks"},
    _REACTIONS + "/{emoji}": {"marks"},
    _REACTIONS + "/{emoji}/@me": {"marks"},
    _REACTIONS + "/{emoji}/{user_id}": {"marks"},
    "DELETE /channels/{channel_id}/permissions/{target_id}": {"role"},
    "DELETE /guilds/{guild_id}/roles/{role_id}": {"role"},
    "DELETE /guilds/{guild_id}/members/{user_id}/roles/{role_id}": set(),
    "DELETE /guilds/{guild_id}/members/{user_id}": {"member"},
    "PUT /guilds/{guild_id}/bans/{user_id}": {"member"},
    "DELETE /guilds/{guild_id}/bans/{user_id}": {"ban"},
    "POST /guilds/{guild_id}/bulk-ban": {"member", "ban"},
    "DELETE /invites/{code}": {"invite"},
    "DELETE /users/@me/guilds/{guild_id}": {"theirs"},
    "DELETE /channels/{channel_id}/recipients/{user_id}": {"group"},
    "PUT /users/@me/relationships/{user_id}": {"strangers"},
    "DELETE /applications/{application_id}": {"application", "command", "integration"},
    "POST /applications/{application_id}/delete": {"application", "command", "integration"},
    "DELETE /guilds/{guild_id}/integrations/{integration_id}": {"integration"},
    "DELETE /guilds/{guild_id}/auto-moderation/rules/{rule_id}": {"rule"},
    "DELETE /webhooks/{webhook_id}": {"webhook"},
    "DELETE /webhooks/{webhook_id}/{webhook_token}": {"webhook"},
    "DELETE /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}": {"message", "marks"},
}


_written = patterns.update_quantifier


def _write_length(pattern: str, min_length: int | None, max_length: int | None) -> str:
    """Return a pattern with the lengths in it, which takes up to 1.5 s to compile for megabytes.

    A schema whose pattern stays as it is keeps its lengths: it describes the same texts.
    """
    return pattern if (max_length or 0) > _LONG else _written(pattern, min_length, max_length)


setattr(converter, "update_quantifier", _write_length)  # noqa: B010  # no public name


def call(
    method: str, path: str, body: Any = None, token: str = OWNER, scheme: str = "Bearer"
) -> Any:
    """Return the JSON of a response."""
    headers = {"Authorization": f"{scheme} {token}"}
    answer = requests.request(method, URL + path, json=body, headers=headers, timeout=10)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def is_chained(case: Case[Any]) -> bool:
    """Return whether the ids of a case may come from earlier responses."""
    return case.meta is not None and case.meta.phase.name == TestPhase.STATEFUL


def ids(answer: Any) -> Iterator[str]:
    """Yield all values that a response calls an id."""
    for key, value in answer.items() if isinstance(answer, dict) else ():
        if isinstance(value, str) and (key in {"id", "code"} or key.endswith("_id")):
            yield value
        yield from ids(value)
    for value in answer if isinstance(answer, list) else ():
        yield from ids(value)


class Stage:
    """The ids of existing objects. What a case has broken is restored before the next case."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        self.broken: set[str] = set(PARTS)
        self.pointed: set[str] = set()
        self.made: set[str] = set()
        """Ids in earlier responses."""
        self.guilds: list[str] = []
        self.random = random.Random(0)

    def restore(self) -> None:
        """Create what is broken again, in an order in which each part finds what it needs."""
        if "guild" in self.broken:
            self.broken |= {"invite", "member", "role", "message", "marks", "ban"}
            self.broken |= {"integration", "webhook"}
        for part in PARTS:
            if part in self.broken:
                getattr(self, f"_make_{part}")()
        self.broken.clear()

    def _make_guild(self) -> None:
        for guild in call("GET", "/users/@me/guilds"):  # there is a limit to how many
            if guild["owner"]:
                call("DELETE", f"/guilds/{guild['id']}")
        guild = call("POST", "/guilds", {"name": "stage"})
        self.ids |= {
            "guild_id": guild["id"],
            "channel_id": guild["system_channel_id"],
            "owner_id": guild["owner_id"],
            "user_id": OTHER_ID,
            "emoji": "👍",
            "id_hash": "0" * 64,
            "settings_type": "1",
            "upload": "1",
            "export": "1",
            "uploaded_filename": "1",
            "channel": guild["system_channel_id"],
            "file": "1",
            "filename": "x.txt",
            "guild": guild["id"],
            "user": OTHER_ID,
            "name": "0.png",
        }

    def _make_invite(self) -> None:
        path = f"/channels/{self.ids['channel_id']}/invites"
        self.ids["code"] = call("POST", path, {"unique": True})["code"]

    def _make_member(self) -> None:
        ban = f"/guilds/{self.ids['guild_id']}/bans/{OTHER_ID}"
        call("PUT", ban, {})
        call("DELETE", ban)
        call("POST", f"/invites/{self.ids['code']}", {}, OTHER)

    def _make_role(self) -> None:
        role = call("POST", f"/guilds/{self.ids['guild_id']}/roles", {"name": "stage"})
        self.ids |= {"role_id": role["id"], "target_id": role["id"]}
        path = f"/channels/{self.ids['channel_id']}/permissions/{role['id']}"
        call("PUT", path, {"type": 0})

    def _make_message(self) -> None:
        path = f"/channels/{self.ids['channel_id']}/messages"
        self.ids["message_id"] = call("POST", path, {"content": "stage"})["id"]

    def _make_marks(self) -> None:
        path = f"/channels/{self.ids['channel_id']}/messages"
        call("PUT", f"{path}/{self.ids['message_id']}/reactions/{quote('👍')}/@me")
        call("PUT", f"{path}/pins/{self.ids['message_id']}")

    def _make_ban(self) -> None:
        call("PUT", f"/guilds/{self.ids['guild_id']}/bans/{BANNED_ID}", {})

    def _make_strangers(self) -> None:
        """Remove relationships of the owner and the other user: a block would keep them out of a
        group.
        """
        call("DELETE", f"/users/@me/relationships/{OTHER_ID}")

    def _make_group(self) -> None:
        wanted = {"recipients": [OTHER_ID, BANNED_ID]}
        self.ids["group"] = call("POST", "/users/@me/channels", wanted)["id"]

    def _make_application(self) -> None:
        for application in call("GET", "/applications"):  # there is a limit to how many
            call("DELETE", f"/applications/{application['id']}")
        self.ids["application_id"] = call("POST", "/applications", {"name": "stage"})["id"]

    def _make_command(self) -> None:
        """Create a command as the bot of the application."""
        path = f"/applications/{self.ids['application_id']}"
        bot = call("POST", f"{path}/bot/reset")["token"]
        command = {"name": "stage", "description": "x"}
        self.ids["command_id"] = call("POST", f"{path}/commands", command, bot, "Bot")["id"]

    def _make_integration(self) -> None:
        """Add the bot of the application to the guild: both have the id of the application."""
        application = self.ids["application_id"]
        call("PUT", f"/guilds/{self.ids['guild_id']}/members/{application}")
        self.ids |= {"integration_id": application, "application": application}
        self.ids["token_id"] = application  # of an authorization, which only some cases create

    def _make_webhook(self) -> None:
        for webhook in call("GET", f"/channels/{self.ids['channel_id']}/webhooks"):
            call("DELETE", f"/webhooks/{webhook['id']}")
        webhook = call("POST", f"/channels/{self.ids['channel_id']}/webhooks", {"name": "stage"})
        self.ids |= {"webhook_id": webhook["id"], "webhook_token": webhook["token"]}

    def _make_rule(self) -> None:
        path = f"/guilds/{self.ids['guild_id']}/auto-moderation/rules"
        for rule in call("GET", path):
            call("DELETE", f"{path}/{rule['id']}")
        body = {"name": "stage", "event_type": 1, "trigger_type": 1}
        self.ids["rule_id"] = call("POST", path, body)["id"]

    def _make_theirs(self) -> None:
        """Create a guild of the other user, in which the owner is a member."""
        if "theirs" not in self.ids:
            self.ids["theirs"] = call("POST", "/guilds", {"name": "theirs"}, OTHER)["id"]
        theirs = call("GET", f"/guilds/{self.ids['theirs']}", token=OTHER)
        path = f"/channels/{theirs['system_channel_id']}/invites"
        call("POST", f"/invites/{call('POST', path, {}, OTHER)['code']}", {})

    def point(self, case: Case[Any]) -> None:
        """Let the path of a case name existing objects: in the first case of a route, and in
        most others.
        """
        self.restore()
        is_right = case.meta is None or case.meta.generation.mode == GenerationMode.POSITIVE
        is_first = is_right and case.operation.label not in self.pointed
        if is_right:
            self.pointed.add(case.operation.label)
        if is_chained(case):  # without randomness, because schemathesis repeats its steps
            case.path_parameters = {
                name: value if value in self.made else self.ids.get(name, value)
                for name, value in case.path_parameters.items()
            }
            return
        case.path_parameters = {
            name: self.ids.get(name, value)
            if is_first or name == "id_hash" or self.random.random() < 0.8
            else value
            for name, value in case.path_parameters.items()
        }
        if is_first or self.random.random() < 0.5:
            if case.path == "/users/@me/guilds/{guild_id}":
                case.path_parameters["guild_id"] = self.ids["theirs"]
            if "/recipients/" in case.path:
                case.path_parameters["channel_id"] = self.ids["group"]
            if case.path == "/guilds/{guild_id}/bans/{user_id}" and case.method != "PUT":
                case.path_parameters["user_id"] = BANNED_ID

    def note(self, case: Case[Any], response: Response) -> None:
        """Record what a case has broken. A deletion that is missing here breaks all later cases."""
        if response.status_code >= 300:
            return
        operation = f"{case.method} {case.path}"
        if is_chained(case):
            self.made |= set(ids(response.json() if response.content else None)) - {OTHER_ID}
        if operation == "POST /guilds":
            self.guilds.append(response.json()["id"])
            while len(self.guilds) > (MAX_GUILDS if is_chained(case) else 0):
                requests.delete(f"{URL}/guilds/{self.guilds.pop(0)}", headers=AS_OWNER, timeout=10)
        elif operation == "POST /applications":
            call("DELETE", f"/applications/{response.json()['id']}")
        elif operation == "PATCH /guilds/{guild_id}":
            if response.json()["owner_id"] != self.ids["owner_id"]:
                self.broken.add("guild")
        elif operation in BREAKS or case.method == "DELETE":
            self.broken |= BREAKS.get(operation, set(PARTS))


stage = Stage()
snowflakes = st.integers(0, 2**63 - 1).map(str) | st.sampled_from(["guild_id", "role_id"]).map(
    lambda name: stage.ids.get(name, "1")
)
schemathesis.openapi.format("snowflake", snowflakes)


@schemathesis.hook
def before_call(ctx: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Point a case at existing objects, unless its path is what it tests."""
    if (
        case.path == "/auth/sessions/logout"
        and isinstance(case.body, dict)
        and case.body.get("session_id_hashes")
    ):
        case.body["session_id_hashes"] = ["0"]  # learns the id of the calling login
    is_wrong = case.meta is not None and case.meta.is_negative_at(ParameterLocation.PATH)
    if case.path_parameters and not is_wrong:
        stage.point(case)


@schemathesis.auth(refresh_interval=None)
class Owner:
    """The caller of a case. Logging out uses a login of its own, which ends with it."""

    def get(self, case: Case[Any], ctx: AuthContext) -> str:
        """Return the token for a case."""
        if ctx.operation.path != "/auth/logout":
            return OWNER
        login = call("POST", "/auth/login", {"email": EMAIL, "password": PASSWORD})
        return str(login["access_token"])

    def set(self, case: Case[Any], data: str, ctx: AuthContext) -> None:
        """Set the token of a case."""
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def after_call(ctx: HookContext, case: Case[Any], response: Response) -> None:
    """Record what a case has deleted."""
    stage.note(case, response)


@schemathesis.hook
def filter_failure(ctx: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Return whether a failure is a finding. All checks are on; three kinds of failures are
    expected.

    Unknown keys in queries are ignored, as by Discord, so that libraries may be newer than the
    server. Rules about stored objects, or between fields, cannot be expressed by a schema: these
    are the errors with codes of Discord other than 50035, and those in RULES.
    """
    if isinstance(failure, UseAfterFree):  # objects of the stage are created again
        return not set(case.path_parameters.values()) <= set(stage.ids.values())
    is_large_file = response.status_code == 413 and case.path == _RESERVES_UPLOADS
    if response.status_code == 431 or (  # refused before its content is checked
        is_large_file and isinstance(failure, RejectedPositiveData)
    ):
        return False
    if isinstance(failure, AcceptedNegativeData):
        return not any(name.startswith("x-schemathesis-unknown") for name in case.query or {})
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400:
        refusal = response.json()
        if refusal["code"] == INVALID_FORM:
            found = leaves(refusal["errors"])
            return not all(leaf in RULES or leaf[1] == "URL_TYPE_INVALID_URL" for leaf in found)
        return not refusal["code"]
    return True


def leaves(errors: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Yield the fields with errors, each with its error code. `x[]` is an element of `x`."""
    for key, inner in errors.items():
        if key == "_errors":
            yield from ((field, each["code"]) for each in inner)
        elif key.isdigit():
            yield from leaves(inner, f"{field.removesuffix('[]')}[]")
        else:
            yield from leaves(inner, key)
