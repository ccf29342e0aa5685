"""The JSON shapes of the wire, pure: those of Discord's API v10.

`schemas`, made of `fields`, read what comes in; `payloads` write what goes out.
"""
