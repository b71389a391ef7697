"""The contexts of several quants: how they are searched, and what is said of them."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from context_builders import figures, not_loaded, thresholds

from orket_lib.analysis.context.figures import ContextFigures
from orket_lib.analysis.context.quants import (
    Asked,
    baseline_of,
    compare_ceilings,
    conclusions,
    quant_contexts,
)
from orket_lib.analysis.context.search import AmongQuants
from orket_lib.analysis.statistics import paired_drop
from orket_lib.artifacts.views.context_summary import ContextAnswer

CONTEXTS = (512, 1024, 2048, 4096, 8192)


def answered(context: int, wrong: int = 0, of: int = 20, **changes: Any) -> ContextFigures:
    """Return a context with so many wrong answers, the first ones; half of them of each family."""
    answers = tuple(
        ContextAnswer(
            task=f"{context}/{number}",
            family=("retrieval", "reasoning")[number % 2],
            score=float(number >= wrong),
        )
        for number in range(of)
    )
    values = {"adherence": 1 - wrong / of, "asked": of, "answers": answers} | changes
    return figures(context, **values)


def searched(ceiling: int, larger: list[list[ContextFigures]]) -> list[int]:
    """Return the contexts that are tried, in order, if those up to `ceiling` pass."""
    among = AmongQuants(CONTEXTS, thresholds(), larger)
    tried: dict[int, bool] = {}
    while (context := among.next(tried)) is not None:
        assert context not in tried
        tried[context] = context <= ceiling
    for context in set(CONTEXTS) - tried.keys():
        assert among.why_not(context, tried)
    return list(tried)


def of_ceiling(ceiling: int, contexts: tuple[int, ...] = CONTEXTS) -> list[ContextFigures]:
    return [answered(it, 0 if it <= ceiling else 10) for it in contexts]


def test_the_largest_climbs_until_it_fails() -> None:
    assert searched(2048, []) == [512, 1024, 2048, 4096]
    assert searched(8192, []) == list(CONTEXTS)
    assert searched(0, []) == [512]


def test_the_others_begin_at_the_smallest_and_where_the_next_larger_ended() -> None:
    larger = [of_ceiling(4096)]
    assert searched(4096, larger) == [512, 4096]
    assert searched(2048, larger) == [512, 4096, 2048]
    assert searched(512, larger) == [512, 4096, 2048, 1024]
    assert searched(0, larger) == [512]
    assert searched(4096, [*larger, of_ceiling(1024, (512, 1024))]) == [512, 1024, 2048, 4096]


def test_where_the_answers_of_the_largest_failed_no_other_is_asked() -> None:
    assert 4096 not in searched(8192, [of_ceiling(2048)])
    among = AmongQuants(CONTEXTS, thresholds(), [of_ceiling(2048)])
    assert "smaller ones were not asked" in among.why_not(4096, {512: True, 2048: True})
    # Not if it failed for another reason: a smaller one may be faster, and fit.
    slow = [answered(512), answered(1024, decode_tps=1.0)]
    assert searched(8192, [slow]) == [512, 1024, 4096, 8192]
    assert searched(8192, [[answered(512), not_loaded(1024)]]) == [512, 1024, 4096, 8192]
    # The smallest is always asked, so that each quant has something to show.
    assert searched(8192, [of_ceiling(0)]) == [512]


def compared(quant: list[ContextFigures], baseline: list[ContextFigures], **limits: Any) -> Any:
    return compare_ceilings(Asked("Q2_K", quant), Asked("F16", baseline), thresholds(**limits))


def test_a_ceiling_is_lower_only_if_the_answers_there_are_worse_beyond_chance() -> None:
    whole = [answered(512), answered(1024)]
    found = compared([answered(512), answered(1024, 9)], whole)
    assert (found.verdict, found.context) == ("lower", 1024)
    assert (found.paired.lost, found.paired.won, found.paired.drop) == (9, 0, 0.45)
    assert 0 < found.paired.low < 0.45 < found.paired.high
    assert "Q2_K failed at 1024 (ADHERENCE_BELOW_MIN); there Q2_K lost 9 and won 0 of 20" in (
        found.because
    )
    few = compared([answered(512), answered(1024, 5)], whole)
    assert (few.verdict, few.paired.lost) == ("undecided", 5)
    assert few.paired.low <= 0


def test_what_does_not_load_is_lower_and_speed_alone_tells_nothing() -> None:
    whole = [answered(512), answered(1024)]
    assert compared([answered(512), not_loaded(1024)], whole).verdict == "lower"
    assert compared(whole, [answered(512), not_loaded(1024)]).verdict == "higher"
    slow = compared([answered(512), answered(1024, decode_tps=1.0)], whole)
    assert (slow.verdict, slow.paired.drop) == ("undecided", 0.0)
    assert "DECODE_TPS_BELOW_FLOOR" in slow.because
    assert compared([answered(512)], whole).because == "longer contexts of Q2_K were not tried"


def test_equal_ceilings_are_the_same_only_with_enough_answers() -> None:
    few = compared([answered(512)], [answered(512)])
    assert (few.verdict, few.paired.low, few.paired.high) == (
        *("undecided", pytest.approx(-0.168, abs=1e-3), pytest.approx(0.168, abs=1e-3)),
    )
    assert compared([answered(512, of=90)], [answered(512, of=90)]).verdict == "same"
    assert compared([answered(512, of=90)], [answered(512, of=90)], adherence_min=0.99).verdict == (
        "undecided"
    )


def contexts_of(quant: list[ContextFigures], baseline: list[ContextFigures]) -> Any:
    return quant_contexts(Asked("Q2_K", quant), Asked("F16", baseline), thresholds())


def test_a_loss_that_grows_with_the_context_is_told_by_family() -> None:
    whole = [answered(512, of=40), answered(1024, of=40)]
    found = contexts_of([answered(512, of=40), answered(1024, 40, of=40)], whole)
    assert [(it.family, it.short, it.long, it.verdict) for it in found.lengths] == [
        *(("all", 512, 1024, "more"), ("reasoning", 512, 1024, "more")),
        ("retrieval", 512, 1024, "more"),
    ]
    every = found.lengths[0]
    assert (every.at_short.drop, every.at_long.drop, every.more) == (0.0, 1.0, 1.0)
    assert 0 < every.low < 1.0 <= every.high
    assert [(it.family, it.context, it.right, it.asked) for it in found.families[:2]] == [
        *(("reasoning", 512, 20, 20), ("retrieval", 512, 20, 20)),
    ]
    said = conclusions("F16", [found])[1]
    assert said.startswith("Q2_K loses more against F16 at 1024 than at 512: 100% of the answers")


def test_nothing_is_said_of_length_without_two_contexts_or_beyond_chance() -> None:
    assert contexts_of([answered(512, 9)], [answered(512), answered(1024)]).lengths == ()
    equal = contexts_of([answered(512, 9), answered(1024, 9)], [answered(512), answered(1024)])
    assert {it.verdict for it in equal.lengths} == {"undecided"}
    assert conclusions("F16", [equal])[1].startswith("No quant is shown to lose more")


def test_the_baseline_is_the_largest_with_answers() -> None:
    quants = [Asked("F16", [not_loaded(512)]), Asked("Q8_0", [answered(512)])]
    found = baseline_of(quants)
    assert found is not None
    assert found.quant == "Q8_0"
    assert quant_contexts(found, found, thresholds()).ceiling is None
    assert baseline_of(quants[:1]) is None
    assert conclusions(None, []) == ("No quant has answers that may be judged.",)


def test_the_ceilings_are_told_by_what_is_known_of_them() -> None:
    baseline = Asked("F16", [answered(512), answered(1024)])
    found = [
        quant_contexts(baseline, baseline, thresholds()),
        contexts_of([answered(512, 9)], [answered(512), answered(1024)]),
        quant_contexts(Asked("Q8_0", baseline.figures), baseline, thresholds()),
    ]
    assert conclusions("F16", found)[0] == (
        "Context ceilings: F16 1024; lower than that of F16: Q2_K none (a drop of 45%, 8% to 68% "
        "at 512); undecided: Q8_0 1024."
    )


@pytest.mark.parametrize("churn", [0.02, 0.1, 0.2])
def test_a_quant_that_is_as_good_is_seldom_called_worse(churn: float) -> None:
    """Both change the same share of answers at each context; the claims are wrong by chance."""
    dice = numpy.random.default_rng(5)
    sweeps, lower, more = 400, 0, 0
    for _ in range(sweeps):
        quant, baseline = [], []
        for context in (512, 1024):
            own = drawn(dice, context, churn)
            quant.append(own)
            baseline.append(drawn(dice, context, churn))
        found = contexts_of(quant, baseline)
        lower += found.ceiling.verdict == "lower"
        more += any(it.verdict == "more" and it.family == "all" for it in found.lengths)
    assert lower <= 0.03 * sweeps
    assert more <= 0.03 * sweeps


def test_of_six_quants_that_are_as_good_seldom_one_is_called_worse() -> None:
    dice = numpy.random.default_rng(6)
    sweeps, wrong, limits = 100, 0, thresholds(adherence_min=0.8)
    for _ in range(sweeps):
        baseline, *others = (
            Asked(f"Q{8 - number}", [drawn(dice, context, 0.2, of=80) for context in (512, 1024)])
            for number in range(7)
        )
        found = [quant_contexts(it, baseline, limits, len(others)) for it in others]
        wrong += any(it.ceiling and it.ceiling.verdict == "lower" for it in found)
    assert wrong <= 0.05 * sweeps


def test_intervals_are_wider_among_more() -> None:
    one, six = paired_drop(6, 0, 20), paired_drop(6, 0, 20, among=6)
    assert one.low > 0 > six.low
    assert six.high > one.high
    assert one.value == six.value


def drawn(dice: numpy.random.Generator, context: int, churn: float, of: int = 20) -> ContextFigures:
    plain = answered(context, of=of)
    answers = tuple(
        it.model_copy(update={"score": float(dice.random() >= churn)}) for it in plain.answers
    )
    right = sum(it.score for it in answers)
    return figures(context, adherence=right / of, answers=answers)
