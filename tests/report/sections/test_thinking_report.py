"""What thinking costs, in the page, the Markdown and the sentences."""

from __future__ import annotations

from typing import Any

from report_summaries import row, summary

from orket_lib.report.markdown import render_markdown
from orket_lib.report.page.page import render_page
from orket_lib.report.sections.thinking import thinking_rows
from orket_lib.report.terminal import terminal_summary
from orket_lib.vocabulary.nulls import Null

UNCOUNTED = Null("THINKING_NOT_COUNTED")


def thinker(tag: str, bits: float, tokens: float | Null, cut: float, **changes: Any) -> Any:
    values = {
        "thinking_tokens_per_answer": tokens,
        "thinking_cut_share": cut,
        "output_tokens_per_right_answer": 1234.5,
    }
    return row(tag, bits, 0.97, **(values | changes))


def test_models_that_think_have_a_table_and_sentences() -> None:
    found = summary([thinker("F16", 16.0, 812.0, 0.0), thinker("Q4_K_M", 4.9, UNCOUNTED, 0.031)])
    assert thinking_rows(found.sessions[0]) == [
        ("F16", "812", "40.0", "1234", "0.000"),
        ("Q4_K_M", "—", "40.0", "1234", "0.031"),
    ]
    said = found.sessions[0].recommendation
    assert "F16 thinks 812 tokens per answer (1234 per right answer, with the answer)." in said
    printed = " ".join(terminal_summary(found, "r.html").split())
    assert "F16 thinks 812 tokens per answer" in printed
    assert "### orket-nano: thinking" in render_markdown(found, ())
    page = render_page(found)
    assert "Thinking tokens per answer" in page
    assert "THINKING_NOT_COUNTED" in page  # among the missing numbers


def test_what_is_cut_is_said_of_the_pick() -> None:
    none_right = Null("NO_CORRECT_ANSWER")
    cut = thinker("F16", 16.0, 812.0, 0.25, output_tokens_per_right_answer=none_right)
    said = summary([cut]).sessions[0].recommendation
    assert "812 tokens per answer (no answer is right); max_output_tokens cut 25.0% of its" in said


def test_models_that_do_not_think_have_none() -> None:
    found = summary([row("F16", 16.0, 0.97), row("Q4_K_M", 4.9, 0.97)])
    assert not thinking_rows(found.sessions[0])
    assert "thinks" not in found.sessions[0].recommendation
    assert ": thinking" not in render_markdown(found, ())
    assert "Thinking tokens per answer" not in render_page(found)
