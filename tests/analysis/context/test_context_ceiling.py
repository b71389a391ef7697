from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from context_builders import figures, not_loaded, thresholds

from orket_lib.analysis.context.ceiling import (
    context_points,
    largest_passing,
    passes,
    safe_ceiling,
)
from orket_lib.analysis.context.figures import ContextFigures
from orket_lib.analysis.context.recommendation import context_advice
from orket_lib.analysis.context.search import next_context, why_not_tried
from orket_lib.analysis.context.wanted import check_context
from orket_lib.artifacts.views.context_ceiling import ContextPoint
from orket_lib.artifacts.views.context_summary import ContextSearch
from orket_lib.artifacts.views.row import FailureCount
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import AnswerFailure, Lane, RunStatus, WantName, WantStatus

CONTEXTS = (256, 512, 1024, 2048)


def points(*passed: bool) -> tuple[ContextPoint, ...]:
    tried = zip(CONTEXTS, passed, strict=False)
    return context_points(
        [figures(context, adherence=1.0 if well else 0.4) for context, well in tried], thresholds()
    )


def advice(found: tuple[ContextPoint, ...], lane: Lane = Lane.LAB, **limits: Any) -> str:
    return context_advice("nano at Q4_K_M", found, thresholds(**limits), lane)


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, ()),
        ({"adherence": 0.95 - 1e-12}, ()),
        ({"adherence": 0.94}, ("ADHERENCE_BELOW_MIN",)),
        ({"ttft_ms": 250.0}, ()),
        ({"ttft_ms": 251.0}, ("TTFT_ABOVE_CEILING",)),
        ({"ttft_ms": Null("NO_CONTENT")}, ("TTFT_MISSING",)),
        ({"decode_tps": 20.0}, ()),
        ({"decode_tps": 19.9}, ("DECODE_TPS_BELOW_FLOOR",)),
        ({"decode_tps": Null("X")}, ("DECODE_TPS_MISSING",)),
        ({"valid": False}, ("INVALID_ROW",)),
        (
            {"valid": False, "adherence": 0.1, "ttft_ms": 900.0, "decode_tps": 1.0},
            (
                "INVALID_ROW",
                "ADHERENCE_BELOW_MIN",
                "TTFT_ABOVE_CEILING",
                "DECODE_TPS_BELOW_FLOOR",
            ),
        ),
    ],
)
def test_every_gate_has_its_reason(changes: dict[str, Any], reasons: tuple[str, ...]) -> None:
    (point,) = context_points([figures(4096, **changes)], thresholds())
    assert point.reasons == reasons
    assert point.passed == (not reasons) == passes(figures(4096, **changes), thresholds())


def test_a_gate_of_zero_is_off() -> None:
    off = thresholds(adherence_min=0, ttft_ceiling_ms=0, decode_floor_tps=0)
    nothing = Null("NOT_REPORTED")
    assert passes(figures(512, adherence=0.0, ttft_ms=nothing, decode_tps=nothing), off)


def test_an_invalid_row_may_pass_and_one_that_was_not_measured_never() -> None:
    lenient = thresholds(include_invalid=True)
    assert passes(figures(512, valid=False), lenient)
    off = thresholds(include_invalid=True, adherence_min=0, ttft_ceiling_ms=0, decode_floor_tps=0)
    crashed = figures(512, status=RunStatus.CRASHED, status_reason="it died", valid=False)
    assert not passes(crashed, off)
    assert not passes(not_loaded(512), off)


def test_a_context_that_can_not_be_had_is_a_point_with_its_reason() -> None:
    for status in (RunStatus.LOAD_FAILED, RunStatus.OUT_OF_MEMORY):
        item = not_loaded(4096)
        (point,) = context_points([figures(**(vars(item) | {"status": status}))], thresholds())
        assert point.reasons == ("CONTEXT_NOT_LOADED",)
        assert point.detail == "served 2048 of 4096 asked for"
        assert point.null_reasons["ttft_ms"] == "STATUS_LOAD_FAILED"


def test_a_measurement_that_ended_early_says_all_that_is_missing() -> None:
    nothing = Null("STATUS_CRASHED")
    crashed = figures(
        512,
        status=RunStatus.CRASHED,
        status_reason="it died",
        valid=False,
        adherence=nothing,
        ttft_ms=nothing,
        decode_tps=nothing,
    )
    (point,) = context_points([crashed], thresholds())
    assert point.reasons == (
        "INVALID_ROW",
        "ADHERENCE_BELOW_MIN",
        "TTFT_MISSING",
        "DECODE_TPS_MISSING",
    )
    assert point.detail == "it died"


