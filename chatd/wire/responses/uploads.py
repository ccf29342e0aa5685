"""Responses about uploads and links to files."""

from __future__ import annotations

from chatd.wire.json_schema import ID, STRING, array_of, nullable, object_schema

RESERVED_UPLOADS = object_schema(
    "ReservedUploads",
    "Where to upload files.",
    {
        "attachments": array_of(
            object_schema(
                "ReservedUpload",
                "Where to upload a file.",
                {"id": nullable(ID), "upload_url": STRING, "upload_filename": STRING},
            )
        )
    },
)
REFRESHED_URLS = object_schema(
    "RefreshedUrls",
    "Links to attachments that are valid again.",
    {
        "refreshed_urls": array_of(
            {
                "anyOf": [
                    object_schema(
                        "RefreshedUrl",
                        "A link to an attachment, before and after.",
                        {"original": STRING, "refreshed": STRING},
                    ),
                    STRING,
                ]
            }
        )
    },
)
