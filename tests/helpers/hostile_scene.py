"""A guild, accounts and applications with a hostile text in every field that clients show."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from tests.helpers.accounts import log_in
from tests.helpers.attachments import message_form, png_bytes, send_form
from tests.helpers.components import button, container, label, link, row, section, select, text
from tests.world import Guild, Person, World, befriend

MARKUP: Final = '"><img src=x onerror=hacked=1><script>hacked=1</script>'
"""Would run in a page that takes texts as HTML."""

_TEMPLATE: Final = "{{7*7}}${7*7}{ $name }<%= 7*7 %>"
_INVISIBLE: Final = "\u202e\u2066\u200f\u200b\ufeff\x07\x1b[31m\u2028"
_ZALGO: Final = "Z" + "\u0347\u0301" * 60

TEXT: Final = f"{MARKUP}{_TEMPLATE}{_INVISIBLE}{_ZALGO}{'W' * 200}"
"""For free texts: markup, templates, characters that change directions, marks, a long word."""

NAME: Final = f"{MARKUP}{_TEMPLATE}{'W' * 200}"
"""For names: they have no invisible characters."""

MARKS: Final = (
    f"<:{'W' * 32}:1> <@&1> <#1> <@1> [{MARKUP}](https://{'e' * 60}.example) ||{MARKUP}||\n"
    f"# {MARKUP}\n> {MARKUP}\n- {MARKUP}\n```{'W' * 20}\n{TEXT}\n```"
)

EMBED: Final[dict[str, Any]] = {
    "title": TEXT[:256],
    "url": "https://example.org/" + "e" * 300,
    "description": TEXT,
    "author": {"name": TEXT[:256], "url": "https://example.org/"},
    "footer": {"text": TEXT},
    "image": {"url": "https://example.org/" + "i" * 300},
    "fields": [
        {"name": TEXT[:256], "value": TEXT, "inline": True},
        {"name": MARKUP, "value": MARKUP, "inline": True},
    ],
    "timestamp": "2026-01-02T03:04:05Z",
}

FORM: Final[dict[str, Any]] = {
    "id": "1",
    "channel_id": "1",
    "custom_id": MARKUP,
    "title": NAME[:45],
    "application": {"id": "1", "name": NAME[:32]},
    "components": [
        text(TEXT),
        label(
            {"type": 4, "custom_id": "a", "style": 2, "placeholder": NAME[:100], "value": TEXT},
            label=NAME[:45],
            description=NAME[:100],
        ),
        label(select("b", NAME[:100], max_values=1), label=NAME[:45]),
    ],
}
"""A form as an event brings it: its application is not here."""


class HostileScene:
    """Ada's guild, with Bob, Carol and a bot in it."""

    def __init__(self, world: World, ada: Person, guild: Guild) -> None:
        self.world = world
        self.ada = ada
        self.guild = guild
        self.invite = ""

    async def build(self) -> None:
        bob, carol, dan = await self.world.people("bob", "carol", "dan")
        await befriend(self.ada, bob, carol)
        await self._accounts(self.ada, bob, carol, dan)
        await self._guild(bob, dan)
        await self._messages(bob)
        await self._audit_log(dan)
        group = await self.ada.rest.post("/users/@me/channels", {"recipients": [bob.id, carol.id]})
        await self.ada.rest.patch(f"/channels/{group['id']}", {"name": NAME[:100]})
        await bob.rest.post(f"/channels/{group['id']}/messages", {"content": TEXT})

    async def _accounts(self, *people: Person) -> None:
        for person in people:
            name = {"global_name": NAME[:32]}
            await person.rest.patch("/users/@me", name)
            await person.rest.patch("/users/@me/profile", {"bio": TEXT[:190]})
        status = {"custom_status": {"text": NAME[:128]}}
        await people[1].rest.patch("/users/@me/settings", status)
        await log_in(self.world, people[0], user_agent=MARKUP + "W" * 200)
        application = await self.ada.rest.post("/applications", {"name": NAME[:32]})
        await self.ada.rest.patch(f"/applications/{application['id']}", {"description": TEXT[:400]})

    async def _guild(self, bob: Person, dan: Person) -> None:
        rest = self.ada.rest
        path = f"/guilds/{self.guild.id}"
        await rest.patch(path, {"name": NAME[:100], "description": NAME[:120]})
        category = await rest.post(f"{path}/channels", {"name": NAME[:100], "type": 4})
        await rest.post(
            f"{path}/channels", {"name": NAME[:100], "type": 0, "parent_id": category["id"]}
        )
        await rest.patch(f"/channels/{self.guild.general.id}", {"topic": TEXT})
        role = await rest.post(f"{path}/roles", {"name": NAME[:100], "hoist": True})
        await rest.put(f"{path}/members/{bob.id}/roles/{role['id']}")
        await rest.patch(f"{path}/members/{bob.id}", {"nick": NAME[:32]})
        invite = await rest.post(f"/channels/{self.guild.general.id}/invites", {})
        self.invite = invite["code"]

    async def _messages(self, bob: Person) -> None:
        path = f"/channels/{self.guild.general.id}/messages"
        sent = await bob.rest.post(path, {"content": TEXT})
        await self.ada.rest.put(f"/channels/{self.guild.general.id}/pins/{sent['id']}")
        await bob.rest.post(
            path,
            {
                "content": MARKS,
                "message_reference": {"message_id": sent["id"]},
            },
        )
        bot = await self.world.bot("bot", "ada", self.guild)
        await bot.rest.patch("/users/@me", {"username": "W" * 32})
        chooser = select(MARKUP, NAME[:100], max_values=1, placeholder=NAME[:150])
        chooser["options"][0] |= {"label": NAME[:100], "description": NAME[:100], "value": "1"}
        several = {**chooser, "custom_id": "several", "max_values": 2, "min_values": 0}
        several["options"] = [*chooser["options"], {"label": TEXT[:100], "value": "2"}]
        rows = [
            row(button("a", label=NAME[:80]), link(label=NAME[:80])),
            row(chooser),
            row(several),
        ]
        await bot.rest.post(path, {"content": TEXT, "components": rows, "embeds": [EMBED]})
        card = container(section(TEXT, accessory=button("c", label=NAME[:80])), text(TEXT))
        await bot.rest.post(path, {"flags": 1 << 15, "components": [card]})
        hook = await self.ada.rest.post(
            f"/channels/{self.guild.general.id}/webhooks", {"name": NAME[:80]}
        )
        address = f"/webhooks/{hook['id']}/{hook['token']}?wait=true"
        await self.world.anonymous.post(address, {"content": TEXT, "username": NAME[:80]})
        payload = {"attachments": [{"id": 0, "description": TEXT[:1024]}, {"id": 1}]}
        files = message_form(
            payload, ("W" * 200 + ".png", png_bytes()), (f"{MARKUP}\u202egnp.exe", b"x")
        )
        assert (await send_form(bob.rest, path, files)).status == 200

    async def _audit_log(self, dan: Person) -> None:
        """Ban someone, and delete a channel, each with a reason."""
        reason = {"X-Audit-Log-Reason": quote(TEXT[:512])}
        path = f"/guilds/{self.guild.id}"
        answer = await self.ada.rest.call("PUT", f"{path}/bans/{dan.id}", {}, headers=reason)
        assert answer.status == 204
        gone = await self.ada.rest.post(f"{path}/channels", {"name": NAME[:100], "topic": TEXT})
        answer = await self.ada.rest.call("DELETE", f"/channels/{gone['id']}", headers=reason)
        assert answer.status == 200
