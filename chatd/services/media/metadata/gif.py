"""GIF: comments and unknown application extensions are left out. Rule: GIF89a."""

from __future__ import annotations

from chatd.services.media.metadata.parsing import Malformed, Steps, StreamStripper

_COMMENT, _APPLICATION = 0xFE, 0xFF  # labels of extensions
# Application extensions: the two that loop an animation, and a color profile.
_KEPT = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")


def parse_gif(stream: StreamStripper) -> Steps:
    """Copy a GIF without its metadata. Raises Malformed."""
    head = yield from stream.take(13)
    stream.put(head)
    yield from _colors(stream, head[10])
    while True:
        stream.count()
        kind = yield from stream.take(1)
        if kind == b"\x3b":
            stream.put(kind)
            return
        if kind == b"\x2c":
            descriptor = yield from stream.take(9)
            stream.put(kind + descriptor)
            yield from _colors(stream, descriptor[8])
            yield from stream.move(1, keep=True)
            yield from _blocks(stream, keep=True)
        elif kind == b"\x21":
            yield from _extension(stream, kind)
        else:
            stream.put(kind)
            raise Malformed


def _extension(stream: StreamStripper, kind: bytes) -> Steps:
    """Copy or drop an extension, after its first byte `kind`."""
    head = kind + (yield from stream.take(2))
    label, size = head[1:]
    block = yield from stream.take(size)
    is_application = label == _APPLICATION
    keep = block.startswith(_KEPT) if is_application else label != _COMMENT
    if keep:
        stream.put(head + block)
    if size or is_application:
        yield from _blocks(stream, keep=keep)


def _colors(stream: StreamStripper, flags: int) -> Steps:
    """Copy a color table, if the flags announce one."""
    if flags & 0x80:
        yield from stream.move(3 << ((flags & 7) + 1), keep=True)


def _blocks(stream: StreamStripper, *, keep: bool) -> Steps:
    """Copy or drop data sub-blocks up to their terminator."""
    while True:
        stream.count()
        size = yield from stream.take(1)
        if keep:
            stream.put(size)
        if not size[0]:
            return
        yield from stream.move(size[0], keep=keep)
