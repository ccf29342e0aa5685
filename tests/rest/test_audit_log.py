"""Reading the audit log: filters, pages, and entries that a member may not see."""

from __future__ import annotations

from typing import Any

import pytest

from chatd.core.audit import AuditAction as A
from chatd.core.permissions import Permissions
from chatd.services.guilds import audit_log
from tests.world import Person, World


async def test_log_is_filtered_by_target(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob, carol = await world.people("bob", "carol")
    for person in (bob, carol, bob):
        path = f"/guilds/{guild.id}/members/{person.id}"
        await guild.owner.rest.patch(path, {"nick": "a"})
        await guild.owner.rest.patch(path, {"nick": None})
    log = f"/guilds/{guild.id}/audit-logs?target_id"
    for person, count in ((bob, 4), (carol, 2)):
        entries = (await guild.owner.rest.get(f"{log}={person.id}"))["audit_log_entries"]
        assert [each["target_id"] for each in entries] == [person.id] * count
    assert (await guild.owner.rest.get(f"{log}=1"))["audit_log_entries"] == []
    both = await guild.owner.rest.get(f"{log}={bob.id}&user_id={carol.id}")
    assert both["audit_log_entries"] == []


SECRET = {"topic": "the plan"}


async def test_hidden_channel_stays_hidden_in_the_log_after_its_deletion(world: World) -> None:
    """This applies to every entry about the channel."""
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    rest, (bob, carol) = guild.owner.rest, await world.people("bob", "carol")
    view = int(Permissions.VIEW_CHANNEL)
    reader = {"name": "reader", "permissions": str(int(Permissions.VIEW_AUDIT_LOG))}
    insider = {"name": "insider", "permissions": "0"}
    reads, sees = [await rest.post(f"/guilds/{guild.id}/roles", each) for each in (reader, insider)]
    for person, role in ((bob, reads), (carol, reads), (carol, sees)):
        await rest.put(f"/guilds/{guild.id}/members/{person.id}/roles/{role['id']}")
    hidden = [
        {"id": guild.id, "type": 0, "deny": str(view)},
        {"id": sees["id"], "type": 0, "allow": str(view)},
    ]
    shown = await guild.channel("shown", topic="known to all")
    secret = await guild.channel("secret", **SECRET, permission_overwrites=hidden)
    await rest.patch(f"/channels/{secret.id}", {"topic": "the second plan"})
    await rest.put(f"/channels/{secret.id}/permissions/{bob.id}", {"type": 1, "deny": str(view)})
    await rest.delete(f"/channels/{secret.id}/permissions/{bob.id}")
    await rest.post(f"/channels/{secret.id}/invites", {})
    message = await carol.rest.post(f"/channels/{secret.id}/messages", {"content": "hm"})
    await rest.put(f"/channels/{secret.id}/pins/{message['id']}")
    await rest.delete(f"/channels/{secret.id}/messages/{message['id']}")
    path = f"/guilds/{guild.id}/audit-logs"
    before = {each.id: (await each.rest.get(path))["audit_log_entries"] for each in (bob, carol)}
    for channel in (shown, secret):
        await rest.delete(f"/channels/{channel.id}")

    async def read(of: Person, query: str = "") -> list[Any]:
        return list((await of.rest.get(path + query))["audit_log_entries"])

    deleted = f"?action_type={int(A.CHANNEL_DELETE)}"
    assert [each["target_id"] for each in await read(bob, deleted)] == [shown.id]
    assert [each["target_id"] for each in await read(carol, deleted)] == [secret.id, shown.id]
    assert [each["target_id"] for each in await read(guild.owner, deleted)] == [secret.id, shown.id]
    for person, more in ((bob, 1), (carol, 2)):
        assert len(await read(person)) == len(before[person.id]) + more
    # Pages are full although entries are omitted, in both orders.
    ids = [each["id"] for each in await read(bob)]
    assert [each["id"] for each in await read(bob, "?limit=3")] == ids[:3]
    assert [each["id"] for each in await read(bob, f"?limit=4&before={ids[0]}")] == ids[1:5]
    assert [each["id"] for each in await read(bob, "?limit=4&after=0")] == ids[::-1][:4]
    assert secret.id not in repr(await bob.rest.get(path))


async def test_deleted_channel_with_many_overwrites_is_shown_to_administrators(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry does not contain all overwrites, so visibility cannot be determined."""
    monkeypatch.setattr(audit_log, "_MAX_OVERWRITES", 2)
    guild = await world.guild(owner="alice", members=["bob"])
    rest, bob = guild.owner.rest, await world.person("bob")
    reader = {"name": "reader", "permissions": str(int(Permissions.VIEW_AUDIT_LOG))}
    roles = [await rest.post(f"/guilds/{guild.id}/roles", reader) for _ in range(3)]
    await rest.put(f"/guilds/{guild.id}/members/{bob.id}/roles/{roles[0]['id']}")
    overwrites = [{"id": each["id"], "type": 0, "allow": "1024"} for each in roles]
    channel = await guild.channel("full", permission_overwrites=overwrites)
    await rest.delete(f"/channels/{channel.id}")
    path = f"/guilds/{guild.id}/audit-logs?action_type={int(A.CHANNEL_DELETE)}"
    assert (await bob.rest.get(path))["audit_log_entries"] == []
    [entry] = (await rest.get(path))["audit_log_entries"]
    assert entry["target_id"] == channel.id
