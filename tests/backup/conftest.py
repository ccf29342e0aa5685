"""A server with some of everything to back up, and empty places to restore it into."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chatd.config import Config
from chatd.embedded.valkey import running_valkey
from tests.cli.conftest import Chatd
from tests.conftest import ServeMore, Server
from tests.helpers.attachments import message_form, png_bytes, send_form
from tests.helpers.cli import Environment
from tests.helpers.databases import NewDatabase
from tests.helpers.images import data_uri
from tests.rest.searching import say
from tests.world import Guild, Person, World, world_on

_numbers = itertools.count()
TEXT = b"A text of some length, more than one chunk. " * 20_000


@dataclass
class Scene:
    """A running server with people, messages, attachments and images."""

    server: Server
    world: World
    guild: Guild
    member: Person

    @property
    def path(self) -> str:
        """The messages of its channel."""
        return f"/channels/{self.guild.general.id}/messages"

    async def attach(self, name: str, content: bytes) -> str:
        """Send a message with a file; return the path of its link."""
        answer = await send_form(
            self.member.rest, self.path, message_form({"content": name}, (name, content))
        )
        return path_of(answer.json["attachments"][0]["url"])


def path_of(url: str) -> str:
    """Return the path and query of a link of the tests' PUBLIC_URL."""
    return url.removeprefix("http://chatd.test")


@dataclass(frozen=True)
class Place:
    """An empty database, an empty folder for files, and a Redis of its own."""

    database_url: str
    redis_url: str
    files_dir: Path

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a server in this place."""
        return {
            "database_url": self.database_url,
            "redis_url": self.redis_url,
            "files_dir": self.files_dir,
        }

    @property
    def environment(self) -> Environment:
        """The same as environment variables."""
        return {name.upper(): str(value) for name, value in self.settings.items()}

    def files(self) -> dict[str, bytes]:
        """Return all stored files by their keys."""
        return {
            str(path.relative_to(self.files_dir)): path.read_bytes()
            for path in self.files_dir.rglob("*")
            if path.is_file()
        }


NewPlace = Callable[..., Place]


@pytest.fixture(scope="session")
def spare_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis for restored servers: no instance uses it while another is restored."""
    with running_valkey(tmp_path_factory.mktemp("spare")) as server:
        yield server.url


@pytest.fixture(scope="session")
def new_place(
    new_database: NewDatabase,
    migrated_database: NewDatabase,
    spare_redis: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> NewPlace:
    """Makes an empty place; `new_place(migrated=True)` one after `chatd migrate`."""

    def make(*, migrated: bool = False) -> Place:
        name = f"place_{next(_numbers)}"
        url = migrated_database(name) if migrated else new_database(name)
        return Place(url, spare_redis, tmp_path_factory.mktemp(name))

    return make


@pytest.fixture(scope="module")
async def scene(
    serve_more: ServeMore, migrated_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    """A server of its own with people, messages, an attachment, an avatar and an icon."""
    number = next(_numbers)
    with running_valkey(tmp_path_factory.mktemp("own")) as valkey:
        async with (
            serve_more(
                database_url=migrated_database(f"backed_up_{number}"),
                redis_url=valkey.url,
                files_dir=tmp_path_factory.mktemp("stored"),
            ) as server,
            world_on(server.url, server.gateway_url) as world,
        ):
            guild = await world.guild(owner="alice", members=["bob"])
            scene = Scene(server, world, guild, await world.person("bob"))
            await say(guild.owner.rest, guild.general, "The quick brown fox", "grüße, 世界")
            await scene.attach("fox.txt", TEXT)
            await scene.attach("empty.txt", b"")
            image = data_uri(png_bytes())
            await guild.owner.rest.patch("/users/@me", {"avatar": image})
            await guild.owner.rest.patch(f"/guilds/{guild.id}", {"icon": image})
            hooks = f"/channels/{guild.general.id}/webhooks"
            await guild.owner.rest.post(hooks, {"name": "hook", "avatar": image})
            made = await guild.owner.rest.post("/applications", {"name": "Helper"})
            await guild.owner.rest.patch(f"/applications/{made['id']}", {"icon": image})
            yield scene


def environment_of(config: Config) -> Environment:
    """Return the variables of commands for a server with these settings."""
    return {
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "JWT_SECRET": config.jwt_secret,
        "FILES_DIR": str(config.files_dir),
    }


@pytest.fixture
def at_source(tmp_path: Path, environment: Environment, scene: Scene) -> Chatd:
    """Commands of the operator of the server that is backed up."""
    return Chatd(tmp_path, {**environment, **environment_of(scene.server.config)})


@pytest.fixture
def command_at(tmp_path: Path, environment: Environment) -> Callable[[Place], Chatd]:
    """Commands of the operator of another place."""
    return lambda place: Chatd(tmp_path, {**environment, **place.environment})
