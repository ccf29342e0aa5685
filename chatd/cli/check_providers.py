"""Checks of the providers of logins: whether each answers as one."""

from __future__ import annotations

import asyncio

from chatd.auth.oidc.provider import Provider, Providers, ProviderUnavailable
from chatd.cli.finding import Finding, ok
from chatd.config import Config

_UNREACHABLE = (
    "Correct `issuer` in the file of OIDC_PROVIDERS, or make the provider reachable from here."
    " For a private certificate authority, set SSL_CERT_FILE. No one can log in there until then."
)


async def providers(config: Config) -> list[Finding]:
    """Ask each provider for its metadata and its keys."""
    found = Providers(config.providers, config.public_url)
    try:
        of_each = await asyncio.gather(*(_provider(each) for each in found))
    finally:
        await found.close()
    return [*_public_url(config), *of_each]


async def _provider(provider: Provider) -> Finding:
    settings = provider.settings
    subject = f"provider {settings.name}"
    try:
        await provider.metadata()
        keys = await provider.keys()
    except ProviderUnavailable as error:
        return Finding(subject, "warning", f"{settings.issuer}: {error}", _UNREACHABLE)
    client = "with a secret" if settings.client_secret else "without a secret (a public client)"
    addresses = f"its redirect URI is {provider.redirect_uri}"
    return ok(subject, f"answers, has {len(keys)} keys; the client is {client}, {addresses}")


def _public_url(config: Config) -> list[Finding]:
    if not config.providers or config.public_url.startswith("https:"):
        return []
    text = f"PUBLIC_URL is {config.public_url}: most providers send browsers back to https only"
    remedy = "Set PUBLIC_URL to the https address of this server, and register it at the providers."
    return [Finding("providers", "warning", text, remedy)]
