"""The delivery of the web client: its page, its files, and who is allowed to load them."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from importlib.resources.abc import Traversable
from urllib.parse import urljoin

import aiohttp
import pytest
import tree_sitter_javascript
import zstandard
from tree_sitter import Language, Parser

from chatd.config import Config
from chatd.rest.web_client import without_comment_lines
from tests.conftest import Server, repository, serving
from tests.helpers.browser import devtools, needs_chromium
from tests.helpers.web_client import log_in, page_of
from tests.world import World

_JAVASCRIPT = Parser(Language(tree_sitter_javascript.language()))

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def fetch(
    url: str, accepted: str = "identity", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Return the answer as it came, still compressed."""
    async with (
        aiohttp.ClientSession(auto_decompress=False) as http,
        http.get(url, headers={"Accept-Encoding": accepted, **headers}) as response,
    ):
        return response.status, dict(response.headers), await response.read()


async def files_of(web: Server) -> list[str]:
    """Return the addresses that the page names."""
    _, _, body = await fetch(f"{web.url}/app")
    return re.findall(r'(?:href|src)="(/client/[^"]+)"', body.decode())


async def test_page_and_its_files_are_served(web: Server) -> None:
    for path in ("/", "/app", "/app/@me/1", "/invite/abc", "/login", "/register"):
        status, headers, body = await fetch(web.url + path, Accept=BROWSER)
        assert (status, headers["Cache-Control"]) == (200, "no-cache"), path
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert b"<script type" in body
        for encoding, decode in (("gzip", gzip.decompress), ("zstd", decompressed)):
            _, headers, packed = await fetch(web.url + path, encoding, Accept=BROWSER)
            assert (headers["Content-Encoding"], decode(packed)) == (encoding, body), path
    addresses = await files_of(web)
    assert any(each.endswith("/main.js") for each in addresses)
    for address in addresses:
        status, headers, body = await fetch(web.url + address)
        assert (status, headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
        for encoding, decode in (("gzip", gzip.decompress), ("zstd", decompressed)):
            _, headers, packed = await fetch(web.url + address, f"br, {encoding}")
            assert headers["Content-Encoding"] == encoding
            assert decode(packed) == body


def decompressed(body: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(body)


async def test_client_can_be_installed(web: Server) -> None:
    [address] = [each for each in await files_of(web) if each.endswith(".webmanifest")]
    _, headers, body = await fetch(web.url + address)
    assert headers["Content-Type"].startswith("application/manifest+json")
    manifest = json.loads(body)
    assert (manifest["start_url"], manifest["display"]) == ("/app", "standalone")
    for icon in manifest["icons"]:
        status, headers, _ = await fetch(web.url + urljoin(address, icon["src"]))
        assert (status, headers["Content-Type"].partition(";")[0]) == (200, icon["type"])


@needs_chromium
@pytest.mark.usefixtures("browser")
async def test_first_load_is_small(web: Server, web_world: World, problems: list[str]) -> None:
    """All bodies that a browser receives until the first channel can be used, compressed.

    Their headers are not counted: about 330 bytes each, which HTTP/2 of a proxy compresses.
    """
    guild = await web_world.guild(owner="alice")
    sizes: list[int] = []
    async with page_of(f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        network = await devtools(page)
        network.on("Network.dataReceived", lambda each: sizes.append(each["encodedDataLength"]))
        await network.send("Network.enable")
        await network.send("Network.setCacheDisabled", {"cacheDisabled": True})
        await page.reload()
        await log_in(page, guild.owner.email)
        await page.get_by_role("textbox", name="Write a message").wait_for()
    assert len(sizes) > 100
    assert sum(sizes) < 150 * 1024


def test_scripts_without_comment_lines_have_the_same_code() -> None:
    for path in sorted((repository() / "chatd" / "webclient").rglob("*.js")):
        script = path.read_bytes()
        assert _code(without_comment_lines(script)) == _code(script), path


def _code(script: bytes) -> list[bytes]:
    """Return the tokens of a script that are no comments. Those of templates have their space."""
    waiting = [_JAVASCRIPT.parse(script).root_node]
    tokens = []
    while waiting:
        node = waiting.pop()
        waiting += node.children
        if not node.children and node.type != "comment":
            tokens.append(node.text or b"")
    return tokens


_MAY_IMPORT = {"lang": (), "state": ("lang",), "net": ("state", "lang")}
"""The layers below `view`, and those that each may import; see chatd/webclient/README.md."""


def test_modules_import_layers_below_them_only() -> None:
    root = repository() / "chatd" / "webclient"
    found = set()
    for layer, below in _MAY_IMPORT.items():
        for path in sorted((root / layer).rglob("*.js")):
            for address in re.findall(r'(?:from |import\()"(\.[^"]+)"', path.read_text()):
                imported = (path.parent / address).resolve().relative_to(root).parts[0]
                found.add(imported)
                assert imported in (layer, "vendor", *below), f"{path} imports {address}"
    assert {"vendor", "state"} <= found


async def test_page_names_all_modules_that_it_loads_at_once(web: Server) -> None:
    addresses = await files_of(web)
    for address in addresses:
        _, _, body = await fetch(web.url + address)
        for imported in re.findall(r'\bfrom ?"([^"]+)"', body.decode()):
            assert urljoin(address, imported) in addresses, (address, imported)


async def test_files_of_other_versions_and_other_files_are_not_found(web: Server) -> None:
    base = (await files_of(web))[0].rpartition("/")[0].removesuffix("/styles")
    for path in (
        "/client/0000000000000000/main.js",
        f"{base}/missing.js",
        f"{base}/page.html",
        f"{base}/README.md",
        f"{base}/%2e%2e/rest/static/docs.css",
        f"{base}/vendor/vendor.json",
        f"{base}/vendor/hooks.d.ts",
        f"{base}/jsconfig.json",
    ):
        assert (await fetch(web.url + path))[0] == 404, path


async def test_clients_of_the_api_get_no_page_of_the_client(web: Server) -> None:
    for accepted in ("*/*", "application/json", "text/plain"):
        _, headers, body = await fetch(web.url, Accept=accepted)
        assert b"<script" not in body, accepted
        assert "Accept" in headers["Vary"], accepted
    assert b'<a href="app">' in (await fetch(web.url))[2]


async def test_disabled_client_leaves_the_plain_page(config: Config) -> None:
    async with serving(replace(config, worker_id=10, web_client=False)) as server:
        for path in ("/app", "/app/@me", "/invite/abc", "/login", "/register"):
            assert (await fetch(server.url + path, Accept=BROWSER))[0] == 404, path
        status, _, body = await fetch(server.url, Accept=BROWSER)
        assert (status, b"<script" in body, b'href="app"' in body) == (200, False, False)
        assert b"This is chatd" in body


async def test_policy_permits_files_from_the_public_url(config: Config) -> None:
    public = "https://files.example.org:8443/"
    async with serving(replace(config, worker_id=10, public_url=public)) as server:
        policy = (await fetch(f"{server.url}/app"))[1]["Content-Security-Policy"]
        for name, others in (("img", "blob: data:"), ("media", "blob:"), ("connect", "")):
            sources = " ".join(filter(None, ("'self'", others, "https://files.example.org:8443")))
            assert f"{name}-src {sources};" in policy
        assert policy.count("https://") == 3
        _, headers, _ = await fetch(f"{server.url}/app", Host="files.example.org:8443")
        assert "http:" not in headers["Content-Security-Policy"].replace("https:", "")
    for odd in ("https://a;script-src", "https://a b", "http://[::1", "https://x:port"):
        async with serving(replace(config, worker_id=10, public_url=odd)) as server:
            policy = (await fetch(f"{server.url}/app"))[1]["Content-Security-Policy"]
            assert "connect-src 'self';" in policy, odd


def test_vendored_files_are_those_of_the_record() -> None:
    folder = resources.files("chatd.webclient") / "vendor"
    records = json.loads((folder / "vendor.json").read_text())
    known: dict[str, str] = {}
    for record in records:
        assert record["version"]
        assert record["license"] in {"MIT", "Apache-2.0", "CC0-1.0"}
        known |= record["files"]
    for name, digest in known.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


@pytest.mark.parametrize("language", ["en", "de"])
def test_languages_have_the_texts_that_the_views_use(language: str) -> None:
    folder = resources.files("chatd.webclient")
    text = (folder / "lang" / f"{language}.ftl").read_text()
    ids = re.findall(r"^([a-z][a-z0-9-]*) =", text, re.MULTILINE)
    defined = set(ids)
    assert sorted(ids) == sorted(defined)  # a second text would replace the first one
    used: set[str] = set()
    quoted: set[str] = set()
    for part in ("view", "net"):
        for each in _scripts(folder / part):
            script = each.read_text()
            used |= set(re.findall(r'\bt\("([a-z0-9-]+)"', script))
            used |= set(re.findall(r'notice\("([a-z0-9-]+)"', script))
            quoted |= set(re.findall(r'"([a-z0-9-]+)"', script))  # also those that views choose
    assert used - defined == set()
    computed = (
        *("status-", "theme-", "system-", "online", "offline"),
        *("permission-", "audit-", "why-", "guild-section-"),
        *("emoji-", "search-has-"),
    )
    assert {each for each in defined - quoted if not each.startswith(computed)} == set()


def test_german_texts_say_du() -> None:
    text = (resources.files("chatd.webclient") / "lang" / "de.ftl").read_text()
    formal = r"^.*(?:\w+n Sie\b|\bSie (?:\w+en|sind)\b|\bIhnen\b).*$"
    assert re.findall(formal, text, re.MULTILINE) == []


def _scripts(folder: Traversable) -> Iterator[Traversable]:
    """Yield the files of a folder and of the folders in it."""
    for each in folder.iterdir():
        if each.is_dir():
            yield from _scripts(each)
        else:
            yield each
