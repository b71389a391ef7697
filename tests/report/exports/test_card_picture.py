"""The pick as a picture: valid, for every reader, and with no power to any name."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from report_summaries import failed, row, seven, summary

from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.report.exports.card import card_svg
from orket_lib.vocabulary.statuses import Lane

SVG = "{http://www.w3.org/2000/svg}"
EVIL = "<script>alert(1)</script>\x1b[2J\u202e\0 ]]> &amp; " + "W" * 5000


def card(rows: list[RowMetrics], lane: Lane = Lane.LAB) -> ElementTree.Element:
    found = summary(rows, lane=lane)
    return ElementTree.fromstring(card_svg(found.sessions[0], found, None, "2026-01-02"))


def texts(found: ElementTree.Element) -> list[str]:
    return [it.text or "" for it in found.iter(f"{SVG}text")]


def test_it_says_what_to_run_how_sure_that_is_and_where_it_was_measured() -> None:
    said = texts(card(seven()))
    assert said[:2] == ["orket-nano", "run Q4_K_M"]
    assert {"P = 0.996", "2561 t/s", "62.4 MiB"} <= set(said)
    assert "Measured on intel xeon platinum 8488c, 2026-01-02" in said
    assert any("speeds are no evidence" in it for it in texts(card(seven(), Lane.CI)))


def test_a_screen_reader_gets_all_of_it() -> None:
    found = card(seven())
    assert (found.get("role"), found.get("aria-labelledby")) == ("img", "title desc")
    title, desc = (found.find(f"{SVG}{name}") for name in ("title", "desc"))
    assert title is not None and title.text == "orket-nano: run Q4_K_M"
    assert desc is not None and "decode: 2561 t/s" in (desc.text or "")


@pytest.mark.parametrize("rows", [[failed("Q8_0", 8.5)], [row("Q8_0", 8.5, 0.9)]])
def test_there_is_a_card_whatever_was_found(rows: list[RowMetrics]) -> None:
    assert texts(card(rows))[0] == "orket-nano"


def test_a_name_is_text_that_stays_in_its_place() -> None:
    found = summary([row("Q8_0", 8.5, 0.9, model_id=EVIL)])
    text = card_svg(found.sessions[0], found, None, "2026-01-02")
    root = ElementTree.fromstring(text)
    assert {it.tag.removeprefix(SVG) for it in root.iter()} == {
        *("svg", "title", "desc", "style", "rect", "text")
    }
    assert texts(root)[0].startswith(r"<script>alert(1)</script>\x1b[2J\u202e\x00")
    assert texts(root)[0].endswith("…")
    assert max(map(len, texts(root))) < 100
    assert all(line.isprintable() for line in text.split("\n"))
    assert not re.search(r"(?i)href|url\(|@import|onload|http(?!://www\.w3\.org/2000/svg)", text)
