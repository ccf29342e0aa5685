"""Components as bots send them, for tests: single ones, and a strategy for whole messages."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

JsonObject = dict[str, Any]


def button(custom_id: str = "b", **fields: Any) -> JsonObject:
    """A button with a custom id."""
    return {"type": 2, "style": 1, "label": "Press", "custom_id": custom_id, **fields}


def link(url: str = "https://example.org", **fields: Any) -> JsonObject:
    """A link button."""
    return {"type": 2, "style": 5, "label": "Go", "url": url, **fields}


def row(*components: JsonObject, **fields: Any) -> JsonObject:
    """An action row."""
    return {"type": 1, "components": list(components), **fields}


def select(custom_id: str = "s", *values: str, **fields: Any) -> JsonObject:
    """A string select with these options."""
    options = [{"label": each, "value": each} for each in values or ("red", "blue")]
    return {"type": 3, "custom_id": custom_id, "options": options, **fields}


def text(content: str = "hello", **fields: Any) -> JsonObject:
    """A text display."""
    return {"type": 10, "content": content, **fields}


def container(*components: JsonObject, **fields: Any) -> JsonObject:
    """A container."""
    return {"type": 17, "components": list(components), **fields}


def thumbnail(url: str, **fields: Any) -> JsonObject:
    """A thumbnail."""
    return {"type": 11, "media": {"url": url}, **fields}


def section(*texts: str, accessory: JsonObject, **fields: Any) -> JsonObject:
    """A section."""
    inside = [text(each) for each in texts or ("beside",)]
    return {"type": 9, "components": inside, "accessory": accessory, **fields}


def gallery(*urls: str, **fields: Any) -> JsonObject:
    """A media gallery."""
    return {"type": 12, "items": [{"media": {"url": each}} for each in urls], **fields}


def label(component: JsonObject, **fields: Any) -> JsonObject:
    """A label of a modal."""
    return {"type": 18, "label": "Question", "component": component, **fields}


def text_input(custom_id: str = "t", **fields: Any) -> JsonObject:
    """A text input of a modal."""
    return {"type": 4, "style": 1, "custom_id": custom_id, **fields}


_WORDS = st.text("ab é👍", min_size=1, max_size=20).filter(lambda text: not text.isspace())
_FLAG = st.booleans()
_ID = st.integers(1, 2**62).map(str)
_EMOJI = st.one_of(
    st.sampled_from(["👍", "❤️", "🏳️‍🌈"]).map(lambda name: {"name": name}),
    st.fixed_dictionaries({"id": _ID, "name": _WORDS}, optional={"animated": _FLAG}),
)
_MEDIA = st.sampled_from(["https://example.org/a.png", "attachment://a.png"]).map(
    lambda url: {"url": url}
)
_OPTIONS = st.lists(_WORDS, min_size=1, max_size=4, unique=True).flatmap(
    lambda values: st.tuples(
        *(
            st.fixed_dictionaries(
                {"label": _WORDS, "value": st.just(each)},
                optional={"description": _WORDS, "emoji": _EMOJI},
            )
            for each in values
        )
    ).map(list)
)


def _typed(kind: int, required: JsonObject, optional: JsonObject | None = None) -> Any:
    return st.fixed_dictionaries({"type": st.just(kind), **required}, optional=optional or {})


_BUTTONS = _typed(
    2,
    {"style": st.integers(1, 4), "label": _WORDS, "custom_id": _WORDS},
    {"emoji": _EMOJI, "disabled": _FLAG},
) | _typed(2, {"style": st.just(5), "emoji": _EMOJI, "url": st.just("discord://-/channels/@me")})
_SELECT = {"placeholder": _WORDS, "disabled": _FLAG, "min_values": st.integers(0, 1)}
_SELECTS = _typed(3, {"custom_id": _WORDS, "options": _OPTIONS}, _SELECT) | st.one_of(
    *(
        _typed(
            kind,
            {"custom_id": _WORDS},
            {
                **_SELECT,
                "default_values": st.lists(
                    st.fixed_dictionaries({"id": _ID, "type": st.just(of)}),
                    min_size=1,
                    max_size=1,
                ),
            },
        )
        for kind, of in ((5, "user"), (6, "role"), (7, "role"), (7, "user"), (8, "channel"))
    )
)
_ROWS = _typed(1, {"components": st.lists(_BUTTONS, min_size=1, max_size=5)}) | _typed(
    1, {"components": st.lists(_SELECTS, min_size=1, max_size=1)}
)
_TEXTS = _typed(10, {"content": _WORDS})
_PICTURE = {"description": _WORDS, "spoiler": _FLAG}
_THUMBNAILS = _typed(11, {"media": _MEDIA}, _PICTURE)
_BLOCKS = st.one_of(
    _ROWS,
    _TEXTS,
    _typed(
        9,
        {
            "components": st.lists(_TEXTS, min_size=1, max_size=3),
            "accessory": _THUMBNAILS | _BUTTONS,
        },
    ),
    _typed(
        12,
        {
            "items": st.lists(
                st.fixed_dictionaries({"media": _MEDIA}, optional=_PICTURE), min_size=1, max_size=3
            )
        },
    ),
    _typed(13, {"file": st.just({"url": "attachment://a.png"})}, {"spoiler": _FLAG}),
    _typed(14, {}, {"spacing": st.integers(1, 2), "divider": _FLAG}),
)
_CONTAINERS = _typed(
    17,
    {"components": st.lists(_BLOCKS, min_size=1, max_size=4)},
    {"accent_color": st.integers(0, 0xFFFFFF), "spoiler": _FLAG},
)


def _distinct(components: list[JsonObject], serial: list[int]) -> list[JsonObject]:
    """Return the components with distinct custom ids."""
    return [_renamed(each, serial) for each in components]


def _renamed(component: JsonObject, serial: list[int]) -> JsonObject:
    renamed = dict(component)
    if "custom_id" in component:
        serial[0] += 1
        renamed["custom_id"] = f"{component['custom_id'][:80]}-{serial[0]}"
    if "components" in component:
        renamed["components"] = _distinct(component["components"], serial)
    if "accessory" in component:
        renamed["accessory"] = _renamed(component["accessory"], serial)
    return renamed


LAYOUTS = st.lists(_BLOCKS | _CONTAINERS, min_size=1, max_size=3).map(
    lambda components: _distinct(components, [0])
)
"""Components of a message with IS_COMPONENTS_V2."""
