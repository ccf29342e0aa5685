"""The side of a client of OpenID Connect: providers over HTTP, and the tokens that they sign.

`provider` asks a provider for its metadata, its keys and tokens; `tokens` verifies what it signs.
Rules: OpenID Connect Core 1.0, Discovery 1.0, Back-Channel Logout 1.0; RFC 9700 (security).
"""
