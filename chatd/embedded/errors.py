"""Errors of the private servers."""

from __future__ import annotations


class EmbeddedError(Exception):
    """A private server cannot be used; the message is one line for the operator."""


class DataDirInUse(EmbeddedError):
    """Another chatd uses the data folder."""
