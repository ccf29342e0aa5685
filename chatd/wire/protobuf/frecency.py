"""What a user uses often, and its favorites (type 2), which clients load when they need it.

Rule: discord.users.v1.FrecencyUserSettings, which Discord does not document.
"""

from __future__ import annotations

from chatd.wire.protobuf.kinds import BOOL, FIXED64, INT32, STRING, UINT32, UINT64, Choice
from chatd.wire.protobuf.messages import Map, Message, Repeated

VERSIONS = Message(
    client_version=(1, UINT32),
    server_version=(2, UINT32),
    data_version=(3, UINT32),
)
_GIF_TYPE = Choice("GIF_TYPE_", ("NONE", "IMAGE", "VIDEO"))
_FAVORITE_GIF = Message(
    format=(1, _GIF_TYPE),
    src=(2, STRING),
    width=(3, UINT32),
    height=(4, UINT32),
    order=(5, UINT32),
)
_FAVORITE_GI_FS = Message(
    gifs=(1, Map(STRING, _FAVORITE_GIF)),
    hide_tooltip=(2, BOOL),
)
_FAVORITE_STICKERS = Message(
    sticker_ids=(1, Repeated(FIXED64)),
)
_FRECENCY_ITEM = Message(
    total_uses=(1, UINT32),
    recent_uses=(2, Repeated(UINT64)),
    frecency=(3, INT32),
    score=(4, INT32),
)
_STICKER_FRECENCY = Message(
    stickers=(1, Map(FIXED64, _FRECENCY_ITEM)),
)
_FAVORITE_EMOJIS = Message(
    emojis=(1, Repeated(STRING)),
)
_EMOJI_FRECENCY = Message(
    emojis=(1, Map(STRING, _FRECENCY_ITEM)),
)
_APPLICATION_COMMAND_FRECENCY = Message(
    application_commands=(1, Map(STRING, _FRECENCY_ITEM)),
)
_FAVORITE_SOUNDBOARD_SOUNDS = Message(
    sound_ids=(1, Repeated(FIXED64)),
)
_APPLICATION_FRECENCY = Message(
    applications=(1, Map(STRING, _FRECENCY_ITEM)),
)
_HEARD_SOUND_FRECENCY = Message(
    heard_sounds=(1, Map(STRING, _FRECENCY_ITEM)),
)
_PLAYED_SOUND_FRECENCY = Message(
    played_sounds=(1, Map(STRING, _FRECENCY_ITEM)),
)
_GUILD_AND_CHANNEL_FRECENCY = Message(
    guild_and_channels=(1, Map(FIXED64, _FRECENCY_ITEM)),
)
FRECENCY_SETTINGS = Message(
    versions=(1, VERSIONS),
    favorite_gifs=(2, _FAVORITE_GI_FS),
    favorite_stickers=(3, _FAVORITE_STICKERS),
    sticker_frecency=(4, _STICKER_FRECENCY),
    favorite_emojis=(5, _FAVORITE_EMOJIS),
    emoji_frecency=(6, _EMOJI_FRECENCY),
    application_command_frecency=(7, _APPLICATION_COMMAND_FRECENCY),
    favorite_soundboard_sounds=(8, _FAVORITE_SOUNDBOARD_SOUNDS),
    application_frecency=(9, _APPLICATION_FRECENCY),
    heard_sound_frecency=(10, _HEARD_SOUND_FRECENCY),
    played_sound_frecency=(11, _PLAYED_SOUND_FRECENCY),
    guild_and_channel_frecency=(12, _GUILD_AND_CHANNEL_FRECENCY),
    emoji_reaction_frecency=(13, _EMOJI_FRECENCY),
)
