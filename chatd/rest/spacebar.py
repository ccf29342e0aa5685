"""What clients of Spacebar ask of a server: its addresses, its limits, its rules of registration.

Such clients take the address of a server from the user and look up the others. Everything is at the
address by which the client reached this server.
Rule: Spacebar's server, which has no other description of these routes.
"""

from __future__ import annotations

from aiohttp import web

from chatd.core.json import JsonObject
from chatd.core.names import MAX_USERNAME_LENGTH
from chatd.rest.response import json_response
from chatd.rest.routing import PUBLIC, Routes
from chatd.services.accounts.relationships import MAX_FRIENDS
from chatd.services.guilds.channels import MAX_CHANNELS
from chatd.services.guilds.guilds import MAX_GUILDS
from chatd.services.guilds.roles import MAX_ROLES
from chatd.services.media.uploads import MAX_FILES
from chatd.services.messages.pins import MAX_PINS
from chatd.services.messages.reactions import MAX_EMOJIS
from chatd.services.webhooks.webhooks import MAX_WEBHOOKS
from chatd.web.client_address import gateway_url, http_origin, reached_host
from chatd.web.keys import DEPENDENCIES, UPLOAD_BOUNDS
from chatd.wire import responses
from chatd.wire.schemas.accounts import MAX_BIO
from chatd.wire.schemas.bans import MAX_BANS
from chatd.wire.schemas.channels import MAX_TOPIC
from chatd.wire.schemas.embeds import MAX_EMBEDS
from chatd.wire.schemas.messages import MESSAGE_MAX_LENGTH
from chatd.wire.validators import MAX_NAME

routes = Routes()

_API_VERSIONS = ("9", "10")


@routes.get("/.well-known/spacebar", PUBLIC, answers=responses.SPACEBAR)
async def well_known(request: web.Request) -> web.Response:
    """Get the address of the API, as clients of Spacebar look it up."""
    return json_response({"api": f"{http_origin(request)}/api/"})


@routes.get("/.well-known/spacebar/client", PUBLIC, answers=responses.SPACEBAR_CLIENT)
async def well_known_client(request: web.Request) -> web.Response:
    """Get the addresses of the API, the gateway and files, as clients of Spacebar look them up."""
    origin = http_origin(request)
    versions = {"default": _API_VERSIONS[0], "active": list(_API_VERSIONS)}
    return json_response(
        {
            "api": {"baseUrl": origin, "apiVersions": versions},
            "cdn": {"baseUrl": origin},
            "gateway": {
                "baseUrl": gateway_url(request),
                "encoding": ["json"],
                "compression": ["zstd-stream", "zlib-stream", None],
            },
        }
    )


@routes.get("/ping", PUBLIC, answers=responses.PING)
async def ping(request: web.Request) -> web.Response:
    """Check that the server answers, and get its name."""
    described = _description(request)
    described["id"] = described.pop("instanceId")
    described["name"] = described.pop("instanceName")
    described["description"] = described.pop("instanceDescription")
    return json_response({"ping": "pong!", "instance": described})


@routes.get("/policies/instance", PUBLIC, answers=responses.INSTANCE)
async def instance(request: web.Request) -> web.Response:
    """Describe the server."""
    return json_response({**_description(request), "autoCreateBotUsers": False})


@routes.get("/policies/instance/domains", PUBLIC, answers=responses.INSTANCE_DOMAINS)
async def domains(request: web.Request) -> web.Response:
    """Get the addresses of the API, the gateway and files."""
    origin = http_origin(request)
    return json_response(
        {
            "api": f"{origin}/api/",
            "apiEndpoint": f"{origin}/api/v{_API_VERSIONS[0]}",
            "cdn": origin,
            "defaultApiVersion": _API_VERSIONS[0],
            "gateway": gateway_url(request),
        }
    )


@routes.get("/policies/instance/config", PUBLIC, answers=responses.INSTANCE_CONFIG)
async def config(request: web.Request) -> web.Response:
    """Get the limits and rules that clients show before a login."""
    policy = request.app[DEPENDENCIES].registration
    bounds = request.app[UPLOAD_BOUNDS]
    return json_response(
        {
            "limits_user_maxGuilds": MAX_GUILDS,
            "limits_user_maxBio": MAX_BIO,
            "limits_user_maxPronouns": 0,
            "limits_guild_maxEmojis": 0,
            "limits_guild_maxRoles": MAX_ROLES,
            "limits_message_maxCharacters": MESSAGE_MAX_LENGTH,
            "limits_message_maxAttachmentSize": bounds.file_bytes,
            "limits_message_maxEmbedDownloadSize": 0,
            "limits_channel_maxWebhooks": MAX_WEBHOOKS,
            "register_dateOfBirth_required": False,
            "register_password_required": True,
            "register_email_required": True,
            "register_disabled": policy == "closed",
            "register_requireInvite": policy == "invitation",
            "register_requireApproval": policy == "approval",
            "register_allowNewRegistration": policy != "closed",
            "register_allowMultipleAccounts": True,
            "guild_autoJoin_canLeave": True,
            "guild_autoJoin_guilds_x": [],
            "can_recover_account": request.app[DEPENDENCIES].sends_mail,
        }
    )


@routes.get("/policies/instance/limits", PUBLIC, answers=responses.INSTANCE_LIMITS)
async def limits(request: web.Request) -> web.Response:
    """Get the limits of accounts, guilds, channels and messages."""
    return json_response(
        {
            "user": {
                "maxGuilds": MAX_GUILDS,
                "maxUsername": MAX_USERNAME_LENGTH,
                "maxFriends": MAX_FRIENDS,
                "maxBio": MAX_BIO,
            },
            "guild": {
                "maxRoles": MAX_ROLES,
                "maxEmojis": 0,
                "maxStickers": 0,
                "maxChannels": MAX_CHANNELS,
                "maxBulkBanUsers": MAX_BANS,
            },
            "message": {
                "maxCharacters": MESSAGE_MAX_LENGTH,
                "maxReactions": MAX_EMOJIS,
                "maxAttachments": MAX_FILES,
                "maxAttachmentSize": request.app[UPLOAD_BOUNDS].file_bytes,
                "maxEmbeds": MAX_EMBEDS,
            },
            "channel": {
                "maxPins": MAX_PINS,
                "maxTopic": MAX_TOPIC,
                "maxName": MAX_NAME,
            },
        }
    )


def _description(request: web.Request) -> JsonObject:
    """Describe the server: its name is its host, and there are no pages about it."""
    host = reached_host(request)
    return {
        "instanceId": host,
        "instanceName": host,
        "instanceDescription": None,
        "image": None,
        "correspondenceEmail": None,
        "correspondenceUserID": None,
        "frontPage": None,
        "tosPage": None,
    }
