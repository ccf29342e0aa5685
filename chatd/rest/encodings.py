"""Content codings: which one a client accepts. Rule: RFC 9110, section 12.5.3."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

_REFUSED: Final = re.compile(r"\s*q\s*=\s*0(?:\.0*)?\s*", re.ASCII)
_ANY: Final = "*"


def accepted_encoding(request: web.Request, *offered: str) -> str:
    """Return the first offered coding that the client accepts, or "" for none.

    The order is the server's: clients that give weights accept the smallest all the same.
    """
    accepts: dict[str, bool] = {}
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        coding, _, weight = part.partition(";")
        accepts[coding.strip()] = _REFUSED.fullmatch(weight) is None
    others = accepts.get(_ANY, False)
    return next((each for each in offered if accepts.get(each, others)), "")