def test_what_is_lost_is_lost_against_the_smallest_context() -> None:
    found = context_points(
        [figures(1024, adherence=0.75), figures(256), figures(512, adherence=1.0)], thresholds()
    )
    assert [point.context for point in found] == [256, 512, 1024]
    assert [point.degradation_from_baseline for point in found] == [0, 0, 0.25]
    both = context_points([not_loaded(256), figures(512)], thresholds())
    assert both[1].null_reasons["degradation_from_baseline"] == "STATUS_LOAD_FAILED"


@pytest.mark.parametrize(
    ("passed", "safe", "largest"),
    [
        ((True, True, True, True), 2048, 2048),
        ((True, True, True, False), 1024, 1024),
        ((True, False, True, True), 256, 2048),
        ((False, True, True, True), Null("SMALLEST_CONTEXT_FAILED"), 2048),
        ((False,), Null("SMALLEST_CONTEXT_FAILED"), Null("NO_CONTEXT_PASSED")),
        ((), Null("NO_CONTEXT_TRIED"), Null("NO_CONTEXT_TRIED")),
    ],
)
def test_the_ceiling_is_the_largest_up_to_which_all_passed(
    passed: tuple[bool, ...], safe: object, largest: object
) -> None:
    assert safe_ceiling(points(*passed)) == safe
    assert largest_passing(points(*passed)) == largest


def test_the_advice_names_the_ceiling_and_what_breaks_beyond_it() -> None:
    assert advice(points(True, True, True, False)) == (
        "nano at Q4_K_M: use a context of up to 1024 tokens. There, 20 of 20 answers are right, so "
        "at least 86%. At 2048 adherence is 0.4, below 0.95 (8 of 20 answers are right, so 22% to "
        "61%)."
    )


def test_a_ceiling_at_the_largest_is_a_lower_bound() -> None:
    assert advice(points(True, True)) == (
        "nano at Q4_K_M: use a context of up to 512 tokens. There, 20 of 20 answers are right, so "
        "at least 86%. That is the largest one tried, so the ceiling may be higher."
    )


def test_the_advice_says_what_a_single_context_can_not_tell() -> None:
    assert "Only one context was tried" in advice(points(True))
    text = advice(points(False))
    assert "no context is safe, not even the smallest one tried. At 256 adherence" in text


def test_the_advice_tells_chance_and_lane() -> None:
    assert "2048 passed again, which points to chance" in advice(points(True, False, False, True))
    assert advice(points(True, True), Lane.CI).endswith("In lane ci speeds are not evidence.")


def test_the_advice_says_why_a_context_can_not_be_had() -> None:
    found = context_points([figures(256), not_loaded(4096)], thresholds())
    assert "At 4096 the model could not be loaded: served 2048 of 4096 asked for." in advice(found)


def test_without_follow_ups_the_advice_says_how_to_do_without() -> None:
    found = context_points([figures(256, ttft_ms=Null("SWEEP_HAS_NO_FOLLOW_UP"))], thresholds())
    assert "At 256 there is no follow-up TTFT." in advice(found)
    assert "Set the TTFT ceiling to 0 ms" in advice(found)


def test_the_advice_tells_answers_that_never_came_from_wrong_ones() -> None:
    late = figures(4096, adherence=0.0, unanswered=10, runs=10)
    found = context_points([figures(256), late], thresholds())
    assert found[1].detail == "10 of 10 runs were errors or timeouts"
    said = advice(found)
    assert "At 4096 adherence is 0, below 0.95 (0 of 20 answers are right, so at most 14%)" in said
    assert "(10 of 10 runs were errors or timeouts)." in said


def test_fewer_than_ten_tasks_tell_nothing() -> None:
    found = context_points([figures(256, asked=9)], thresholds())
    assert "9 answers are right; its adherence can't be told from so few tasks." in advice(found)


def test_answers_that_were_cut_say_what_to_change() -> None:
    cut = FailureCount(failure=AnswerFailure.CUT, runs=12, first="retrieval-0001 run 1")
    found = context_points([figures(256, adherence=0.4, runs=20, failures=(cut,))], thresholds())
    assert found[0].detail == "12 of 20 answers failed for CUT: raise max_output_tokens"
    assert "raise max_output_tokens" in advice(found)


