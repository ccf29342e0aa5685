"""Errors of imports and exports."""

from __future__ import annotations


class TransferError(Exception):
    """An import or export cannot continue. The message is one line for the operator."""


class BrokenJson(TransferError):
    """A file is not JSON, or not within the limits, from the position `where` on."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what


class NoArray(BrokenJson):
    """A file has no such list where one is expected: it is JSON of another program."""
