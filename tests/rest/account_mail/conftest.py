"""A server that sends mail through a real SMTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import ServeMore, Server
from tests.helpers.mail import MailServer, mail_server
from tests.world import World, world_on


@pytest.fixture(scope="module")
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
async def sending(serve_more: ServeMore, mails: MailServer) -> AsyncIterator[Server]:
    """A server that sends mail."""
    async with serve_more(worker_id=1, smtp=mails.settings) as running:
        yield running


@pytest.fixture
async def world(sending: Server) -> AsyncIterator[World]:
    async with world_on(sending.url, sending.gateway_url) as made:
        yield made