@pytest.mark.parametrize(
    ("wanted", "contexts", "status", "because"),
    [
        (1024, [figures(512), figures(1024, asked=100)], WantStatus.MET, None),
        (600, [figures(512), figures(1024, asked=100)], WantStatus.MET, None),
        (
            1024,
            [figures(512), figures(1024)],
            WantStatus.BORDERLINE,
            "20 of 20 answers are right, so at least 86%, and 95% is wanted",
        ),
        (
            1024,
            [figures(512), figures(1024, asked=9)],
            WantStatus.NOT_ESTABLISHED,
            "9 tasks, too few to tell",
        ),
        (1024, [figures(512), figures(1024, adherence=0.4)], WantStatus.NOT_MET, "1024 failed"),
        (1024, [figures(512), figures(1024, adherence=0.9)], WantStatus.BORDERLINE, "1024 failed"),
        (1024, [figures(512, ttft_ms=900.0), figures(1024)], WantStatus.NOT_MET, "512 failed"),
        # A disturbance says nothing of the context.
        (
            512,
            [figures(512, valid=False)],
            WantStatus.NOT_ESTABLISHED,
            "the measurement at 512 was disturbed",
        ),
        (
            2048,
            [figures(512), figures(1024)],
            WantStatus.NOT_ESTABLISHED,
            "2048 was not tried; the largest that passed is 1024",
        ),
        (
            600,
            [figures(512), figures(1024, adherence=0.4)],
            WantStatus.NOT_ESTABLISHED,
            "600 was not tried; the largest that passed is 512",
        ),
        (512, [], WantStatus.NOT_ESTABLISHED, "512 was not tried; no context was tried"),
    ],
)
def test_a_wanted_context(
    wanted: int, contexts: list[ContextFigures], status: WantStatus, because: str | None
) -> None:
    found = context_points(contexts, thresholds())
    want = check_context(wanted, found, thresholds())
    assert (want.want, want.limit, want.status, want.because) == (
        WantName.CONTEXT,
        wanted,
        status,
        because,
    )
    if found:
        said = context_advice("nano at Q4_K_M", found, thresholds(), Lane.LAB, want)
        assert f"The wanted context of {wanted} is {status}" in said


def test_without_a_limit_of_adherence_few_tasks_are_enough() -> None:
    found = context_points([figures(512, asked=2)], thresholds(adherence_min=0))
    assert check_context(512, found, thresholds(adherence_min=0)).status is WantStatus.MET


def test_a_crash_is_no_reason_to_switch_a_gate_off() -> None:
    nothing = dict.fromkeys(("adherence", "ttft_ms", "decode_tps"), Null("STATUS_CRASHED"))
    crashed = {"status": RunStatus.CRASHED, "status_reason": "it died", "valid": False}
    said = advice(context_points([figures(256), figures(512, **crashed, **nothing)], thresholds()))
    assert "At 512 the measurement is not valid: it died, and adherence is unknown, and" in said
    assert "Set the TTFT ceiling" not in said


def searched(search: ContextSearch, verdicts: dict[int, bool]) -> dict[int, bool]:
    """Return what a search tries, in its order, with what came of it."""
    tried: dict[int, bool] = {}
    while (context := next_context(sorted(verdicts), search, tried)) is not None:
        assert context not in tried
        tried[context] = verdicts[context]
    return tried


def ceiling_of(tried: dict[int, bool]) -> int | Null:
    return safe_ceiling(
        context_points(
            [figures(context, adherence=float(well)) for context, well in tried.items()],
            thresholds(),
        )
    )


@pytest.mark.parametrize("count", range(1, 18))
def test_bisecting_finds_what_the_list_finds_with_fewer_loads(count: int) -> None:
    contexts = [256 * (number + 1) for number in range(count)]
    for good in range(count + 1):
        verdicts = {context: place < good for place, context in enumerate(contexts)}
        whole, halved = searched("all", verdicts), searched("bisect", verdicts)
        assert list(whole) == contexts
        assert ceiling_of(halved) == ceiling_of(whole)
        assert len(halved) <= count.bit_length()
        for context in set(contexts) - set(halved):
            assert why_not_tried(context, halved).startswith("bisected: ")


def test_where_it_is_not_monotone_a_search_still_ends_at_a_pass_before_a_fail() -> None:
    for verdicts in product((True, False), repeat=6):
        by_context = {256 * (place + 1): well for place, well in enumerate(verdicts)}
        tried = searched("bisect", by_context)
        ceiling = max((context for context, well in tried.items() if well), default=0)
        failed = min((context for context, well in tried.items() if not well), default=10**9)
        assert ceiling < failed


def test_what_was_left_out_says_why() -> None:
    tried = {512: True, 1024: True, 2048: False}
    assert why_not_tried(256, tried) == "bisected: 512 passed, so shorter ones were not tried"
    assert why_not_tried(4096, tried) == "bisected: 2048 failed, so longer ones were not tried"
