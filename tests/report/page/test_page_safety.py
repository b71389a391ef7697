"""The page loads nothing, runs nothing but its own script, and stays small with many models."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from itertools import pairwise

from flipped_tasks import flips, task
from page_texts import Page
from report_summaries import polluted, row, seven, summary

from orket_lib.artifacts.views.ranking import MemoryKind, RankedCell, Ranking
from orket_lib.artifacts.views.summary import Summary
from orket_lib.report.page.page import render_page

RATE = "generation_tokens_per_second"

EVIL = "<script>alert(1)</script> <img src=x onerror=alert(1)> ![a](http://x/y) [b](http://x)"


def test_nothing_of_a_value_becomes_a_part_of_the_page() -> None:
    rows = [polluted("Q8_0", 8.5, 0.9, EVIL), row("Q4_0", 4.5, 0.9, status_reason=EVIL)]
    named = [row("<b>", 4.5, 0.9, model_id="<i>\u202e")]
    found = Page(render_page(summary(rows, named)))
    assert found.count("script") == 1
    assert found.count("img") == 0
    assert "<script>alert(1)</script>" in found.text
    assert r"<i>\u202e" in found.text


def test_style_and_script_are_those_of_the_policy_and_nothing_is_loaded() -> None:
    html = render_page(summary(seven()))
    found = Page(html)
    (policy,) = (attrs["content"] for tag, attrs in found.tags if "http-equiv" in attrs)
    assert policy is not None
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, flags=re.DOTALL)
        digest = b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    names = {name for _, attrs in found.tags for name in attrs}
    assert not names & {"src", "style", "onclick", "action"}
    links = [attrs["href"] or "" for tag, attrs in found.tags if tag == "a"]
    ids = {attrs["id"] for _, attrs in found.tags if "id" in attrs}
    assert links
    assert all(link.startswith("#") and link[1:] in ids for link in links)


def test_a_screen_reader_finds_its_way() -> None:
    for models in ([seven()], [seven(), [row("F16", 16.0, 0.7, model_id="other")]]):
        found = Page(render_page(summary(*models)))
        assert [found.count(tag) for tag in ("header", "main", "nav", "footer", "h1")] == [1] * 5
        assert found.count("caption") == found.count("table") > 3
        charts = [attrs for tag, attrs in found.tags if tag == "svg"]
        assert charts
        assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in charts)
        levels = [int(tag[1]) for tag, _ in found.tags if re.fullmatch("h[1-6]", tag)]
        assert all(after - before <= 1 for before, after in pairwise(levels)), levels


def large(models: int, quants: int) -> Summary:
    """Return a summary of many models, all copies of one, ranked in the order of their names."""
    rows = [
        row(f"Q{quant}_K", 16.0 - quant / 2, 0.95 - quant / 40, intervals={RATE: (1900.0, 2100.0)})
        for quant in range(quants)
    ]
    found = summary(rows)
    (one,) = found.sessions
    sessions = [
        one.model_copy(
            update={
                "model_id": f"vendor/model-{number}-instruct",
                "per_quant": tuple(
                    it.model_copy(update={"model_id": f"vendor/model-{number}-instruct"})
                    for it in one.per_quant
                ),
            }
        )
        for number in range(models)
    ]
    cells = [
        RankedCell(
            rank=place,
            model_id=it.model_id,
            quant_tag=it.quant_tag,
            adherence=0.9,
            low=0.85,
            high=0.95,
            behind_previous=None,
            behind_best=None,
            generation_tokens_per_second=2000.0,
            memory_mib=1000.0 + place,
            fits_mib=1000.0,
            fits_by=MemoryKind.SUM,
            pareto=place == 1,
        )
        for place, it in enumerate((it for of in sessions for it in of.per_quant), start=1)
    ]
    ranking = Ranking(tasks=168, cells=cells, unranked=(), best_that_fits=(), conclusions=("a",))
    return found.model_copy(update={"sessions": tuple(sessions), "ranking": ranking})


def test_fifty_models_of_twenty_quants_are_under_three_megabytes() -> None:
    found = large(50, 20)
    flipped = [
        flips(*(task(number, "y" * 3000) for number in range(60)), model=session.model_id)
        for session in found.sessions
    ]
    assert len(render_page(found, flips=flipped).encode()) < 3_000_000
