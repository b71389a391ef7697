"""What breaks: which tasks the page shows, how they are cut, and where two answers differ."""

from __future__ import annotations

import pytest
from flipped_tasks import flips, task
from page_texts import Page
from report_summaries import seven, summary

from orket_lib.artifacts.printed.flips import ModelFlips
from orket_lib.report.page.broken import MOST_CHARACTERS, MOST_TASKS, broken_tasks, differing
from orket_lib.report.page.page import render_page

HOSTILE = {
    "html": "</pre><script>alert(1)</script><img src=x onerror=alert(1)>",
    "attributes": "\" onmouseover=alert(1) x='",
    "markdown": "![a](http://x/y) [b](javascript:alert(1)) | c |",
    "template": "{{ 7 * 7 }}{% raw %}",
    "ansi": "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "direction": "abc\u202egnp.exe\u2066",
    "nul": "a\x00b\ud800",
}


@pytest.fixture(scope="module")
def plain() -> Page:
    return Page(render_page(summary(seven()), flips=[flips(task())]))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_whatever_a_model_answers_stands_as_text(text: str, plain: Page) -> None:
    everywhere = task(
        1, text, test_id=text, family=text, prompt=text, right_answer=text, lost=("Q2_K",)
    )
    html = render_page(summary(seven()), flips=[flips(everywhere)])
    html.encode()  # a lone surrogate could not be written
    found = Page(html)
    kinds = {"mark", "select", "option"}  # as many as there are parts and families
    assert sorted(tag for tag, _ in found.tags if tag not in kinds) == sorted(
        tag for tag, _ in plain.tags if tag not in kinds
    )
    names = {name for _, attrs in found.tags for name in attrs}
    assert not [name for name in names if name.startswith("on")]
    assert not set(html) & set("\x00\x07\x1b\u202e\u2066")


def test_what_cannot_be_seen_is_shown_as_an_escape() -> None:
    found = Page(render_page(summary(seven()), flips=[flips(task(1, "a\x00b\u202ec"))])).text
    assert r"a\x00b\u202ec" in found


def test_a_long_answer_is_cut_and_the_page_says_by_how_much() -> None:
    html = render_page(summary(seven()), flips=[flips(task(1, "x" * 1_000_000))])
    assert len(html) < 200_000
    assert "998000 more characters: orket flips" in Page(html).text
    assert "x" * MOST_CHARACTERS in html
    assert "x" * (MOST_CHARACTERS + 1) not in html


def test_only_the_first_tasks_are_in_the_page_and_all_are_counted() -> None:
    many = [task(number) for number in range(MOST_TASKS + 5)]
    won = task(99, lost=(), won=("Q8_0",))
    found = broken_tasks(flips(*many, won), 1)
    assert found is not None
    assert len(found.tasks) == MOST_TASKS
    assert (found.lost, found.won) == (MOST_TASKS + 5, 1)
    assert found.counts == [("add", "0", str(MOST_TASKS + 5))]
    assert found.tasks[0].marks == "✓·✗"


def test_many_models_share_the_room_for_answers() -> None:
    long = [task(number, "y" * MOST_CHARACTERS) for number in range(MOST_TASKS)]
    one, many = broken_tasks(flips(*long), 1), broken_tasks(flips(*long), 100)
    assert one is not None
    assert many is not None
    assert len(one.tasks) == MOST_TASKS
    assert 1 <= len(many.tasks) < 10


def test_without_run_reports_the_page_says_how_to_see_them() -> None:
    assert "orket flips" in Page(render_page(summary(seven()))).text
    nothing = ModelFlips(model_id="orket-nano", baseline_quant="F16", quants=(), tasks=())
    assert broken_tasks(nothing, 1) is None


def test_an_answer_that_is_missing_has_its_reason() -> None:
    found = Page(render_page(summary(seven()), flips=[flips(task(1, None))])).text
    assert "no answer: the server said no" in found


def test_a_prompt_that_is_no_longer_known_is_said_to_be_so() -> None:
    found = Page(
        render_page(summary(seven()), flips=[flips(task(prompt=None, right_answer=None))])
    ).text
    assert "the task bank has no such task any more" in found


@pytest.mark.parametrize(
    ("one", "other", "marked"),
    [
        ("a b c", "a x c", ("b", "x")),
        ("same", "same", ("", "")),
        ("a b", "a b c", ("", " c")),
        ("", "x", ("", "x")),
        ("a a a", "a a", (" a", "")),
    ],
)
def test_the_difference_between_two_answers_is_marked(
    one: str, other: str, marked: tuple[str, str]
) -> None:
    parts = differing(one, other)
    assert tuple("".join(text for text, mark in of if mark) for of in parts) == marked
    assert tuple("".join(text for text, _ in of) for of in parts) == (one, other)
