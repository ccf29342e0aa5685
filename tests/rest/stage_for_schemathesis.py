"""The hooks of `test_schemathesis.py`: they run in the process of schemathesis, not in pytest's.

A part of its cases is pointed at things that exist: at a guild of the owner's with one of
everything, which is made anew when a case has deleted some of it.
"""

from __future__ import annotations

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
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

URL = os.environ["CHATD_STAGE_URL"]
OWNER, OTHER = os.environ["CHATD_STAGE_TOKENS"].split(",")
EMAIL, PASSWORD = os.environ["CHATD_STAGE_LOGIN"].split(",")
OTHER_ID, BANNED_ID = os.environ["CHATD_STAGE_IDS"].split(",")
AS_OWNER = {"Authorization": f"Bearer {OWNER}"}
INVALID_FORM = 50035
MOST_GUILDS = 50
"""So many that cases have made stay for the next ones."""

RULES = {
    ("password", "INVALID_LOGIN"): "nobody has this address and this password",
    ("username", "USERNAME_ALREADY_TAKEN"): "a rule about what is there",
    ("username", "USERNAME_INVALID"): "its length counts after NFKC; no pattern can say that",
    ("name", "USERNAME_INVALID"): "as with names of accounts",
    ("flags", "BASE_TYPE_CHOICES"): "only some bits can be set",
    ("email", "EMAIL_ALREADY_REGISTERED"): "a rule about what is there",
    ("email", "EMAIL_TYPE_INVALID_EMAIL"): "a format binds nobody in JSON Schema 2020-12",
    ("communication_disabled_until", "DATE_TIME_TYPE_PARSE"): "as with the format of addresses",
    ("communication_disabled_until", "BASE_TYPE_INVALID"): "it has to end in the next 28 days",
    ("before", "DATE_TIME_TYPE_PARSE"): "as with the format of addresses",
    ("before", "BASE_TYPE_CHOICES"): "only one cursor may be given",
    ("owner_id", "GUILD_OWNER_INVALID"): "the owner has to be a member",
    ("system_channel_id", "CHANNEL_INVALID"): "it has to be in the guild",
    ("id", "CHANNEL_INVALID"): "it has to be in the guild",
    ("parent_id", "CHANNEL_PARENT_INVALID_TYPE"): "it has to be a category of the guild",
    ("parent_id", "CHANNEL_PARENT_INVALID"): "categories have no parents",
    ("position", "ROLE_POSITION_INVALID"): "only @everyone stands at 0",
    ("timestamp", "DATE_TIME_TYPE_PARSE"): "as with the format of addresses",
    ("url", "URL_TYPE_INVALID_URL"): "as with the format of addresses",
    ("icon_url", "URL_TYPE_INVALID_URL"): "as with the format of addresses",
    ("avatar", "IMAGE_INVALID"): "only what decodes as an image is one",
    ("icon", "IMAGE_INVALID"): "as with avatars",
    ("password", "PASSWORD_DOES_NOT_MATCH"): "only the owner knows it",
    ("attachments", "ATTACHMENT_NOT_FOUND"): "it has to come in the same form",
    ("_errors", "CONTENT_TYPE_INVALID"): "a form has its own grammar",
    ("", "CONTENT_TYPE_INVALID"): "a form has its own grammar",
    ("description", "BASE_TYPE_REQUIRED"): "an embed has to show something",
    ("embeds", "MAX_EMBED_SIZE_EXCEEDED"): "all texts of all embeds count together",
    ("parse", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"): "two fields exclude each other",
    ("name", "BASE_TYPE_REQUIRED"): "only a group may be without",
    ("recipient_id", "BASE_TYPE_REQUIRED"): "one of two fields has to be there",
    ("message_reference", "REPLIES_UNKNOWN_MESSAGE"): "what is answered has to be there",
}
"""Why what the document allows may be refused all the same: rules that no schema can say."""


PARTS = (
    "guild",
    "invite",
    "member",
    "role",
    "message",
    "marks",
    "ban",
    "group",
    "theirs",
    "application",
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
    "DELETE /applications/{application_id}": {"application"},
    "POST /applications/{application_id}/delete": {"application"},
}


def call(method: str, path: str, body: Any = None, token: str = OWNER) -> Any:
    """The JSON of an answer."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.request(method, URL + path, json=body, headers=headers, timeout=10)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def is_chained(case: Case[Any]) -> bool:
    """Whether the ids of a case may come from answers to those before it."""
    return case.meta is not None and case.meta.phase.name == TestPhase.STATEFUL


def ids(answer: Any) -> Iterator[str]:
    """All that an answer calls an id."""
    for key, value in answer.items() if isinstance(answer, dict) else ():
        if isinstance(value, str) and (key in {"id", "code"} or key.endswith("_id")):
            yield value
        yield from ids(value)
    for value in answer if isinstance(answer, list) else ():
        yield from ids(value)


class Stage:
    """The ids of things that are there; what a case has broken is mended before the next."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        self.broken: set[str] = set(PARTS)
        self.pointed: set[str] = set()
        self.made: set[str] = set()
        """Ids that answers have told of."""
        self.guilds: list[str] = []
        self.random = random.Random(0)

    def mend(self) -> None:
        """Make what is broken anew, in an order in which each part finds what it needs."""
        if "guild" in self.broken:
            self.broken |= {"invite", "member", "role", "message", "marks", "ban"}
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

    def _make_group(self) -> None:
        wanted = {"recipients": [OTHER_ID, BANNED_ID]}
        self.ids["group"] = call("POST", "/users/@me/channels", wanted)["id"]

    def _make_application(self) -> None:
        for application in call("GET", "/applications"):  # there is a limit to how many
            call("DELETE", f"/applications/{application['id']}")
        self.ids["application_id"] = call("POST", "/applications", {"name": "stage"})["id"]

    def _make_theirs(self) -> None:
        """A guild of the other's, of which the owner is a member."""
        if "theirs" not in self.ids:
            self.ids["theirs"] = call("POST", "/guilds", {"name": "theirs"}, OTHER)["id"]
        theirs = call("GET", f"/guilds/{self.ids['theirs']}", token=OTHER)
        path = f"/channels/{theirs['system_channel_id']}/invites"
        call("POST", f"/invites/{call('POST', path, {}, OTHER)['code']}", {})

    def point(self, case: Case[Any]) -> None:
        """Let the path of a case name what is there: for the first of a route, and for most."""
        self.mend()
        is_right = case.meta is None or case.meta.generation.mode == GenerationMode.POSITIVE
        is_first = is_right and case.operation.label not in self.pointed
        if is_right:
            self.pointed.add(case.operation.label)
        if is_chained(case):  # without chance: schemathesis walks the same way again
            case.path_parameters = {
                name: value if value in self.made else self.ids[name]
                for name, value in case.path_parameters.items()
            }
            return
        case.path_parameters = {
            name: self.ids[name]
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
        """Heed what a case has broken: a deletion that is not listed breaks everything."""
        if response.status_code >= 300:
            return
        operation = f"{case.method} {case.path}"
        if is_chained(case):
            self.made |= set(ids(response.json() if response.content else None)) - {OTHER_ID}
        if operation == "POST /guilds":
            self.guilds.append(response.json()["id"])
            while len(self.guilds) > (MOST_GUILDS if is_chained(case) else 0):
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
    """Point at what is there, unless the path is what is wrong with this case."""
    if (
        case.path == "/auth/sessions/logout"
        and isinstance(case.body, dict)
        and case.body.get("session_id_hashes")
    ):
        case.body["session_id_hashes"] = ["0"]  # it learns that of the login that calls
    is_wrong = case.meta is not None and case.meta.is_negative_at(ParameterLocation.PATH)
    if case.path_parameters and not is_wrong:
        stage.point(case)


@schemathesis.auth(refresh_interval=None)
class Owner:
    """Who calls; logging out takes a login of its own, which ends with it."""

    def get(self, case: Case[Any], ctx: AuthContext) -> str:
        """The token for a case."""
        if ctx.operation.path != "/auth/logout":
            return OWNER
        login = call("POST", "/auth/login", {"email": EMAIL, "password": PASSWORD})
        return str(login["access_token"])

    def set(self, case: Case[Any], data: str, ctx: AuthContext) -> None:
        """Send it along."""
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def after_call(ctx: HookContext, case: Case[Any], response: Response) -> None:
    """Take note of what is gone."""
    stage.note(case, response)


@schemathesis.hook
def filter_failure(ctx: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Whether a failure is a finding. No check is off; these three things are none of its business.

    Unknown keys in queries are ignored, as by Discord, so that libraries may be newer than the
    server; and there are rules about what is stored, or between fields, that no schema can say:
    those of Discord's codes but 50035, and those in RULES.
    """
    if isinstance(failure, UseAfterFree):  # what is the stage's own is made anew
        return not set(case.path_parameters.values()) <= set(stage.ids.values())
    if isinstance(failure, AcceptedNegativeData):
        return not any(name.startswith("x-schemathesis-unknown") for name in case.query or {})
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400:
        refusal = response.json()
        if refusal["code"] == INVALID_FORM:
            return not all(leaf in RULES for leaf in leaves(refusal["errors"]))
        return not refusal["code"]
    return True


def leaves(errors: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """The fields at fault, each with the code of what is wrong with it."""
    for key, inner in errors.items():
        if key == "_errors":
            yield from ((field, each["code"]) for each in inner)
        else:
            yield from leaves(inner, key)
