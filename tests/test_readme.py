"""The README: every command in it is run here, or says why not."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chatd import embedded, migrations
from tests.conftest import ServeMore, Server, repository
from tests.service_manager import PATIENCE_S, notify_socket, service
from tests.test_cli import Environment, environment
from tests.world import Rest, world_on

__all__ = ["environment"]

# After the tour: its bot is started, and asked until it answers.
ASK_THE_BOT = """
cat > var/bot.py <<'PYTHON'
%s
PYTHON
.venv/bin/python var/bot.py "$BOT_TOKEN" &
bot=$!
trap 'kill $bot' EXIT
read_all() { curl -sS -H "Authorization: Bearer $BOB" "$API/channels/$CHANNEL/messages"; }
until read_all | grep -q '"content":"pong"'; do
    post "$ADA" "/channels/$CHANNEL/messages" '{"content": "!ping"}' > /dev/null
    sleep 1
done
"""
NOT_RUN = "# No test runs this: "
# The chapters of which all else is run by a test below.
RUN = {"A tour of five minutes", "Install", "Administer"}


def chapters() -> dict[str, str]:
    """Their text by their title; what comes before the first has none."""
    before, *rest = (repository() / "README.md").read_text().split("\n## ")
    return {"": before, **dict(each.split("\n", 1) for each in rest)}


def blocks(chapter: str) -> list[tuple[str, str]]:
    """The fenced blocks of a chapter: their language and their text."""
    body = chapters()[chapter]
    return re.findall(r"^```(\w*)\n(.*?)^```$", body, re.MULTILINE | re.DOTALL)


def commands(chapter: str) -> list[str]:
    """The blocks of a chapter that a test has to run."""
    found = [text for language, text in blocks(chapter) if language == "sh"]
    return [text for text in found if not text.startswith(NOT_RUN)]


def test_every_command_is_run_or_says_why_not() -> None:
    assert {chapter for chapter in chapters() if commands(chapter)} == RUN
    languages = {language for chapter in chapters() for language, _ in blocks(chapter)}
    assert languages == {"sh", "", "python"}


def test_there_is_a_chapter_for_whoever_runs_it() -> None:
    wanted = [
        "Install",
        "Configure",
        "Secure",
        "Administer",
        "Upgrade",
        "Scale-out",
        "Watch",
        "Troubleshoot",
    ]
    titles = [title.replace(" ", "-") for title in chapters()]
    assert [title for title in titles if title in wanted] == wanted
    linked = re.findall(r"\]\(#([a-z-]+)\)", chapters()[""])
    assert linked == [title.lower() for title in wanted]


def test_what_it_explains_is_what_chatd_says() -> None:
    source = "".join(path.read_text() for path in sorted((repository() / "chatd").rglob("*.py")))
    source = re.sub(r'"\n\s+f?"', "", source)  # strings that go on in the next line
    explained = re.findall(r"^\| `([^|]+?)`(?:, `.*`)? \|", chapters()["Troubleshoot"], re.M)
    assert len(explained) >= 18
    for message in explained:
        parts = [re.escape(part) for part in message.split("…")]
        said = re.search(r"[^\n]{1,40}".join(parts), source)
        assert said or message == "DATABASE_URL: …", message


async def test_the_tour_works_when_pasted(server: Server, tmp_path: Path) -> None:
    [expected] = [text for language, text in blocks("A tour of five minutes") if not language]
    [bot] = [text for language, text in blocks("A tour of five minutes") if language == "python"]
    script = "set -eu\n" + "\n".join(commands("A tour of five minutes")) + ASK_THE_BOT % bot
    # The tour is for a fresh server on the default ports; here it shares one with other tests.
    script = script.replace("http://127.0.0.1:8080", server.url)
    script = script.replace("ws://127.0.0.1:8081/gateway", server.gateway_url)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (tmp_path / "var").mkdir()  # by scripts/run
    shell = shutil.which("sh")
    assert shell is not None
    process = await asyncio.create_subprocess_exec(
        shell,
        "-c",
        script,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert expected in output.decode(), output.decode()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_running_it_without_systemd(
    tmp_path: Path,
    environment: Environment,
    new_database: Callable[[str], str],
    valkey: embedded.Valkey,
) -> None:
    [text] = commands("Install")
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
            manager.hear_until("READY=1")
            process.terminate()
            assert process.wait(PATIENCE_S) == 0


async def test_administering(
    tmp_path: Path,
    environment: Environment,
    new_database: Callable[[str], str],
    valkey: embedded.Valkey,
    serve_more: ServeMore,
) -> None:
    url = new_database("readme_administer")
    migrations.apply(url)
    settings = {**environment, "DATABASE_URL": url, "REDIS_URL": valkey.url}

    async def run(line: str) -> str:
        process = await asyncio.create_subprocess_shell(
            re.sub(r"^chatd ", f"{sys.executable} -m chatd ", line),
            cwd=tmp_path,
            env=settings,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, complaint = await process.communicate()
        assert process.returncode == 0, (line, output, complaint)
        return output.decode()

    [text] = commands("Administer")
    text = text.replace("/etc/bash_completion.d", str(tmp_path))
    async with (
        serve_more(worker_id=6, database_url=url) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        await run("chatd user create mallory --email mallory@example.org")
        guild = await world.guild(owner="alice")
        text = text.replace("1408133746352128000", guild.id)
        for line in text.splitlines():
            told = await run(line)
            if line.startswith("chatd user create bob "):
                password = told.split()[-1]
                body = {"email": "bob@example.org", "password": password}
                token = (await world.nobody.post("/auth/login", body))["access_token"]
                bob = Rest(world.http, server.url, token)
                await bob.post(f"/invites/{await guild.invite()}")
        his = await bob.get("/users/@me")
        assert (await bob.get(f"/guilds/{guild.id}"))["owner_id"] == his["id"]
    assert "complete" in (tmp_path / "chatd").read_text()


def test_the_table_of_settings_and_the_example_name_every_setting() -> None:
    config = (repository() / "chatd" / "config.py").read_text()
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z0-9_]+)"', config))
    assert len(names) >= 16
    readme = set(re.findall(r"`([A-Z0-9_]+)`", (repository() / "README.md").read_text()))
    example = (repository() / ".env.example").read_text()
    assert names <= readme
    assert names == set(re.findall(r"^#([A-Z0-9_]+)=", example, re.MULTILINE))
