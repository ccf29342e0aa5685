"""The page at `/`: what this server is, whether it is ready, and links.

It is not a route of the API, so it has no prefix, and `/api` remains a 404 in JSON. A client that
accepts JSON but not HTML gets the same facts as JSON. Browsers, which ask for HTML by its name, get
the web client instead, unless it is disabled.
"""

from __future__ import annotations

from html import escape

from aiohttp import web

import chatd
from chatd.rest import docs_page, web_client
from chatd.rest.health import readiness
from chatd.rest.response import json_response
from chatd.web.client_address import is_secure
from chatd.web.keys import DEPENDENCIES, HAS_WEB_CLIENT

_STATUS = {
    "ok": "The server is ready.",
    "degraded": "The server is ready. Redis is unavailable, so this instance does not receive"
    " events of other instances.",
    "unavailable": "The server is not ready: its database is unavailable or busy.",
}

_BODY = """\
<main class="home"><h1>chatd</h1>
<p>This is chatd {version}, a chat server that speaks Discord's protocol.</p>
<p><strong id="status">{status}</strong></p>
<h2>Links</h2>
<ul>
<li><a href="docs">The documentation of the API</a>, with a guide and examples.
<a href="openapi.json">openapi.json</a> is the same as an OpenAPI document.</li>
<li>For bots: <a href="docs#interactions">slash commands and other interactions</a>,
<a href="docs#webhooks">webhooks</a>, <a href="docs#the-gateway">the gateway</a>.</li>
<li>The README of chatd has a first chat and a bot; its guide to the API continues from there.</li>
<li><a href="health/ready">health/ready</a> is for monitoring.</li>
</ul>
<h2>Clients and bots</h2>
<p>{client} Libraries for Discord bots, like discord.py, work with this server
when their addresses are changed: the base URL of the API to <code>/api/v10</code> on this server,
and the gateway to <code>/gateway</code>. Other clients work if their server address can be set.</p>
<h2>Registration</h2>
<p>{registration}</p>
<div class="code shell"><pre tabindex="0"><code>curl -X POST {url}/auth/register \\
  -H 'Content-Type: application/json' \\
  -d '{{"username": "ada", "email": "ada@example.org", "password": "Password123!"}}'
</code></pre></div>
<p>The response contains a token for requests and for the gateway:
see <a href="docs#logging-in">logging in</a>.</p></main>"""

_CLIENT = '<a href="app">The web client</a> is for browsers.'

_REGISTRATION = {
    "open": "Registration is open:",
    "approval": "Registration is open; an administrator has to approve the account:",
    "invitation": "Registration needs a code from an administrator, in the field"
    " <code>invitation</code>:",
    "closed": "Registration is closed; an administrator creates accounts. Where it is open:",
}


async def home(request: web.Request) -> web.Response:
    """Serve the page. The status is 200 even if the server is not ready; the page says so."""
    accepted = request.headers.get("Accept", "").lower()
    if request.app[HAS_WEB_CLIENT] and "text/html" in accepted:
        return await web_client.page(request)
    status = (await readiness(request))["status"]
    if "application/json" in accepted and "text/html" not in accepted:
        response = json_response(
            {
                "name": "chatd",
                "version": chatd.__version__,
                "status": status,
                "docs": "/docs",
                "openapi": "/openapi.json",
            }
        )
    else:
        body = _BODY.format(
            version=escape(chatd.__version__),
            status=_STATUS[status],
            client=_CLIENT if request.app[HAS_WEB_CLIENT] else "The web client is disabled.",
            registration=_REGISTRATION[request.app[DEPENDENCIES].registration],
            url=escape(f"{'https' if is_secure(request) else 'http'}://{request.host}"),
        )
        response = web.Response(text=docs_page.framed("chatd", body), content_type="text/html")
        response.headers.update(docs_page.HEADERS)
    response.headers.update({"Cache-Control": "no-store", "Vary": "Accept"})
    return response
