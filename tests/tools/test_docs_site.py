"""Links from pages of docs/ to files outside of it, in the site."""

from __future__ import annotations

import pytest
from docs_site import ROOT, copy_of, outside, pipes_shown, rewritten


@pytest.mark.parametrize(
    ("page", "link", "written"),
    [
        ("docs/guides/x.md", "../../config/config.yaml", "../repository/config/config.yaml.txt"),
        ("docs/x.md", "../README.md#try-it", "repository/README.md.txt"),
        ("docs/guides/x.md", "faq.md#how", "faq.md#how"),
        ("docs/guides/x.md", "../images/page.png", "../images/page.png"),
        ("docs/guides/x.md", "../../gone.yaml", "../../gone.yaml"),
    ],
)
def test_a_link_to_a_file_outside_leads_to_its_copy(page: str, link: str, written: str) -> None:
    assert rewritten(f"a [b]({link}), c", page) == f"a [b]({written}), c"


def test_every_file_that_is_linked_has_its_copy() -> None:
    for path in (ROOT / "docs").rglob("*.md"):
        page = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        shown = rewritten(text, page)
        for linked in outside(text, page):
            assert (ROOT / linked).is_file()
            assert f"{copy_of(linked)})" in shown


def test_a_pipe_in_code_of_a_table_has_no_backslash() -> None:
    assert pipes_shown("| `a \\| b` | c \\| d |") == "| `a | b` | c \\| d |"
