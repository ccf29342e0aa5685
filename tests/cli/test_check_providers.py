"""chatd check: whether each provider of logins answers."""

from __future__ import annotations

from dataclasses import replace

from chatd.cli import check_providers
from chatd.config import Config
from tests.helpers.hostile_provider import hostile_provider


async def test_providers_that_answer_and_that_do_not(config: Config) -> None:
    async with hostile_provider() as provider:
        settings = (
            provider.settings("good"),
            replace(provider.settings("public"), client_secret=""),
            provider.settings("lying", issuer=f"{provider.url}/another/"),
            provider.settings("away", issuer="http://127.0.0.1:1"),
        )
        config = replace(config, providers=settings, public_url="https://chat.example.org")
        good, public, lying, away = await check_providers.providers(config)
    assert (good.state, good.subject) == ("ok", "provider good")
    assert "https://chat.example.org/auth/oidc/good/callback" in good.finding
    assert "with a secret" in good.finding
    assert "public client" in public.finding
    assert (lying.state, "another issuer" in lying.finding) == ("warning", True)
    assert (away.state, "cannot be reached" in away.finding) == ("warning", True)
    assert "SSL_CERT_FILE" in str(away.remedy)


async def test_public_url_without_https_is_a_warning(config: Config) -> None:
    async with hostile_provider() as provider:
        config = replace(config, providers=(provider.settings("good"),))
        found = await check_providers.providers(config)
    assert [each.state for each in found] == ["warning", "ok"]
