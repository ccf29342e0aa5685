"""The delivery of the web client: its page, its files, and who is allowed to load them."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from importlib import resources

import aiohttp
import pytest
import zstandard

from chatd.config import Config
from tests.conftest import Server, serving
from tests.world import World


@pytest.fixture
async def web(config: Config) -> AsyncIterator[Server]:
    async with serving(replace(config, worker_id=9, web_client=True)) as server:
        yield server


async def fetch(url: str, accepted: str = "identity") -> tuple[int, dict[str, str], bytes]:
    """Return the answer as it came, still compressed."""
    async with (
        aiohttp.ClientSession(auto_decompress=False) as http,
        http.get(url, headers={"Accept-Encoding": accepted}) as response,
    ):
        return response.status, dict(response.headers), await response.read()


async def files_of(web: Server) -> list[str]:
    """Return the addresses that the page names."""
    _, _, body = await fetch(f"{web.url}/app")
    return re.findall(r'(?:href|src)="(/client/[^"]+)"', body.decode())


async def test_page_and_its_files_are_served(web: Server) -> None:
    for path in ("/app", "/app/@me/1", "/invite/abc", "/login", "/register"):
        status, headers, body = await fetch(web.url + path)
        assert (status, headers["Cache-Control"]) == (200, "no-cache"), path
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert b"<script type" in body
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


async def test_first_load_is_small(web: Server) -> None:
    sizes = [len((await fetch(web.url + each, "zstd"))[2]) for each in await files_of(web)]
    assert sum(sizes) < 150 * 1024


async def test_files_of_other_versions_and_other_files_are_not_found(web: Server) -> None:
    base = (await files_of(web))[0].rpartition("/")[0].removesuffix("/styles")
    for path in (
        "/client/0000000000000000/main.js",
        f"{base}/missing.js",
        f"{base}/page.html",
        f"{base}/README.md",
        f"{base}/%2e%2e/rest/static/docs.css",
        f"{base}/vendor/vendor.json",
    ):
        assert (await fetch(web.url + path))[0] == 404, path


async def test_home_page_leads_to_the_client(web: Server, world: World) -> None:
    assert b'<a href="app">' in (await fetch(web.url))[2]
    assert b'<a href="app">' not in (await fetch(world.url))[2]


async def test_client_is_off_by_default(world: World) -> None:
    for path in ("/app", "/app/@me", "/invite/abc"):
        assert (await fetch(world.url + path))[0] == 404, path


def test_vendored_files_are_those_of_the_record() -> None:
    folder = resources.files("chatd.webclient") / "vendor"
    records = json.loads((folder / "vendor.json").read_text())
    known: dict[str, str] = {}
    for record in records:
        assert record["version"]
        assert record["license"] in {"MIT", "Apache-2.0"}
        known |= record["files"]
    for name, digest in known.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


@pytest.mark.parametrize("language", ["en", "de"])
def test_languages_have_the_texts_that_the_views_use(language: str) -> None:
    folder = resources.files("chatd.webclient")
    text = (folder / "lang" / f"{language}.ftl").read_text()
    defined = set(re.findall(r"^([a-z][a-z0-9-]*) =", text, re.MULTILINE))
    used: set[str] = set()
    for part in ("view", "net"):
        for each in (folder / part).iterdir():
            used |= set(re.findall(r'\bt\("([a-z0-9-]+)"', each.read_text()))
            used |= set(re.findall(r'notice\("([a-z0-9-]+)"', each.read_text()))
    assert used - defined == set()
    chosen = ("status-", "theme-", "system-", "online", "offline")  # names that views compute
    assert {each for each in defined - used if not each.startswith(chosen)} == set()
