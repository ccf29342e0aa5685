"""Providers of logins, and a server at which people log in by them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chatd.oidc_settings import ProviderOptions, ProviderSettings
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.hostile_provider import HostileProvider, hostile_provider
from tests.helpers.openid_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    OpenIdProvider,
    running_provider,
)
from tests.helpers.sign_on import Browser, browsing_at
from tests.world import World, world_on

_DIANA = {
    "email": "diana@example.org",
    "email_verified": True,
    "preferred_username": "diana",
    "name": "Diana K.",
    "groups": ["staff"],
}


@pytest.fixture(scope="module")
async def hostile() -> AsyncIterator[HostileProvider]:
    async with hostile_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
async def real(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenIdProvider]:
    """A real provider, which knows the address of the server."""
    folder = tmp_path_factory.mktemp("provider")
    redirect_uri = "http://chatd.test/auth/oidc/real/callback"
    async with running_provider(folder, redirect_uri, _DIANA) as provider:
        yield provider


@pytest.fixture(scope="module")
async def site(
    hostile: HostileProvider, real: OpenIdProvider, serve_more: ServeMore
) -> AsyncIterator[Server]:
    """A server at which people log in at providers with different settings."""
    scopes = ("openid", "profile", "email", "groups")
    options = ProviderOptions(issuer=real.url, client_id=CLIENT_ID, scopes=scopes)
    providers = (
        hostile.settings("acme", label="Acme Inc.", trust_email=True),
        hostile.settings("other", trust_email=True),
        hostile.settings("never", create_accounts="never"),
        hostile.settings("adopting", link_verified_email=True),
        hostile.settings("strict", require_mfa=True, mfa_amr=("mfa", "hwk"), trust_email=True),
        hostile.settings("groups", trust_email=True),
        ProviderSettings("real", options, CLIENT_SECRET),
    )
    async with serve_more(worker_id=11, providers=providers) as server:
        yield server


@pytest.fixture
async def people(site: Server, hostile: HostileProvider) -> AsyncIterator[World]:
    """People on the server; the providers are good again."""
    hostile.reset()
    for each in site.runner.app[DEPENDENCIES].providers:
        each.forget()
    async with world_on(site.url, site.gateway_url) as made:
        yield made


@pytest.fixture
async def browser(people: World, site: Server) -> AsyncIterator[Browser]:
    async with browsing_at(site.url) as made:
        yield made
