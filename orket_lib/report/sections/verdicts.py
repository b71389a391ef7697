"""The report's section on verdicts: results, limits, task groups and failures, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orket_lib.analysis.verdict.sentences import chance, lost_tasks
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.summary import Comparison, ModelSession, SummaryRow
from orket_lib.artifacts.views.verdict import TaskStratum, Verdict, WantCheck, WantsAnswer
from orket_lib.report.formatting import DASH, figure, p_value, ratio
from orket_lib.vocabulary.statuses import ADVICE, MEANINGS

Cells = tuple[str, ...]


@dataclass(frozen=True)
class VerdictSection:
    """The tables of one model, each a list of lines of cells.

    Attributes:
        model_id: The model.
        baseline: Tag of the baseline; None without one.
        next_step: What to do for a clearer result; None if nothing is open.
        choices: The smallest quant that suffices, and the best that fits; None without a decision.
        stability: How often a new sweep would pick the same quant; None without a pick.
        verdicts: Quant, verdict, P, kept share, tasks, lost, won, McNemar, more tasks.
        strata: Family and level, tasks, baseline's score, number that count.
        failures: Quant, failure, runs, meaning, advice.
    """

    model_id: str
    baseline: str | None
    next_step: str | None
    choices: str | None
    stability: str | None
    verdicts: Sequence[Cells]
    strata: Sequence[Cells]
    failures: Sequence[Cells]


@dataclass(frozen=True)
class WantsSection:
    """What a model's config wants.

    Attributes:
        sentences: What meets it, what nearly does, and what would have to give.
        checks: Quant, limit, value of the limit, measured value, status.
    """

    sentences: Sequence[str]
    checks: Sequence[Cells]


def wants_section(session: ModelSession, answer: WantsAnswer | None) -> WantsSection:
    """Return what is wanted of a model; without a config's wants, that is the latency ceiling."""
    quants = answer.quants if answer else ()
    checks = [(it.quant_tag, it.checks) for it in quants] or [
        (it.quant_tag, it.wants) for it in session.verdicts
    ]
    return WantsSection(
        answer.sentences if answer else (), [_want(tag, it) for tag, of in checks for it in of]
    )


def verdict_section(session: ModelSession) -> VerdictSection:
    """Return the tables of a model; old summaries have only the paired tests."""
    decision = session.decision
    compared = {item.quant_tag: item for item in session.comparisons}
    judged = session.verdicts or ()
    return VerdictSection(
        model_id=session.model_id,
        baseline=session.baseline_quant,
        next_step=decision.next if decision else None,
        choices=choices(session),
        stability=_stability(session),
        verdicts=[_verdict(item, compared.get(item.quant_tag)) for item in judged]
        or [_test(item) for item in session.comparisons],
        strata=[_stratum(item) for item in session.strata],
        failures=[cells for row in session.per_quant for cells in _failures(row)],
    )


def verdict_word(session: ModelSession, quant: str) -> str | None:
    """Return the verdict on a quant in a few words; None for the baseline and old summaries."""
    found = next((item for item in session.verdicts if item.quant_tag == quant), None)
    if found is None or found.probability is None:
        return None
    return f"{found.verdict.value.lower()}, P{chance(found.probability).replace(' ', '')}"


def choices(session: ModelSession) -> str | None:
    """Return the picks of both preferences; None if there is neither."""
    decision = session.decision
    if decision is None or not (decision.smallest_that_suffices or decision.best_that_fits):
        return None
    smallest = decision.smallest_that_suffices or "none is proved"
    best = decision.best_that_fits or "none fits"
    return f"Smallest that suffices: {smallest}; best that fits: {best}."


def _stability(session: ModelSession) -> str | None:
    decision = session.decision
    if decision is None or decision.stability is None:
        return None
    other = f"; the others mostly pick {decision.runner_up}" if decision.runner_up else ""
    return (
        f"Of new sweeps with as many tasks of the same kinds, {decision.stability:.0%} would pick "
        f"{decision.pick} again{other}."
    )


def _verdict(item: Verdict, compared: Comparison | None) -> Cells:
    share = (item.kept_low, item.kept_share, item.kept_high)
    if item.probability is None or None in share:
        return (item.quant_tag, item.reason or item.verdict.value, *[DASH] * 7)
    low, middle, high = (ratio(value) if value else "0" for value in share)
    return (
        item.quant_tag,
        item.verdict.value,
        chance(item.probability).removeprefix("= "),
        f"{middle} ({low} to {high})",
        str(item.tasks),
        lost_tasks(item),
        f"{item.won:g}",
        p_value(compared.p_value) if compared else DASH,
        f"about {item.further_tasks}" if item.further_tasks else DASH,
    )


def _test(item: Comparison) -> Cells:
    lost, won = str(item.correct_to_wrong), str(item.wrong_to_correct)
    dashes = (DASH, DASH, DASH)
    return (item.quant_tag, *dashes, str(item.tasks), lost, won, p_value(item.p_value), DASH)


def _want(quant: str, want: WantCheck) -> Cells:
    status = want.status.value + (f": {want.because}" if want.because else "")
    value = DASH if want.value is None else figure(want.value)
    return (quant, want.want, figure(want.limit), value, status)


def _stratum(item: TaskStratum) -> Cells:
    note = "" if item.counted == item.tasks else "the baseline fails most of the others"
    return (item.name, str(item.tasks), ratio(item.baseline), str(item.counted), note)


def failures_word(row: RowMetrics) -> str:
    """Return `84 of 168 CUT`: how answers failed for another cause than the quant, if any did."""
    counts = [f"{it.runs} of {row.test_runs} {it.failure}" for it in row.failures]
    kinds = [it.failure in ADVICE for it in row.failures]
    return ", ".join(count for count, matters in zip(counts, kinds, strict=True) if matters)


def _failures(row: SummaryRow) -> list[Cells]:
    return [
        (
            row.quant_tag,
            item.failure.value,
            f"{item.runs} of {row.test_runs}",
            f"{MEANINGS[item.failure]}; first: {item.first}",
            ADVICE.get(item.failure, DASH),
        )
        for item in row.failures
    ]
