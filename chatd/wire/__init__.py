"""The JSON shapes of the wire, pure: `schemas` read what comes in, `payloads` write what goes out.

Shapes are those of Discord's API v10.
"""
