"""chatd user invite, invitations and revoke-invite."""

from __future__ import annotations

import asyncio

from tests.cli.conftest import Chatd
from tests.conftest import ServeMore
from tests.world import PASSWORD, world_on


async def test_invitation_can_be_used_and_revoked(serve_more: ServeMore, chatd: Chatd) -> None:
    async with (
        serve_more(worker_id=1, registration="invitation") as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        code = (await chatd.well("user", "invite", "--uses", "2", "--expires", "1h")).output.strip()
        body = {"username": "guest", "email": "guest@example.org", "password": PASSWORD}
        await world.anonymous.post("/auth/register", {**body, "invitation": code})
        [row] = [row for row in (await chatd.well("user", "invitations")).rows if row[0] == code]
        assert row[1] == "1"

        assert await chatd.refused("user", "revoke-invite", code, code=2) == (
            "chatd: without a terminal, this needs --yes"
        )
        said = await chatd.well("user", "revoke-invite", code, "--yes")
        assert said.output == f"Revoked {code}.\n"
        other = {"username": "other", "email": "other@example.org", "password": PASSWORD}
        late = await world.anonymous.call("POST", "/auth/register", {**other, "invitation": code})
        assert late.status == 400
        assert "no invitation" in await chatd.refused("user", "revoke-invite", code, "--yes")


async def test_former_name_of_revoke_invite_is_accepted(chatd: Chatd) -> None:
    code = (await chatd.well("user", "invite")).output.strip()
    said = await asyncio.to_thread(chatd.run, "user", "uninvite", code, "--yes")
    assert (said.code, said.output) == (0, f"Revoked {code}.\n")
    assert "deprecated. Use `chatd user revoke-invite`." in said.complaints
    assert code not in {row[0] for row in (await chatd.well("user", "invitations")).rows}
