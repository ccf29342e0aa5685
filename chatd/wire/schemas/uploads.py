"""Schemas of uploads by reference, and of links to files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatd.wire.base_schema import Schema
from chatd.wire.fields import Int, List, Nested, Snowflake
from chatd.wire.text_fields import Text
from chatd.wire.unsupported import Derived
from chatd.wire.validators import length, within


@dataclass(frozen=True, slots=True)
class UploadInput:
    filename: str
    file_size: int
    id: int | None = None
    """A number of the client's own, by which it recognizes the answer."""


@dataclass(frozen=True, slots=True)
class NewUploads:
    files: Sequence[UploadInput]


@dataclass(frozen=True, slots=True)
class AttachmentUrls:
    attachment_urls: Sequence[str]


class UploadInputSchema(Schema[UploadInput]):
    into = UploadInput
    id = Snowflake(allow_none=True)
    filename = Text(required=True, validate=length(1, 1024))
    file_size = Int(required=True, validate=within(0, 2**53))
    is_clip = Derived()
    original_content_type = Derived()


class NewUploadsSchema(Schema[NewUploads]):
    into = NewUploads
    files = List(Nested(UploadInputSchema), required=True, validate=length(1, 10))


class AttachmentUrlsSchema(Schema[AttachmentUrls]):
    into = AttachmentUrls
    attachment_urls = List(Text(validate=length(1, 2048)), required=True, validate=length(1, 50))
