"""Descriptions of fields of uploads, and of links to files."""

from __future__ import annotations

from typing import Final

UPLOADS: Final[dict[str, dict[str, str]]] = {
    "NewUploads": {"files": "The files."},
    "UploadInput": {
        "id": "A number that the client chooses, to recognize the file in the answer.",
        "filename": "The name of the file.",
        "file_size": "Its size in bytes.",
    },
    "ReservedUploads": {"attachments": "Where to upload each file."},
    "ReservedUpload": {
        "id": "The number that the client chose.",
        "upload_url": "The URL to which to PUT the file within an hour, without a login.",
        "upload_filename": "The name of the upload, for `uploaded_filename` of an attachment.",
    },
    "AttachmentUrls": {"attachment_urls": "Links to attachments; they may have expired."},
    "RefreshedUrls": {"refreshed_urls": "The links, in the order of the request."},
    "RefreshedUrl": {
        "original": "The link of the request.",
        "refreshed": "The link that is valid.",
    },
}
UPLOAD_SCHEMAS: Final[dict[str, str]] = {
    "NewUploads": "The files to upload.",
    "UploadInput": "A file to upload.",
    "AttachmentUrls": "The links to refresh.",
}
