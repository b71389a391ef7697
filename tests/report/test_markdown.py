"""The report as Markdown: short, and whole whatever a value holds."""

from __future__ import annotations

import re

import pytest
from report_summaries import cells, failed, polluted, row, row_of, section, seven, summary

from orket_lib.report.markdown import Plot, render_markdown
from orket_lib.vocabulary.statuses import Lane


def test_every_table_is_whole() -> None:
    rows = [row("Q8_0", 8.5, 0.9, model_id="a|b"), polluted("Q4_0", 4.5, 0.8, "c\nd")]
    text = render_markdown(summary(seven(), rows, [failed("Q2_K", 3.16)]), [])
    tables = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    assert len(tables) == 3
    for table in tables:
        lines = table.splitlines()
        assert set(re.sub(r"[|:-]", "", lines[1])) == set(), lines[1]
        assert {len(cells(line)) for line in lines} == {len(cells(lines[0]))}
    assert "\n\n\n" not in text
    assert text.endswith("\n") and not text.endswith("\n\n")


def test_it_has_verdict_table_plots_and_conditions_and_no_more() -> None:
    plots = [Plot("Frontier of two | models", "plots/a frontier.png")]
    text = render_markdown(summary(seven()), plots, further=["up to 1024 tokens"])
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == [
        *("Recommendation", "Quants", "Conditions")
    ]
    assert "- orket-nano: run Q4_K_M," in section(text, "Recommendation")
    assert "- up to 1024 tokens\n" in section(text, "Recommendation")
    assert row_of(text, "Q4_K_M")[3:6] == ["0.964", "-2 +0, p = 0.5", "kept, P=0.996"]
    assert "![Frontier of two \\| models](plots/a%20frontier.png)" in text
    assert "- Commit: c0ffee (uncommitted changes)\n" in section(text, "Conditions")


def test_lane_ci_is_said_before_anything_else() -> None:
    ci = render_markdown(summary(seven(), lane=Lane.CI), [])
    assert ci.index("ci lane: speeds are not evidence") < ci.index("## Recommendation")


def test_of_several_models_the_ranking_is_told_in_words() -> None:
    other = [row("F16", 16.0, 0.7, model_id="other")]
    assert "- best of all: orket-nano" in render_markdown(summary(seven(), other), [])


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "![a](http://x/y) [b](javascript:alert(1)) | c | `d` **e**",
        "\x1b[31mred\x1b[0m\x1b]0;title\x07",
        "abc\u202egnp.exe\u2066",
        "a\x00b\ud800",
        "# heading\n- item\n\n| a |\n|---|",
        "=" + "x" * 1_000_000,
    ],
    ids=["html", "markdown", "ansi", "direction", "nul", "lines", "1 MB"],
)
def test_a_hostile_name_stands_as_text(text: str) -> None:
    rows = [
        row("Q8_0", 8.5, 0.9, model_id=text),
        polluted("Q4_0", 4.5, 0.9, text, model_id=text),
        failed("Q2_K", 3.2).model_copy(update={"model_id": text, "status_reason": text}),
    ]
    plain = [it.model_copy(update={"model_id": "plain", "status_reason": None}) for it in rows]
    shown, usual = (render_markdown(summary(of), []) for of in (rows, plain))
    shown.encode()
    assert all(line.isprintable() for line in shown.split("\n"))
    assert re.findall(r"(?m)^#+ ", shown) == re.findall(r"(?m)^#+ ", usual)
    assert shown.count("\n|") == usual.count("\n|")
    assert not re.search(r"(?<!\\)<\w|(?<!\\)\]\(|(?<!\\)\*\*e", shown)
