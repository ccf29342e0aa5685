"""What clients of Spacebar look up before a login, with only the address of the server."""

from __future__ import annotations

import pytest

from chatd.rest.routing import PREFIXES
from tests.conftest import ServeMore, Server
from tests.helpers.raw_http import raw_response
from tests.world import World, world_on


async def test_client_finds_everything_from_the_address(world: World) -> None:
    found = await world.anonymous.get("/.well-known/spacebar/client")
    assert found["api"] == {
        "baseUrl": world.url,
        "apiVersions": {"default": "9", "active": ["9", "10"]},
    }
    api = found["api"]["baseUrl"].removeprefix(world.url) + "/api/v9"
    assert (await world.anonymous.get(f"{api}/ping"))["ping"] == "pong!"
    assert found["cdn"] == {"baseUrl": world.url}
    avatar = await world.anonymous.call("GET", "/embed/avatars/0.png")
    assert (avatar.status, avatar.headers["Content-Type"]) == (200, "image/png")
    assert found["gateway"]["baseUrl"] == (await world.anonymous.get("/gateway"))["url"]
    assert found["gateway"]["encoding"] == ["json"]
    assert found["gateway"]["compression"] == ["zstd-stream", "zlib-stream", None]


async def test_older_clients_find_everything_from_the_address(world: World) -> None:
    assert await world.anonymous.get("/.well-known/spacebar") == {"api": f"{world.url}/api/"}
    domains = await world.anonymous.get("/api/policies/instance/domains")
    assert domains == {
        "api": f"{world.url}/api/",
        "apiEndpoint": f"{world.url}/api/v9",
        "cdn": world.url,
        "defaultApiVersion": "9",
        "gateway": (await world.anonymous.get("/gateway"))["url"],
    }


async def test_server_is_named_by_its_host(world: World) -> None:
    host = world.url.removeprefix("http://")
    ping = await world.anonymous.get("/api/v9/ping")
    assert (ping["instance"]["id"], ping["instance"]["name"]) == (host, host)
    assert ping["instance"]["tosPage"] is None
    assert (await world.anonymous.get("/policies/instance"))["instanceName"] == host
    assert (await world.anonymous.call("HEAD", "/ping")).status == 200


@pytest.mark.parametrize("path", ["/ping", "/.well-known/spacebar", "/policies/instance/domains"])
async def test_odd_host_is_refused(server: Server, path: str) -> None:
    request = b"GET " + path.encode() + b" HTTP/1.1\r\nHost: <script>\r\n\r\n"
    assert (await raw_response(server, request)).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("open", (False, False, True)),
        ("invitation", (False, True, True)),
        ("closed", (True, False, False)),
    ],
)
async def test_config_has_the_rules_of_registration(
    serve_more: ServeMore, policy: str, expected: tuple[bool, bool, bool]
) -> None:
    async with (
        serve_more(worker_id=7, registration=policy, upload_max_bytes=12345) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        config = await world.anonymous.get("/api/v9/policies/instance/config")
        assert expected == (
            config["register_disabled"],
            config["register_requireInvite"],
            config["register_allowNewRegistration"],
        )
        assert config["limits_message_maxAttachmentSize"] == 12345


async def test_limits_are_those_of_the_server(world: World) -> None:
    limits = await world.anonymous.get("/policies/instance/limits")
    alice = await world.person("alice")
    guild = await world.guild(owner="alice")
    for maximum, status in ((0, 200), (1, 400)):
        content = "x" * (limits["message"]["maxCharacters"] + maximum)
        answer = await alice.rest.call(
            "POST", f"/channels/{guild.general.id}/messages", {"content": content}
        )
        assert answer.status == status
        topic = {"topic": "x" * (limits["channel"]["maxTopic"] + maximum)}
        answer = await alice.rest.call("PATCH", f"/channels/{guild.general.id}", topic)
        assert answer.status == status
        bio = {"bio": "x" * (limits["user"]["maxBio"] + maximum)}
        assert (await alice.rest.call("PATCH", "/users/@me", bio)).status == status


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_a_token_is_not_needed_and_not_read(world: World, prefix: str) -> None:
    for path in ("/ping", "/policies/instance/config"):
        answer = await world.anonymous.call(
            "GET", prefix + path, headers={"Authorization": "expired"}
        )
        assert answer.status == 200
