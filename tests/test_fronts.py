"""The examples for nginx and Caddy, run where these are installed, before two instances."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import hashlib
import io
import os
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from chatd.gateway.handler import CONNECTION_TABLE
from tests.conftest import ServeMore, Server, repository
from tests.helpers.servers import free_ports
from tests.world import TIMEOUT_S, WITHOUT_PRESENCES, World

NAME = "chat.example.org"
SOCKETS = 4  # that one address may have

# Timeouts and sizes that are too small, unless the example says otherwise.
_NGINX = """
daemon off;
{user}
pid {folder}/pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    client_max_body_size 1k;
    proxy_read_timeout 1s;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/chatd.conf;
}}
"""
_CADDY = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"


@dataclass(frozen=True)
class Instance:
    """One of those behind it, which can be stopped."""

    server: Server
    running: AsyncExitStack

    @property
    def sockets(self) -> int:
        return len(self.server.runner.app[CONNECTION_TABLE].connections)


@dataclass(frozen=True)
class Front:
    """A proxy before two instances, and people who come through it."""

    world: World
    trust: ssl.SSLContext
    instances: list[Instance]
    kept: AsyncExitStack

    async def opens(self, address: str, says: str) -> bool:
        """Whether a client at this address gets one more socket, which it then keeps."""
        opening = connect(
            self.world.gateway_url,
            additional_headers={"X-Forwarded-For": says},
            ssl=self.trust,
            local_addr=(address, 0),
        )
        try:
            await self.kept.enter_async_context(opening)
        except InvalidStatus as refused:
            assert refused.response.status_code == 429
            return False
        return True


def nginx(folder: Path, port: int, ports: list[int]) -> list[str]:
    """Adapt the example as it says, to this machine."""
    [unused] = free_ports(1)
    text = (repository() / "systemd" / "nginx.conf").read_text()
    servers = "".join(f"    server 127.0.0.1:{each};\n" for each in ports)
    for theirs, ours in {
        "    server 127.0.0.1:8080;\n": servers,
        "    listen [::]:443 ssl http2;\n": "",
        "    listen [::]:80;\n": "",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "listen 80;": f"listen 127.0.0.1:{unused};",
        f"/etc/letsencrypt/live/{NAME}": str(folder),
        NAME: "localhost",
    }.items():
        assert theirs in text
        text = text.replace(theirs, ours)
    (folder / "chatd.conf").write_text(text)
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, user=user))
    return ["-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, port: int, ports: list[int]) -> list[str]:
    """Adapt the example as it says, to this machine."""
    text = (repository() / "systemd" / "Caddyfile").read_text()
    certificate = f"{folder}/fullchain.pem {folder}/privkey.pem"
    servers = " ".join(f"127.0.0.1:{each}" for each in ports)
    for theirs, ours in {
        f"\n{NAME} {{": f"\nhttps://localhost:{port} {{\n\tbind 127.0.0.1\n\ttls {certificate}",
        "127.0.0.1:8080 {": servers + " {",
    }.items():
        assert theirs in text
        text = text.replace(theirs, ours)
    (folder / "Caddyfile").write_text(_CADDY + text)
    return ["run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


FRONTS = {"nginx": nginx, "caddy": caddy}


def program(name: str) -> str | None:
    """Where it is; Debian keeps nginx where only root looks."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


