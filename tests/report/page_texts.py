"""The page as plain text: headings as `## title`, rows of tables as `| a | b |`, items as `- a`."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from orket_lib.artifacts.views.summary import Summary
from orket_lib.report.page.page import render_page

_STARTS = {"h1": "## ", "h2": "## ", "h3": "## ", "h4": "## ", "li": "- ", "tr": "| "}
_BLOCKS = (*_STARTS, "p", "caption", "pre", "dt", "dd", "figcaption", "div", "details")


class Page(HTMLParser):
    """What of a page matters here: its tags with their attributes, its title, its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag in _BLOCKS:
            self.text += "\n" + _STARTS.get(tag, "")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""
        if tag in ("td", "th"):
            self.text += " | "
        elif tag in _BLOCKS:
            self.text += "\n"

    def handle_data(self, data: str) -> None:
        if self._inside not in ("style", "script", "title"):
            self.text += re.sub(r"\s+", " ", data.replace("|", r"\|"))

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def page_text(found: Summary, **options: Any) -> str:
    """Return the text of the page of a summary."""
    text = Page(render_page(found, **options)).text
    lines = (" ".join(line.split()) for line in text.splitlines())
    return re.sub(r"\n+", "\n", "\n".join(lines))
