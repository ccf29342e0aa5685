"""Errors of backup and restore."""

from __future__ import annotations


class BackupError(Exception):
    """A backup or restore cannot continue. The message is one line for the operator."""


class InvalidArchive(BackupError):
    """The file is not a complete, unaltered archive that this version can read."""


class WrongPassphrase(BackupError):
    """The passphrase does not decrypt the secrets of the archive."""
