"""Permissions that the web client computes, compared with those of the server."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from playwright.async_api import Page

from chatd.core import permissions
from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.overwrites import Overwrite, OverwriteType
from chatd.core.permissions import Permissions
from tests.conftest import Server
from tests.helpers.browser import needs_chromium
from tests.helpers.web_client import page_of

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

_GUILD, _USER, _OWNER = 1, 2, 3
_ROLES = range(10, 16)
_EXAMPLES = 2000


async def test_permissions_are_those_that_the_server_computes(
    web: Server, problems: list[str]
) -> None:
    async with page_of(f"{web.url}/app", problems) as page:
        source = random.Random(7)
        cases = [_case(source) for _ in range(_EXAMPLES)]
        granted = await _in_page(
            page,
            "permissions.js",
            "(module, cases) => cases.map(([guild, channel]) => String("
            'module.permissionsOf(guild, "2", channel ?? undefined)))',
            cases,
        )
        for (guild, channel), found in zip(cases, granted, strict=True):
            assert Permissions(int(found)) == _by_the_server(guild, channel), (guild, channel)
        assert len(set(granted)) > _EXAMPLES / 10  # the cases differ
        listed = await _in_page(
            page,
            "permission_list.js",
            "(module) => [Object.entries(module.BITS).map(([name, bit]) => [name, String(bit)]),"
            " module.GROUPS.flatMap(([, names]) => names), [...module.OF_GUILDS]]",
        )
        bits, grouped, of_guilds = listed
        assert {name: int(bit) for name, bit in bits} == {
            str(each.name): each.value for each in Permissions
        }
        assert sorted(grouped) == sorted(str(each.name) for each in Permissions)
        assert set(of_guilds) == {each.name for each in permissions.OF_GUILDS}


async def _in_page(page: Page, name: str, call: str, argument: Any = None) -> Any:
    """Run a function with a module of the client, in the page."""
    script = await page.locator("script[type=module]").get_attribute("src")
    assert script is not None
    address = re.sub(r"main\.js$", f"state/{name}", script)
    return await page.evaluate(
        f"async ([address, argument]) => ({call})(await import(address), argument)",
        [address, argument],
    )


def _case(source: random.Random) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return a guild with a member, and in most cases a channel of it, as the client has them."""
    roles = [each for each in _ROLES if source.random() < 0.4]
    until = source.choice([None, None, "2000-01-01T00:00:00+00:00", "2999-01-01T00:00:00+00:00"])
    guild = {
        "id": str(_GUILD),
        "owner_id": str(source.choice([_OWNER] * 20 + [_USER])),
        "roles": {
            str(each): {"id": str(each), "permissions": str(_bits(source))}
            for each in (_GUILD, *_ROLES)
        },
        "members": {
            str(_USER): {
                "user": {"id": str(_USER)},
                "roles": [str(each) for each in roles],
                "communication_disabled_until": until,
            }
        },
    }
    if source.random() < 0.1:
        return guild, None
    targets = [(_GUILD, 0), (_USER, 1), (_OWNER, 1), *((each, 0) for each in _ROLES)]
    chosen = source.sample(targets, source.randrange(len(targets)))
    overwrites = [
        {"id": str(target), "type": kind, "allow": str(_bits(source)), "deny": str(_bits(source))}
        for target, kind in chosen
    ]
    return guild, {"id": "99", "permission_overwrites": overwrites}


def _bits(source: random.Random) -> int:
    """Return some permissions. ADMINISTRATOR is rare, VIEW_CHANNEL frequent."""
    bits = source.getrandbits(53) & source.getrandbits(53) & permissions.ALL
    if source.random() < 0.9:
        bits &= ~Permissions.ADMINISTRATOR
    if source.random() < 0.5:
        bits |= Permissions.VIEW_CHANNEL
    return int(bits)


def _by_the_server(guild: dict[str, Any], channel: dict[str, Any] | None) -> Permissions:
    """Return what the server grants the member, as `services/access/access.py` computes it."""
    member = guild["members"][str(_USER)]
    roles = [RoleId(int(each)) for each in member["roles"]]
    granted = permissions.in_guild(
        is_owner=guild["owner_id"] == str(_USER),
        roles=[
            Permissions(int(guild["roles"][str(each)]["permissions"])) for each in (_GUILD, *roles)
        ],
    )
    if channel is not None:
        overwrites = [
            Overwrite(
                int(each["id"]),
                OverwriteType(each["type"]),
                int(each["allow"]),
                int(each["deny"]),
            )
            for each in channel["permission_overwrites"]
        ]
        granted = permissions.in_channel(
            granted, overwrites, guild_id=GuildId(_GUILD), user_id=UserId(_USER), roles=roles
        )
    is_timed_out = (member["communication_disabled_until"] or "").startswith("2999")
    return permissions.while_timed_out(granted) if is_timed_out else granted
