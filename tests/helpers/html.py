"""Parsed HTML pages."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"meta", "link", "input"}


class ParsedPage(HTMLParser):
    """The ids, links, sources, tags and text of a page. Fails on tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.tags: set[str] = set()
        self._texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []
        self.text = "".join(self._texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in _VOID:
            self._open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on") and name != "style"
            if name == "id":
                self.ids.append(value or "")
            elif name == "src" or (name == "href" and tag == "link"):
                self.sources.append(value or "")
            elif name == "href":
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        assert "script" not in self._open or not data.strip(), "a script in the page"
        self._texts.append(data)