def certify(folder: Path) -> ssl.SSLContext:
    """Make a certificate for localhost; returns what trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(encoding))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "privkey.pem").write_bytes(key.private_bytes(encoding, *plain))
    return ssl.create_default_context(cafile=folder / "fullchain.pem")


@asynccontextmanager
async def running(words: list[str], folder: Path) -> AsyncIterator[None]:
    """A program, for as long as the context is open."""
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "output").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *words, env={**os.environ, **home}, stdout=output, stderr=output
        )
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def answers(http: aiohttp.ClientSession, url: str) -> None:
    """Wait until it does."""
    deadline = asyncio.get_running_loop().time() + TIMEOUT_S
    while True:
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with http.get(f"{url}/health") as response:
                assert response.status == 200
                return
        assert asyncio.get_running_loop().time() < deadline, "see the file `output`"
        await asyncio.sleep(0.05)


@pytest.fixture(
    params=[
        pytest.param(
            name,
            marks=pytest.mark.skipif(
                program(name) is None, reason=f"{name} is not installed: its example is not run"
            ),
        )
        for name in FRONTS
    ]
)
async def front(
    request: pytest.FixtureRequest, tmp_path: Path, serve_more: ServeMore
) -> AsyncIterator[Front]:
    """Each of the programs."""
    port, *ports = free_ports(3)
    url = f"https://localhost:{port}"
    trust = certify(tmp_path)
    async with AsyncExitStack() as stack:
        instances = []
        for number, each in enumerate(ports, start=22):
            own = await stack.enter_async_context(AsyncExitStack())
            serving = serve_more(
                worker_id=number,
                api_port=each,
                gateway_port=each,
                public_url=url,
                trusted_proxies=(ip_network("127.0.0.1"),),
                sockets_per_address=SOCKETS,
            )
            instances.append(Instance(await own.enter_async_context(serving), own))
        words = [str(program(request.param)), *FRONTS[request.param](tmp_path, port, ports)]
        await stack.enter_async_context(running(words, tmp_path))
        connector = aiohttp.TCPConnector(ssl=trust)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        await answers(http, url)
        world = World(http, url, f"wss://localhost:{port}/gateway")
        stack.push_async_callback(world.aclose)
        yield Front(world, trust, instances, stack)


async def test_proxy_passes_requests_and_websockets(front: Front) -> None:
    world = front.world
    guild = await world.guild(owner="alice")
    alice = await world.socket(ssl=front.trust)
    await alice.identify(guild.owner.token, intents=WITHOUT_PRESENCES)

    content = os.urandom(5 * 2**20)
    form = aiohttp.FormData()
    form.add_field("files[0]", io.BytesIO(content), filename="a.bin")
    path = f"/channels/{guild.general.id}/messages"
    sent = await guild.owner.rest.call("POST", path, data=form)
    assert sent.status == 200
    link = sent.json["attachments"][0]["url"]
    assert link.startswith(world.url)
    async with world.http.get(link) as response:
        assert hashlib.sha256(await response.read()).digest() == hashlib.sha256(content).digest()
    assert (await alice.next("MESSAGE_CREATE")).d["id"] == sent.json["id"]

    await asyncio.sleep(1.5)  # longer than the proxy is patient with anything else, see _NGINX
    quiet = await guild.owner.rest.post(path, {"content": "still there?"})
    assert (await alice.next("MESSAGE_CREATE")).d["id"] == quiet["id"]


async def test_client_addresses_are_not_taken_from_their_headers(front: Front) -> None:
    for number in range(SOCKETS):
        assert await front.opens("127.0.0.5", says=f"192.0.2.{number}")
    assert not await front.opens("127.0.0.5", says="192.0.2.99")
    for number in range(6, 12):
        assert await front.opens(f"127.0.0.{number}", says="127.0.0.5")


async def test_stopping_an_instance_fails_no_request(front: Front) -> None:
    world = front.world
    guild = await world.guild(owner="alice")
    alice = await world.socket(ssl=front.trust)
    await alice.identify(guild.owner.token, intents=WITHOUT_PRESENCES)
    [hers] = [each for each in front.instances if each.sockets]
    [other] = [each for each in front.instances if each is not hers]

    leaving = asyncio.create_task(hers.running.aclose())
    await alice.next_op(7)
    assert await alice.closed() == 1001
    await leaving
    for _ in range(20):
        assert (await guild.owner.rest.call("GET", "/users/@me")).status == 200
    # Caddy 2.6 has lost the body of a request when it asks the next instance.
    straight = replace(guild.owner.rest, url=other.server.url)
    path = f"/channels/{guild.general.id}/messages"
    missed = await straight.post(path, {"content": "where are you?"})
    again = await world.socket(ssl=front.trust)
    again.seq = alice.seq
    session = alice.ready["session_id"]
    await again.send(6, {"token": guild.owner.token, "session_id": session, "seq": alice.seq})
    assert (await again.next("MESSAGE_CREATE")).d["id"] == missed["id"]
    await again.next("RESUMED")
