"""The page on which a person adds an application to a guild.

The page is the same for every link: its script reads the query, and calls the API with the token of
a login on the page. It keeps the token in its memory only, and ends the login at the end, so no
other site can act with it. No frame can contain the page (clickjacking). It loads nothing from
other servers, and it shows names as text.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

from aiohttp import web

from chatd.core.permissions import Permissions
from chatd.rest import docs_page

_POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",  # the script sends the forms
        "frame-ancestors 'none'",
    ]
)
_HEADERS: Final = {
    **docs_page.HEADERS,
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_HEAD = """\
<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<link rel="icon" type="image/png" href="{base}embed/avatars/0.png">
<link rel="stylesheet" href="{base}docs/css?v={docs}">
<link rel="stylesheet" href="{base}oauth2/authorize/css?v={css}">"""

_AUTHORIZE = (
    _HEAD
    + """
<script src="{base}oauth2/authorize/js?v={js}" defer></script></head>
<body class="plain"><main class="home">
<h1 id="title">Add an application</h1>
<noscript><p>This page needs JavaScript.</p></noscript>
<p id="status" role="status"></p>
<p id="error" role="alert"></p>
<form id="login" hidden>
<h2>Log in</h2>
<p>Log in on this server to see what the application asks for. You are logged out again at the
end.</p>
<p><label for="email">Email</label>
<input id="email" name="email" type="email" autocomplete="username" required></p>
<p><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required></p>
<p class="buttons"><button type="submit">Log in</button></p>
</form>
<form id="factor" hidden>
<h2>Second factor</h2>
<p id="by-code"><label for="code">Code of your app, or a recovery code</label>
<input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" maxlength="64"></p>
<p class="buttons"><button type="submit" id="send-code">Log in</button>
<button type="button" id="passkey" hidden>Use a passkey</button></p>
</form>
<form id="consent" hidden>
<div class="application"><img id="icon" alt="" width="64" height="64" hidden>
<div><h2 id="name"></h2><p id="description"></p></div></div>
<p class="dim">Logged in as <strong id="user"></strong>.</p>
<p id="asks"></p>
<p id="choose"><label for="guild">Guild</label>
<select id="guild" name="guild"></select></p>
<fieldset id="permissions"><legend>Permissions of the bot</legend>
<p id="hint" class="dim"></p><ul>{permissions}</ul></fieldset>
<p class="buttons"><button type="submit">Authorize</button>
<button type="button" id="cancel">Cancel</button></p>
</form>
</main></body></html>"""
)

_AUTHORIZED = (
    _HEAD
    + """</head>
<body class="plain"><main class="home"><h1>{title}</h1><p>You can close this page.</p></main></body>
</html>"""
)


def authorize(request: web.Request) -> web.Response:
    """Return the page of a link that adds an application."""
    return _response(request, _AUTHORIZE, "Add an application")


def authorized(request: web.Request) -> web.Response:
    """Return the page at the end of an authorization."""
    return _response(request, _AUTHORIZED, "The authorization has ended.")


def asset(name: str, media: str) -> web.Response:
    """Return a file of the page. Its address contains a hash, so it can be cached for a year."""
    return web.Response(
        body=docs_page.asset(name),
        content_type=media,
        charset="utf-8",
        headers={**_HEADERS, "Cache-Control": docs_page.CACHE_CONTROL},
    )


def _response(request: web.Request, template: str, title: str) -> web.Response:
    text = template.format(
        title=title,
        base="../../" if request.path.endswith("/") else "../",
        permissions=_permissions(),
        docs=_digest("docs.css"),
        css=_digest("oauth2.css"),
        js=_digest("oauth2.js"),
    )
    headers = {**_HEADERS, "Cache-Control": "no-store", "Vary": "Accept"}
    return web.Response(text=text, content_type="text/html", headers=headers)


@cache
def _permissions() -> str:
    """Return a hidden checkbox for each permission; the script shows those that are asked for."""
    return "".join(
        f'<li hidden><label><input type="checkbox" name="permission" value="{each.value}">'
        f" {_title(each)}</label></li>"
        for each in Permissions
    )


def _title(permission: Permissions) -> str:
    words = (permission.name or "").replace("_", " ").capitalize()
    return words.replace("tts", "text-to-speech").replace("vad", "voice activity")


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(docs_page.asset(name)).hexdigest()[:12]
