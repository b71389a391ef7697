"""The operator report as a page of its own."""

from __future__ import annotations

import re
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_summaries import polluted, row, seven, summary

from orket_lib.artifacts.io import write_model
from orket_lib.cli import main
from orket_lib.report.html import render_html
from orket_lib.report.markdown import Plot, render_markdown
from orket_lib.report.plots.frontier import plot_frontier


class Page(HTMLParser):
    """What of a page matters here: its tags with their attributes, its title, its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def page(markdown: str, folder: Path) -> Page:
    return Page(render_html(markdown, folder))


def test_the_page_says_what_the_markdown_says(tmp_path: Path) -> None:
    markdown = render_markdown(summary(seven(), [row("Q4_0", 4.5, 0.9, model_id="b|c")]), [])
    found = page(markdown, tmp_path)
    tables = re.findall(r"(?:^\|.*\n)+", markdown, flags=re.MULTILINE)
    assert found.count("table") == len(tables) > 3
    assert found.count("tr") == sum(len(table.splitlines()) - 1 for table in tables)
    assert found.count("h2") == len(re.findall("^## ", markdown, flags=re.MULTILINE))
    assert "Sweep report: reference" in found.text
    assert "b|c" in found.text
    assert "\\" not in found.text, "the marks of Markdown are gone"


def test_nothing_of_an_answer_becomes_a_part_of_the_page(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script> <img src=x onerror=alert(1)> ![a](http://x/y) [b](http://x)"
    rows = [polluted("Q8_0", 8.5, 0.9, evil), row("Q4_0", 4.5, 0.9, status_reason=evil)]
    found = page(render_markdown(summary(rows), []), tmp_path)
    assert found.count("script") == found.count("img") == found.count("a") == 0
    assert "<script>alert(1)</script>" in found.text


def test_pictures_are_in_the_page_and_nothing_is_loaded(tmp_path: Path) -> None:
    found = summary(seven())
    plot_frontier(found, tmp_path / "plots" / "a b.png")
    shown = page(render_markdown(found, [Plot("Quality", "plots/a b.png")]), tmp_path)
    (source,) = (attrs["src"] for tag, attrs in shown.tags if tag == "img")
    assert source is not None
    kind, _, content = source.partition(",")
    assert kind == "data:image/png;base64"
    assert b64decode(content) == (tmp_path / "plots" / "a b.png").read_bytes()
    assert not [attrs for tag, attrs in shown.tags if tag in ("link", "script", "iframe")]
    policies = [attrs["content"] for tag, attrs in shown.tags if "http-equiv" in attrs]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_the_command_writes_the_page_beside_the_report(tmp_path: Path) -> None:
    write_model(tmp_path / "summary.json", summary(seven()))
    outs = {name: tmp_path / "out" / name for name in ("r.md", "r.html", "points.json")}
    command = ["report", "--summary", str(tmp_path / "summary.json"), "--out-md", str(outs["r.md"])]
    command += ["--out-html", str(outs["r.html"]), "--out-scatter", str(outs["points.json"])]
    assert main(command) == 0
    assert all(path.is_file() for path in outs.values())
    assert (tmp_path / "out" / "plots" / "frontier.png").is_file(), "the default path"
    assert Page(outs["r.html"].read_text("utf-8")).count("img") == 2


def test_a_picture_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        render_html("# a\n\n![b](c.png)\n", tmp_path)
