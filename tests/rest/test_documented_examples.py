"""The examples of the OpenAPI document work, when the ids in them are those of the server."""

from __future__ import annotations

import json
from typing import Any

from chatd.db.pool import Database
from chatd.rest import openapi
from chatd.rest.openapi import typical
from chatd.rest.table import table
from tests.helpers.commands import Commands
from tests.helpers.interactions import interaction_stage
from tests.world import World, like

PATHS = openapi.document(table())["paths"]


def example_of(path: str, **replaced: str) -> Any:
    """The example body of a POST request, with other ids."""
    text = json.dumps(PATHS[path]["post"]["requestBody"]["content"]["application/json"]["example"])
    for name, value in replaced.items():
        text = text.replace(getattr(typical, name), value)
    return json.loads(text)


async def test_example_of_a_command_is_used_and_answered(world: World, database: Database) -> None:
    stage = await interaction_stage(world, database, "bob")
    defined = example_of("/applications/{application_id}/commands")
    command_id = await Commands(stage.bot).add(defined.pop("name"), **defined)
    bob = await world.person("bob")
    used = example_of(
        "/interactions",
        APPLICATION_ID=stage.bot.id,
        GUILD_ID=stage.guild.id,
        CHANNEL_ID=stage.guild.general.id,
        COMMAND_ID=command_id,
    )
    await bob.rest.post("/interactions", used)
    received = await stage.received()
    options = [{"type": 3, "name": "animal", "value": "dog"}]
    assert received.payload["data"] == like(name="blep", options=options)
    answer = example_of("/interactions/{interaction_id}/{interaction_token}/callback")
    path = f"/interactions/{received.payload['id']}/{received.payload['token']}/callback"
    told = await world.anonymous.call("POST", f"{path}?with_response=true", answer)
    assert told.json["resource"]["message"] == like(content="A dog", flags=64)


async def test_example_of_github_sends_a_message(world: World) -> None:
    guild = await world.guild(owner="alice")
    channel = f"/channels/{guild.general.id}"
    made = await guild.owner.rest.post(f"{channel}/webhooks", {"name": "Builds"})
    path = "/webhooks/{webhook_id}/{webhook_token}/github"
    [header] = [each for each in PATHS[path]["post"]["parameters"] if each.get("in") == "header"]
    await world.anonymous.call(
        "POST",
        f"/webhooks/{made['id']}/{made['token']}/github",
        example_of(path),
        headers={header["name"]: header["example"]},
    )
    [message] = await guild.owner.rest.get(f"{channel}/messages?limit=1")
    assert message["embeds"][0]["title"] == "[ada/engine] New star added"
    [sample] = PATHS[path]["post"]["x-codeSamples"]
    assert "-H 'X-GitHub-Event: watch'" in sample["source"]


async def test_examples_of_an_upload_name_the_parts_of_the_link(world: World) -> None:
    [put] = PATHS["/uploads/{upload}"]["put"]["x-codeSamples"]
    guild = await world.guild(owner="alice")
    body = example_of("/channels/{channel_id}/attachments")
    path = f"/channels/{guild.general.id}/attachments"
    [reserved] = (await guild.owner.rest.post(path, body))["attachments"]
    names = [each.partition("=")[0] for each in reserved["upload_url"].partition("?")[2].split("&")]
    assert all(f"{name}=" in put["source"] for name in names if name != "upload_id")
    assert "--data-binary @engine.png" in put["source"]
    [delete] = PATHS["/attachments/{uploaded_filename}"]["delete"]["x-codeSamples"]
    used = delete["source"].partition("$API")[2].partition('"')[0]
    used = used.replace(typical.FIELDS["upload"], reserved["upload_filename"].partition("/")[0])
    assert (await guild.owner.rest.call("DELETE", used)).status == 204
