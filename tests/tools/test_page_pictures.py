"""The pictures of the page in docs/images."""

from __future__ import annotations

from page_pictures import OUT, ROOT, made_up_pages
from page_texts import Page

DOCS = "".join(
    path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "docs/guides/reports.md")
)


def test_every_picture_is_small_and_shown_or_linked() -> None:
    found = list(OUT.glob("*.png"))
    assert len(found) == 7
    for path in found:
        assert path.stat().st_size < 300_000
        assert f"images/{path.name}" in DOCS


def test_what_is_made_up_says_so() -> None:
    text = Page(made_up_pages()["page-two-models"]).text
    assert "made_up_numbers: 2 models" in text
    assert {"example-8b: run Q4_K_M", "example-3b: run Q4_K_M"} <= {
        line.strip().removeprefix("## ") for line in text.splitlines()
    }
