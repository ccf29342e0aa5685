"""create_app(config): the whole server, in the order in which it starts."""

from __future__ import annotations

from chatd.config import Config


async def serve(config: Config) -> None:
    """Serve until SIGINT or SIGTERM."""
    raise NotImplementedError(config)
