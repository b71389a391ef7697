"""The operator report as one self-contained HTML page.

It is rendered from the Markdown report, so both always agree. Raw HTML in the Markdown is shown as
text, pictures are embedded, and the page's security policy forbids loading anything else.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

_TEMPLATE = "sweep_report.html.j2"


def render_html(markdown: str, folder: Path) -> str:
    """Return the page of a report.

    Args:
        markdown: The report; its first heading becomes the page's title.
        folder: Folder of the report; paths of PNG pictures are relative to it.

    Raises:
        OSError: A picture can't be read.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    # Wide tables scroll on their own, so the page fits on a phone.
    parser.add_render_rule("table_open", lambda *_: '<div class="wide"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    tokens = parser.parse(markdown)
    for token in tokens:
        _embed_pictures(token.children or (), folder)
    environment = Environment(
        loader=PackageLoader("orket_lib.report"), undefined=StrictUndefined, autoescape=True
    )
    return environment.get_template(_TEMPLATE).render(
        title=_title(tokens), body=parser.renderer.render(tokens, parser.options, {})
    )


def _embed_pictures(tokens: Sequence[Token], folder: Path) -> None:
    for token in tokens:
        if token.type == "image":
            content = (folder / unquote(str(token.attrs["src"]))).read_bytes()
            token.attrSet("src", f"data:image/png;base64,{b64encode(content).decode()}")


def _title(tokens: Sequence[Token]) -> str:
    """Return the text of the first heading, without its marks."""
    parts = next((token.children or () for token in tokens if token.type == "inline"), ())
    return "".join(part.content for part in parts)
