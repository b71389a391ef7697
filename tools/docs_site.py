"""Hooks of MkDocs (mkdocs.yml), so that the pages of docs/ are the same in the site and on GitHub.

A link to a file outside docs/ leads, in the site, to a copy of that file in the folder
`repository`, as text, which every browser shows. Headings get the anchors that GitHub gives them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
COPIES = "repository"
_LINK = re.compile(r"(?<=\]\()(\.[^)\s#]+)(?:#[^)\s]*)?(?=\))")


def on_config(config: Any) -> None:
    """Make anchors as GitHub does."""
    config.mdx_configs["toc"]["slugify"] = anchor


def on_files(files: Any, config: Any) -> None:
    """Add the copies of all files that pages link to."""
    from mkdocs.structure.files import File

    pages = [file for file in files if file.is_documentation_page()]
    found = {
        copied
        for page in pages
        for copied in outside(page.content_string, posixpath.join("docs", page.src_uri))
    }
    for path in sorted(found):
        files.append(
            File.generated(config, copy_of(path), content=(ROOT / path).read_text("utf-8"))
        )


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return a page as MkDocs needs it."""
    return rewritten(pipes_shown(markdown), posixpath.join("docs", page.file.src_uri))


def anchor(heading: str, separator: str) -> str:
    """Return the anchor of a heading: a separator for each space, and no punctuation."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)


def pipes_shown(markdown: str) -> str:
    r"""Return a page without the backslash of `\|` in code: GitHub needs it, MkDocs shows it."""
    return re.sub(r"`[^`\n]+`", lambda code: code[0].replace(r"\|", "|"), markdown)


def outside(markdown: str, page: str) -> Iterator[str]:
    """Yield the files outside docs/ that a page links to, by their paths from the root."""
    for link in _LINK.finditer(markdown):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), link[1]))
        if not path.startswith("docs/") and (ROOT / path).is_file():
            yield path


def rewritten(markdown: str, page: str) -> str:
    """Return the text of a page with links to the copies."""
    folder = posixpath.dirname(page)

    def to_copy(link: re.Match[str]) -> str:
        for path in outside(f"]({link[0]})", page):
            return posixpath.relpath(f"docs/{copy_of(path)}", folder)
        return link[0]

    return _LINK.sub(to_copy, markdown)


def copy_of(path: str) -> str:
    """Return where the copy of a file is, from docs/."""
    return f"{COPIES}/{path}.txt"
