"""Removal of metadata from images: locations, cameras, names, comments.

Pixels are not compressed again: each part of a file is copied or left out. A color profile stays,
and so does the orientation, in an Exif block with nothing else. Most formats are parsed while they
arrive, in little memory. WebP has its length at the front and goes through a temporary file.

HEIC and AVIF refer to their parts by byte offsets, so nothing moves in them: their Exif and XMP
items are overwritten in place. TIFF, MP4 and MOV are not changed.

Rules: ITU-T T.81 (JPEG), Exif 2.32, PNG (W3C, Third Edition), GIF89a, RFC 9649 (WebP),
ISO/IEC 14496-12 and 23008-12 (HEIC, AVIF).
"""
