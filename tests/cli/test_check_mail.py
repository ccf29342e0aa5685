"""chatd check: whether the SMTP server answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatd.cli import check_mail
from chatd.cli.finding import Finding
from chatd.config import Config
from chatd.smtp_settings import SmtpSettings
from tests.helpers.check import silent_port
from tests.helpers.mail import mail_server


async def found(config: Config, settings: SmtpSettings) -> list[Finding]:
    return [each async for each in check_mail.smtp(replace(config, smtp=settings))]


async def test_server_that_answers(config: Config) -> None:
    assert await found(config, SmtpSettings()) == []
    async with mail_server() as server:
        [finding] = await found(config, server.settings)
        assert (finding.state, finding.subject) == ("ok", "mail")
        for tls in ("starttls", "tls"):
            [finding] = await found(config, replace(server.settings, tls=tls))
            assert finding.state == "warning"
            assert "certificate" in (finding.remedy or "")
        without = replace(server.settings, user="chatd")
        assert [each.state for each in await found(config, without)] == ["warning", "ok"]
        with_login = replace(without, password="wrong")
        [finding] = await found(config, with_login)
        assert finding.state == "warning"
        assert server.received == []


@pytest.mark.parametrize("answers", [True, False])
async def test_server_that_does_not_answer(config: Config, answers: bool) -> None:
    with silent_port() as port:
        settings = SmtpSettings("127.0.0.1", port if answers else 1, "off", timeout_s=0.2)
        [finding] = await found(config, settings)
        assert finding.state == "warning"
        assert "SMTP_HOST" in (finding.remedy or "")
