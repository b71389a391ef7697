"""Two sweeps compared, as a page."""

from __future__ import annotations

from itertools import pairwise

from page_texts import Page

from orket_lib.artifacts.history import Change
from orket_lib.artifacts.printed.comparison import SweepComparison
from orket_lib.report.page.comparison import render_comparison

EVIL = "<script>alert(1)</script>\x1b[2J\u202e"


def page(*changes: Change, within: int = 0, notes: tuple[str, ...] = ()) -> Page:
    found = SweepComparison(a="old", b="new", changes=changes, within_noise=within, notes=notes)
    return Page(render_comparison(found))


def test_verdicts_come_first_and_each_change_is_a_row() -> None:
    found = page(
        Change(kind="driver", what="kernel", old="6.1", new="6.2", where=()),
        Change(kind="numbers", what="ttft_ms", old=10.0, new=15.0, where=("nano Q8_0",)),
        Change(kind="verdict", what="pick", old="Q4_K_M", new=None, where=("nano",)),
        within=12,
        notes=("times are not compared: lane ci",),
    )
    said = " ".join(found.text.split())
    assert "3 differences beyond noise" in said
    assert "12 numbers differ by no more than noise" in said
    assert "What | A | B | Where | | pick | Q4_K_M | none | nano |" in said
    assert "ttft ms | 10.0 | 15.0 | +50.0% | nano Q8_0 |" in said
    assert said.index("Verdicts") < said.index("Numbers beyond noise") < said.index("Drivers")
    assert "Settings" not in said
    assert "times are not compared: lane ci" in said


def test_without_a_difference_that_is_all_it_says() -> None:
    found = page()
    assert "No differences beyond noise" in found.text
    assert found.count("table") == 0


def test_one_place_of_many_is_enough() -> None:
    where = tuple(f"nano Q{number}" for number in range(30))
    assert (
        "nano Q7 and 22 more" in page(Change(kind="rows", what="x", old=1, new=2, where=where)).text
    )


def test_it_is_as_safe_and_as_easy_to_find_ones_way_in_as_the_report() -> None:
    found = page(Change(kind="settings", what=EVIL, old=EVIL, new=EVIL, where=(EVIL,)))
    assert found.count("script") == 1
    assert r"<script>alert(1)</script>\x1b[2J\u202e" in found.text
    assert all(line.isprintable() for line in found.text.split("\n"))
    assert [found.count(tag) for tag in ("header", "main", "footer", "h1")] == [1] * 4
    levels = [int(tag[1]) for tag, _ in found.tags if tag in ("h1", "h2", "h3")]
    assert all(after - before <= 1 for before, after in pairwise(levels))
