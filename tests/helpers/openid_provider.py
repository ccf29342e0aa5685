"""A real OpenID provider: that of idpyoidc, over HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from idpyoidc.server import Server
from idpyoidc.server.configure import OPConfiguration

from tests.helpers.endpoints import serving_urls

CLIENT_ID, CLIENT_SECRET = "chatd", "secret-of-chatd-0123456789"
_PATHS = {
    "/.well-known/openid-configuration": "provider_config",
    "/authorization": "authorization",
    "/token": "token",
    "/userinfo": "userinfo",
}


@dataclass
class OpenIdProvider:
    """The provider; its only user has these claims."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    """The paths that were requested."""
    session_ids: list[str] = field(default_factory=list)
    server: Any = None

    def configure(self, folder: Path, redirect_uri: str) -> None:
        """Register chatd as a client."""
        self.server = Server(
            OPConfiguration(conf=_configuration(self.url, folder, self.claims), base_path="."),
            cwd=str(folder),
        )
        self.server.context.cdb[CLIENT_ID] = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [(redirect_uri, None)],
            "response_types_supported": ["code"],
            "token_endpoint_auth_method": "client_secret_basic",
            "allowed_scopes": ["openid", "profile", "email", "groups"],
            "backchannel_logout_uri": redirect_uri,
        }
        self.server.keyjar.add_symmetric(CLIENT_ID, CLIENT_SECRET)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request as a web framework around idpyoidc does."""
        self.requests.append(request.path)
        if request.path == "/jwks":
            return web.Response(
                text=self.server.keyjar.export_jwks_as_json(), content_type="application/json"
            )
        endpoint = self.server.get_endpoint(_PATHS[request.path])
        given = dict(parse_qsl(await request.text())) if request.method == "POST" else None
        http_info = {"headers": {k.lower(): v for k, v in request.headers.items()}, "cookie": []}
        parsed = endpoint.parse_request(given or dict(request.query), http_info=http_info)
        if "error" in parsed:
            return web.json_response(parsed.to_dict(), status=400)
        found = endpoint.process_request(parsed, http_info=http_info)
        if "error" in found:
            return web.json_response(dict(found), status=400)
        if "return_uri" in found or "redirect_location" in found:
            location = endpoint.do_response(request=parsed, **found)["response"]
            return web.Response(status=303, headers={"Location": location})
        response = endpoint.do_response(request=parsed, **found)
        if request.path == "/token":
            payload = json.loads(response["response"])["id_token"].split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
            self.session_ids.append(claims["sid"])
        return web.Response(text=response["response"], content_type="application/json")

    def logout_token(self) -> str:
        """End the last session of the user; return the logout token for chatd."""
        found = self.server.get_endpoint("session").logout_from_client(self.session_ids[-1])
        return str(found["blu"][CLIENT_ID][1])


@asynccontextmanager
async def running_provider(
    folder: Path, redirect_uri: str, claims: Mapping[str, Any]
) -> AsyncIterator[OpenIdProvider]:
    """Run the provider for a client at this address."""
    provider = OpenIdProvider(claims=dict(claims))
    async with serving_urls(provider.handle) as url:
        provider.url = url
        provider.configure(folder, redirect_uri)
        yield provider


def _configuration(issuer: str, folder: Path, claims: dict[str, Any]) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "httpc_params": {"verify": False},
        "preference": {
            "id_token_signing_alg_values_supported": ["ES256", "RS256"],
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
        },
        "keys": {
            "key_defs": [
                {"type": "RSA", "use": ["sig"]},
                {"type": "EC", "crv": "P-256", "use": ["sig"]},
            ],
            "uri_path": "jwks",
            "private_path": str(folder / "keys.json"),
            "read_only": False,
        },
        "token_handler_args": {
            "jwks_def": {
                "private_path": str(folder / "tokens.json"),
                "read_only": False,
                "key_defs": [{"type": "oct", "bytes": "24", "use": ["enc"], "kid": "code"}],
            },
            "code": {"lifetime": 600},
            "token": {
                "class": "idpyoidc.server.token.jwt_token.JWTToken",
                "kwargs": {"lifetime": 3600},
            },
            "id_token": {"class": "idpyoidc.server.token.id_token.IDToken", "kwargs": {}},
        },
        "endpoint": {
            "provider_config": {
                "path": ".well-known/openid-configuration",
                "class": "idpyoidc.server.oidc.provider_config.ProviderConfiguration",
                "kwargs": {},
            },
            "authorization": {
                "path": "authorization",
                "class": "idpyoidc.server.oidc.authorization.Authorization",
                "kwargs": {
                    "response_types_supported": ["code"],
                    "response_modes_supported": ["query"],
                },
            },
            "token": {
                "path": "token",
                "class": "idpyoidc.server.oidc.token.Token",
                "kwargs": {"client_authn_method": ["client_secret_basic", "client_secret_post"]},
            },
            "userinfo": {
                "path": "userinfo",
                "class": "idpyoidc.server.oidc.userinfo.UserInfo",
                "kwargs": {},
            },
            "session": {
                "path": "session",
                "class": "idpyoidc.server.oidc.session.Session",
                "kwargs": {},
            },
        },
        "userinfo": {
            "class": "idpyoidc.server.user_info.UserInfo",
            "kwargs": {"db": {"diana": claims}},
        },
        "authentication": {
            "anonymous": {
                "acr": "urn:oasis:names:tc:SAML:2.0:ac:classes:InternetProtocolPassword",
                "class": "idpyoidc.server.user_authn.user.NoAuthn",
                "kwargs": {"user": "diana"},
            }
        },
        "add_on": {
            "pkce": {
                "function": "idpyoidc.server.oauth2.add_on.pkce.add_support",
                "kwargs": {"essential": True},
            }
        },
        "scopes_to_claims": {
            "openid": ["sub"],
            "profile": ["name", "preferred_username"],
            "email": ["email", "email_verified"],
            "groups": ["groups"],
        },
        "claims_interface": {
            "class": "idpyoidc.server.session.claims.ClaimsInterface",
            "kwargs": {},
        },
        "session_params": {"password": "x" * 24, "salt": "of the sessions"},
    }
