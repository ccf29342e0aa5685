"""The page that a browser gets when a login at a provider has failed.

It quotes nothing that the provider or the address says.
"""

from __future__ import annotations

from html import escape
from typing import Final

from aiohttp import web

from chatd.core.errors import ApiError
from chatd.core.json import JsonObject
from chatd.rest import docs_page
from chatd.web.keys import HAS_WEB_CLIENT, PUBLIC_URL

_PAGE: Final = """\
<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>You are not logged in</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<link rel="stylesheet" href="{base}/docs/css"></head>
<body class="plain"><main class="home"><h1>You are not logged in</h1>
<p role="alert">{message}</p>{link}</main></body></html>"""


def _message(body: JsonObject) -> str:
    """Return the text of an error; of the first field, if it is about fields."""
    for errors in body.get("errors", {}).values():
        return str(errors["_errors"][0]["message"])
    return str(body["message"])


def failed(request: web.Request, error: ApiError) -> web.Response:
    """Return the page of an error, with its status."""
    base = escape(request.app[PUBLIC_URL])
    link = f'<p><a href="{base}/login">Back to the login</a></p>'
    text = _PAGE.format(
        base=base,
        message=escape(_message(error.body())),
        link=link if request.app[HAS_WEB_CLIENT] else "",
    )
    headers = {**docs_page.HEADERS, "X-Frame-Options": "DENY", "Cache-Control": "no-store"}
    return web.Response(text=text, status=error.status, content_type="text/html", headers=headers)
