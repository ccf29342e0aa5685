"""The documents: every command in them is run here, or a comment says why not."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chatd.config import names as setting_names
from chatd.embedded.valkey import Valkey
from tests.conftest import ServeMore, Server, repository
from tests.helpers.cli import Environment, completed
from tests.helpers.databases import NewDatabase
from tests.helpers.pasted import pasted
from tests.helpers.servers import free_port
from tests.helpers.service_manager import TIMEOUT_S, notify_socket, service
from tests.world import Rest, world_on

README = "README.md"
API_GUIDE = "chatd/rest/README.md"
MANUAL = "systemd/README.md"
ARCHITECTURE = "chatd/README.md"
DOCUMENTS = [
    README,
    API_GUIDE,
    MANUAL,
    ARCHITECTURE,
    "tests/README.md",
    "tests/bench/README.md",
    "sql/README.md",
    "scripts/README.md",
]

_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

RUN = {
    (README, "A first chat"),
    (README, "A bot"),
    (API_GUIDE, "A tour of five minutes"),
    (API_GUIDE, "A slash command"),
    (API_GUIDE, "An endpoint"),
    (API_GUIDE, "Webhooks and announcements"),
    (MANUAL, "Install"),
    (MANUAL, "Administer"),
    (MANUAL, "Back up"),
}
"""The chapters whose commands a test below runs."""


def text_of(document: str) -> str:
    return (repository() / document).read_text()


def chapters(document: str) -> dict[str, str]:
    """The chapters of a document by their titles; the text before the first has the title ""."""
    before, *rest = text_of(document).split("\n## ")
    return {"": before, **dict(each.split("\n", 1) for each in rest)}


def blocks(document: str, chapter: str) -> list[tuple[str, str, str]]:
    """The fenced blocks of a chapter: language, text, and the reason why no test runs it."""
    found = _BLOCK.finditer(chapters(document)[chapter])
    return [(each["language"], each["text"], each["reason"] or "") for each in found]


def commands(document: str, chapter: str) -> list[str]:
    """The blocks of a chapter that a test has to run."""
    return [
        text
        for language, text, reason in blocks(document, chapter)
        if language == "sh" and not reason
    ]


def test_commands_are_run_or_marked_with_a_reason() -> None:
    found = {
        (document, chapter)
        for document in DOCUMENTS
        for chapter in chapters(document)
        if commands(document, chapter)
    }
    assert found == RUN
    languages = {
        language
        for document in DOCUMENTS
        for chapter in chapters(document)
        for language, _, _ in blocks(document, chapter)
    }
    assert languages == {"sh", "", "mermaid", "python", "toml"}


def test_readme_is_short() -> None:
    assert len(text_of(README).splitlines()) <= 150


def test_manual_has_its_chapters_and_links_to_them() -> None:
    wanted = [
        "Install",
        "Configure",
        "Secure",
        "Single sign-on",
        "Administer",
        "Back up",
        "Move in from Discord",
        "Upgrade",
        "How many people",
        "Scale out",
        "Monitor",
        "Troubleshoot",
    ]
    assert [title for title in chapters(MANUAL) if title] == wanted
    linked = re.findall(r"\]\(#([a-z-]+)\)", chapters(MANUAL)[""])
    assert linked == [title.lower().replace(" ", "-") for title in wanted]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    for link in re.findall(r"\]\(([^)#]*)(?:#[\w-]+)?\)", text_of(document)):
        if link and not link.startswith("http"):
            assert (repository() / document).parent.joinpath(link).exists(), link


def test_paths_that_documents_name_exist() -> None:
    for document in DOCUMENTS:
        for path in re.findall(r"`((?:tests|systemd|scripts|chatd)/[\w./-]+)`", text_of(document)):
            assert (repository() / path).exists(), f"{document}: {path}"


def test_every_script_is_described() -> None:
    described = set(re.findall(r"`([\w-]+)`", text_of("scripts/README.md")))
    scripts = {path.name for path in (repository() / "scripts").iterdir() if path.is_file()}
    assert scripts - {"README.md"} <= described


def test_troubleshooting_quotes_what_chatd_says() -> None:
    source = "".join(path.read_text() for path in sorted((repository() / "chatd").rglob("*.py")))
    source = re.sub(r'"\n\s+f?"', "", source)  # strings that continue in the next line
    explained = re.findall(r"^\| `([^|]+?)`(?:, `.*`)? \|", chapters(MANUAL)["Troubleshoot"], re.M)
    assert len(explained) >= 24
    for message in explained:
        parts = [re.escape(part) for part in message.split("…")]
        said = re.search(r"[^\n]{1,40}".join(parts), source)
        assert said or message == "DATABASE_URL: …", message


UNREACHABLE = "http://127.0.0.1:9"
"""A proxy on which no program listens."""


def on(server: Server, script: str) -> str:
    """A script for the default port, changed to that of a server that tests share."""
    return script.replace("http://127.0.0.1:8080", server.url)


async def test_readme_first_chat_and_bot_work(server: Server, tmp_path: Path) -> None:
    script = "\n".join([*commands(README, "A first chat"), *commands(README, "A bot")])
    status, output = await pasted(f"set -eu\n{on(server, script)}", tmp_path)
    assert status == 0, output
    assert '"content":"Hello!"' in output
    assert '"content":"pong"' in output


async def test_tour_can_be_pasted_twice_and_behind_a_proxy(server: Server, tmp_path: Path) -> None:
    title = "A tour of five minutes"
    expected = [text for language, text, _ in blocks(API_GUIDE, title) if not language]
    tour = on(server, "\n".join(commands(API_GUIDE, title)))
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), UNREACHABLE)
    proxies |= {name.upper(): UNREACHABLE for name in proxies}
    status, output = await pasted(f"set -eu\n{tour}\n{tour}", tmp_path, **proxies)
    assert status == 0, output
    for text in expected:
        assert output.count(text) == 2, output


async def test_chapters_after_the_tour_work(server: Server, tmp_path: Path) -> None:
    titles = ["A tour of five minutes", "A slash command", "An endpoint"]
    titles.append("Webhooks and announcements")
    script = on(server, "\n".join(line for each in titles for line in commands(API_GUIDE, each)))
    port = free_port()
    script = script.replace("8090", str(port))
    public_url = f"sed 's,^{server.config.public_url},{server.url},'"
    script = script.replace("| field url)", f"| field url | {public_url})")
    history = 'curl -sS -H "Authorization: Bearer $ADA" "$API/channels/$CHANNEL/messages"'
    copied = f"until {history} | grep -q 'Steam at'; do sleep 0.1; done"  # in the background
    status, output = await pasted(f"set -eu\n{script}\n{copied}\n{history}", tmp_path)
    assert status == 0, output
    for title in titles:
        for language, text, _ in blocks(API_GUIDE, title):
            assert language or text in output, output
    assert f"http://127.0.0.1:{port}/interactions\nhelper: Hello over HTTP" in output
    sent = output.rpartition("\n")[2]
    for text in ("has passed", "Build 4", "The log", "format of Slack", "New star", "Steam at"):
        assert text in sent, text


async def test_tour_shows_an_unexpected_answer(server: Server, tmp_path: Path) -> None:
    definitions = on(server, commands(API_GUIDE, "A tour of five minutes")[0])
    status, output = await pasted(
        f"{definitions}\npost '' /auth/register '{{}}' | field access_token", tmp_path
    )
    assert status != 0
    assert "there is no access_token in the answer: {" in output
    assert "This field is required" in output
    assert "Traceback" not in output


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_commands_without_systemd_work(
    tmp_path: Path,
    environment: Environment,
    new_database: NewDatabase,
    valkey: Valkey,
) -> None:
    [text] = commands(MANUAL, "Install")
    urls = {
        "postgresql://chatd:secret@localhost/chatd": new_database("readme_install"),
        "redis://localhost:6379": valkey.url,
    }
    for theirs, ours in urls.items():
        assert theirs in text
        text = text.replace(theirs, f"'{ours}'")
    text = text.replace("chatd serve", "exec chatd serve").replace(
        "chatd ", f"{sys.executable} -m chatd "
    )
    becomes = "import os, sys; os.execvp('sh', ['sh', '-euc', sys.argv[1]])"
    with notify_socket() as manager:
        settings = {**environment, "WORKER_ID": "6", "NOTIFY_SOCKET": manager.address}
        with service(tmp_path, settings, "-c", becomes, text) as process:
            manager.receive_until("READY=1")
            process.send_signal(signal.SIGTERM)
            assert process.wait(TIMEOUT_S) == 0


def test_commands_survive_an_interactive_shell() -> None:
    """bash replaces an exclamation mark by a line of its history, unless single quotes hold it."""
    text = "".join(map(text_of, DOCUMENTS))
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        commands = re.sub(r"<<'(\w+)'.*?\n\1\n", "", block, flags=re.DOTALL)
        unquoted = re.sub(r"'[^']*'", "", re.sub(r"(?m)#.*$", "", commands))
        assert not re.search(r"(?<!\$)!(?![\s=(])", unquoted), block


async def test_administer_commands_work(
    tmp_path: Path,
    environment: Environment,
    migrated_database: NewDatabase,
    valkey: Valkey,
    serve_more: ServeMore,
) -> None:
    url = migrated_database("readme_administer")
    settings = {**environment, "DATABASE_URL": url, "REDIS_URL": valkey.url}

    async def run(line: str) -> str:
        name, *words = shlex.split(line, comments=True)
        assert name == "chatd"
        target = None
        if ">" in words:
            *words, _, target = words
        code, output, complaints = await asyncio.to_thread(completed, tmp_path, settings, *words)
        assert code == 0, (line, output, complaints)
        if target is not None:
            await asyncio.to_thread(Path(target).write_text, output)
        return output

    [text] = commands(MANUAL, "Administer")
    text = text.replace("/etc/bash_completion.d", str(tmp_path))
    async with (
        serve_more(worker_id=6, database_url=url) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        await run("chatd user create mallory --email mallory@example.org")
        guild = await world.guild(owner="alice")
        text = text.replace("1408133746352128000", guild.id)
        for line in text.splitlines():
            output = await run(line)
            if line.startswith("chatd user create bob "):
                password = output.split()[-1]
                body = {"email": "bob@example.org", "password": password}
                token = (await world.anonymous.post("/auth/login", body))["access_token"]
                bob = Rest(world.http, server.url, token)
                await bob.post(f"/invites/{await guild.invite()}")
        his = await bob.get("/users/@me")
        assert (await bob.get(f"/guilds/{guild.id}"))["owner_id"] == his["id"]
    assert "complete" in (tmp_path / "chatd").read_text()


async def test_drill_restores_a_server_that_serves(
    tmp_path: Path, environment: Environment, migrated_database: NewDatabase, valkey: Valkey
) -> None:
    [text] = commands(MANUAL, "Back up")
    text = text.replace("chatd ", f"{sys.executable} -m chatd ")
    for theirs, ours in (
        ("/tmp/drill", str(tmp_path / "drill")),
        ("9080", environment["API_PORT"]),
        ("9081", environment["GATEWAY_PORT"]),
    ):
        assert theirs in text
        text = text.replace(theirs, ours)
    servers = {"DATABASE_URL": migrated_database("readme_drill"), "REDIS_URL": valkey.url}
    for words in (
        ("user", "create", "ada", "--email", "ada@example.org", "--password-stdin"),
        ("backup", "chatd.tar"),
    ):
        done = await asyncio.to_thread(
            completed, tmp_path, {**environment, **servers}, *words, stdin="Password123!-drill"
        )
        assert done[0] == 0, done
    with notify_socket() as manager:
        becomes = "import os, sys; os.execvp('sh', ['sh', '-euc', sys.argv[1]])"
        text = text.replace("API_PORT=", "exec env API_PORT=")
        settings = {**environment, "NOTIFY_SOCKET": manager.address}
        with service(tmp_path, settings, "-c", becomes, text) as process:
            await asyncio.to_thread(manager.receive_until, "READY=1")
            url = f"http://127.0.0.1:{environment['API_PORT']}"
            async with world_on(url, "") as world:
                body = {"email": "ada@example.org", "password": "Password123!-drill"}
                assert (await world.anonymous.post("/auth/login", body))["access_token"]
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, TIMEOUT_S) == 0


def test_settings_table_and_example_name_every_setting() -> None:
    names = setting_names()
    assert len(names) >= 16
    table = set(re.findall(r"`([A-Z0-9_]+)`", chapters(MANUAL)["Configure"]))
    example = (repository() / ".env.example").read_text()
    assert names <= table
    assert names == set(re.findall(r"^#([A-Z0-9_]+)=", example, re.MULTILINE))


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ("Add a thing\n\nIt was missing.\n", ""),
        ("# a comment\nAdd a thing\n\nIt was missing.\n", ""),
        ("Revert something that is longer than seventy-two characters, as git writes it\n", ""),
        ("Add a thing\n", "no body"),
        ("Add a thing; add another\n\nWhy.\n", "one commit per topic"),
        (f"Add {'x' * 69}\n\nWhy.\n", "more than 72 characters"),
        ("Added a thing\n\nWhy.\n", "imperative"),
        ("add a thing\n\nWhy.\n", "capital letter"),
        ("Add a thing.\n\nWhy.\n", "full stop"),
    ],
)
def test_commit_messages_are_checked(tmp_path: Path, message: str, complaint: str) -> None:
    file = tmp_path / "message"
    file.write_text(message)
    hook = repository() / "scripts" / "commit-msg"
    checked = subprocess.run([hook, file], capture_output=True, text=True, check=False)
    assert (checked.returncode == 0) == (not complaint)
    assert complaint in checked.stderr
