"""What meets all wants, what nearly does, and what would have to give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from builders import metrics
from context_builders import figures, thresholds
from explorer_artifacts import context_ceiling
from hypothesis import given
from hypothesis import strategies as st
from report_summaries import seven, summary

from orket_lib.analysis.context.ceiling import context_points
from orket_lib.analysis.verdict.wants import WANTS
from orket_lib.analysis.wants.answer import Candidate, answer, answers, checks_of
from orket_lib.analysis.wants.sentences import rounded
from orket_lib.artifacts.views.context_ceiling import ContextCeiling, ContextSeen
from orket_lib.artifacts.views.verdict import Verdict, WantsAnswer
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane, QuantVerdict, RunStatus, WantName, WantStatus

KEPT, LOST, OPEN = QuantVerdict.KEPT, QuantVerdict.LOST, QuantVerdict.UNDECIDED
TRIED = (1024, 4096, 16384, 65536)
GIB = 1024.0


def verdict(tag: str, found: QuantVerdict = KEPT, **changes: Any) -> Verdict:
    likely = {KEPT: 0.99, LOST: 0.01, OPEN: 0.6, QuantVerdict.NOT_MEASURED: None}[found]
    values = {"quant_tag": tag, "baseline_quant": "F16", "verdict": found, "probability": likely}
    return Verdict(**(values | changes))


def swept(passed: int, gib: Mapping[int, float] | None = None) -> ContextCeiling:
    """Return a context sweep of which the first contexts pass, with the memory at each."""
    used = gib or {}

    def seen(context: int) -> ContextSeen:
        nothing = dict.fromkeys(("filled_min", "filled_mean", "cached_tokens"), Null("NO_PROBE"))
        return ContextSeen.of(
            **nothing,
            peak_memory_rss=used.get(context, 0.0) * GIB,
            peak_vram_mib=Null("NO_GPU_USED"),
        )

    points = context_points(
        [
            figures(it, adherence=1.0 if n < passed else 0.1, asked=200, seen=seen(it))
            for n, it in enumerate(TRIED)
        ],
        thresholds(),
    )
    return ContextCeiling.model_validate(
        context_ceiling(points=points, thresholds=thresholds(), not_tried=())
    )


def quant(
    tag: str, found: QuantVerdict = KEPT, at: ContextCeiling | None = None, **changes: Any
) -> Candidate:
    return Candidate(metrics(tag, **changes), verdict(tag, found), at)


def asked(*candidates: Candidate, lane: Lane = Lane.LAB, **wants: float) -> WantsAnswer:
    limits = {WantName(name): limit for name, limit in wants.items()}
    return answer("nano", candidates, limits, lane, 0.95)


def test_what_meets_all_is_named_with_how_sure_that_is() -> None:
    base = Candidate(metrics("F16"), verdict("F16", reason="BASELINE", probability=None))
    found = asked(base, quant("Q4"), decode_tps=30, memory_gib=2)
    assert found.meets == ("F16", "Q4")
    assert found.sentences == (
        "Wanted: decode_tps >= 30, memory_gib <= 2, 95% of the adherence kept.",
        "F16 and Q4 (P = 0.990) meet all of it.",
    )


def test_the_want_that_is_missed_is_named_with_how_much() -> None:
    found = asked(
        quant("Q5_K_M", generation_tokens_per_second=28.2, peak_memory_rss=10 * GIB),
        quant("Q4_K_M@kv8", generation_tokens_per_second=26.04, peak_memory_rss=17.3 * GIB),
        decode_tps=30,
        memory_gib=16,
    )
    assert not found.meets
    assert found.sentences[1:] == (
        "No quant is known to meet all of it.",
        "Q5_K_M misses decode_tps by 6% (28.2, of 30).",
        "Q4_K_M@kv8 misses decode_tps by 13% (26.04, of 30) and misses memory_gib by 8% "
        "(17.3, not 16).",
        "With 28.2 tokens/s, Q5_K_M meets the rest.",
    )


def test_each_want_alone_may_give() -> None:
    found = asked(
        quant("Q5", generation_tokens_per_second=20.0, peak_memory_rss=10 * GIB),
        quant("Q4@kv8", generation_tokens_per_second=26.04, peak_memory_rss=12 * GIB),
        quant("Q4", generation_tokens_per_second=40.0, peak_memory_rss=17.31 * GIB),
        decode_tps=30,
        memory_gib=16,
    )
    assert [(it.want, it.relaxed, it.quants) for it in found.relaxations] == [
        (WantName.DECODE_TPS, 26.04, ("Q4@kv8",)),
        (WantName.MEMORY_GIB, 17.31, ("Q4",)),
    ]
    assert found.sentences[-1] == (
        "With 26 tokens/s, Q4@kv8 meets the rest; with 17.4 GiB, Q4 meets the rest."
    )
    assert found.nearly == ("Q4", "Q4@kv8", "Q5")


@pytest.mark.parametrize("verdict_", [LOST, OPEN, QuantVerdict.NOT_MEASURED])
def test_only_what_keeps_the_threshold_meets_anything(verdict_: QuantVerdict) -> None:
    found = asked(quant("Q4", verdict_), decode_tps=1)
    assert not found.meets
    assert not found.relaxations
    assert found.nearly == (() if verdict_ is LOST else ("Q4",))


def test_a_want_met_within_noise_is_borderline_and_not_met() -> None:
    noise = {"generation_tokens_per_second": (28.9, 32.1)}
    found = asked(quant("Q4", generation_tokens_per_second=30.5, intervals=noise), decode_tps=30)
    assert not found.meets
    assert found.sentences[2] == "Q4 may miss decode_tps (its 95% interval is 28.9 to 32.1)."
    # The end of the interval is what is met beyond noise.
    assert found.relaxations[0].relaxed == 28.9


def test_what_is_not_known_is_never_met_and_says_why() -> None:
    found = asked(
        quant("Q5", peak_vram_mib=Null("NO_GPU_USED")),
        quant("Q4", peak_vram_mib=Null("NO_GPU_USED")),
        vram_gib=8,
        context=4096,
    )
    assert not found.meets
    assert not found.relaxations
    (why,) = found.sentences[2:-1]
    assert why.startswith("Q5 and Q4 are not known to meet vram_gib (")
    assert "context (contexts are measured after the decision" in why
    assert found.sentences[-1].startswith("Loosening one want alone lets")


def test_a_quant_that_was_not_measured_is_not_near() -> None:
    gone = Candidate(
        metrics("Q4", status=RunStatus.OUT_OF_MEMORY, status_reason="no room"),
        verdict("Q4", QuantVerdict.NOT_MEASURED, reason="no room"),
    )
    found = asked(gone, decode_tps=1)
    assert not found.meets
    assert not found.nearly
    assert found.quants[0].because == "no room"


def test_in_lane_ci_a_speed_is_not_known() -> None:
    found = asked(quant("Q4"), lane=Lane.CI, decode_tps=1)
    assert not found.meets
    assert found.sentences[2] == (
        "Q4 is not known to meet decode_tps (in lane ci speeds are not evidence)."
    )


def test_a_disturbed_time_is_not_known_and_by_what_is_left_to_the_report() -> None:
    why = ("HIGH_CPU_SATURATION: 9 of 9 probes; first: probe 1: ...",)
    spoiled: dict[str, Any] = {"speed_spoiled_by": why}
    found = asked(quant("Q5", **spoiled), quant("Q4", **spoiled), decode_tps=1)
    assert found.sentences[2] == "Q5 and Q4 are not known to meet decode_tps (disturbed)."
    left_out = quant("Q5", **spoiled, generation_tokens_per_second=Null("TIMES_DISTURBED"))
    (check,) = asked(left_out, decode_tps=1).quants[0].checks
    assert check.value is None and check.because == why[0]
    sentence = asked(left_out, decode_tps=1).sentences[2]
    assert sentence == "Q5 is not known to meet decode_tps (disturbed)."


def test_a_context_is_answered_by_the_context_sweep_of_the_quant() -> None:
    both = quant("Q5"), quant("Q4", at=swept(2))
    assert asked(*both, context=4096).meets == ("Q4",)
    missed = asked(*both, context=16384)
    assert not missed.meets
    assert missed.sentences[-1] == "With 4096 tokens of context, Q4 meets the rest."
    assert "Q4 misses context (16384 failed; 4096 is met)." in missed.sentences
    untried = asked(quant("Q4", at=swept(4)), context=100_000)
    assert untried.quants[0].checks[0].status is WantStatus.NOT_ESTABLISHED
    assert untried.relaxations[0].relaxed == 65536


def test_memory_is_wanted_at_the_context_that_is_wanted() -> None:
    grows = swept(3, {1024: 1.0, 4096: 4.0, 16384: 16.0})
    one = quant("Q4", at=grows, peak_memory_rss=2 * GIB)
    assert asked(one, memory_gib=4, context=4096).meets == ("Q4",)
    assert asked(one, memory_gib=3).meets == ("Q4",)
    found = asked(one, memory_gib=8, context=16384)
    assert {(it.want, it.relaxed) for it in found.relaxations} == {
        (WantName.MEMORY_GIB, 16.0),
        (WantName.CONTEXT, 4096.0),
    }


def test_the_answer_of_a_sweep_has_the_latency_ceiling_in_it() -> None:
    whole = summary(seven(), matrix={"wants": {"decode_tps": 2500.0}})
    (found,) = answers(whole, [])
    assert found.wants == {WantName.LATENCY_S: 2.0, WantName.DECODE_TPS: 2500.0}
    assert found.meets == ("Q4_K_M",)  # Q2_K is fast enough, and lost
    (other,) = answers(whole, [], {WantName.DECODE_TPS: 2700.0})
    assert not other.meets
    assert other.relaxations[0].relaxed == 2561.0
    assert not answers(summary(seven()), [])


figure = st.integers(1, 40).map(float)


@st.composite
def any_quant(draw: st.DrawFn, tag: str) -> Candidate:
    rate, rss = draw(figure), draw(figure)
    noise = draw(st.sampled_from([0.0, 0.0, 1.5, 4.0]))
    changes: dict[str, Any] = {"generation_tokens_per_second": rate, "peak_memory_rss": rss * GIB}
    if noise:
        middle = rate + draw(st.sampled_from([-0.5, 0.0, 0.5]))
        span = (max(0.1, middle - noise), middle + noise)
        changes["intervals"] = {"generation_tokens_per_second": span}
    if draw(st.integers(0, 9)) == 0:
        changes["peak_memory_rss"] = Null("NOT_SAMPLED")
    gib = dict(zip(TRIED, sorted(draw(st.tuples(*[figure] * 4))), strict=True))
    at = draw(st.none() | st.builds(swept, st.integers(0, 4), st.just(gib)))
    return quant(tag, draw(st.sampled_from([KEPT, KEPT, KEPT, OPEN, LOST])), at, **changes)


SOME = st.tuples(any_quant("Q6"), any_quant("Q5"), any_quant("Q4"))
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        WantName.DECODE_TPS: figure,
        WantName.MEMORY_GIB: figure,
        WantName.CONTEXT: st.sampled_from([1024.0, 4096.0, 16384.0, 20000.0]),
    },
).filter(bool)


@given(SOME, LIMITS)
def test_a_relaxation_suffices_and_nothing_less_does(
    candidates: tuple[Candidate, ...], wants: dict[WantName, float]
) -> None:
    found = answer("nano", candidates, wants, Lane.LAB, 0.95)

    def met(limits: Mapping[WantName, float]) -> tuple[str, ...]:
        """Return what meets all, from the definition."""
        return tuple(
            it.row.quant_tag
            for it in candidates
            if it.verdict is not None
            and it.verdict.verdict is KEPT
            and all(check.status is WantStatus.MET for check in checks_of(it, limits, Lane.LAB))
        )

    assert found.meets == met(wants)
    given_up = {it.want: it for it in found.relaxations}
    assert not (found.meets and given_up)
    for name, limit in wants.items():
        at_least = WANTS[name].at_least
        tighter = [n / 4 for n in range(1, 400)] if name is not WantName.CONTEXT else [*TRIED, 9000]
        looser = [it for it in tighter if (it < limit if at_least else it > limit)]
        if found.meets:
            continue
        if name not in given_up:
            assert not any(met({**wants, name: it}) for it in looser)
            continue
        relaxed = given_up[name]
        assert relaxed.quants == met({**wants, name: relaxed.relaxed}) != ()
        # As it is written, it is still met.
        assert met({**wants, name: rounded(relaxed.relaxed, at_least)})
        less = [it for it in looser if (it > relaxed.relaxed if at_least else it < relaxed.relaxed)]
        assert not any(met({**wants, name: it}) for it in less)


@given(st.floats(1e-4, 1e7), st.booleans())
def test_a_written_limit_is_looser_by_less_than_a_percent(value: float, at_least: bool) -> None:
    written = rounded(value, at_least)
    slack = 1e-9 * value
    assert written <= value + slack if at_least else written >= value - slack
    assert abs(written - value) <= 0.01 * value + slack
