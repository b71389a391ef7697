"""A sweep against its baselines: the verdict for every (model, quant, metric)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import get_args

from orket_lib.analysis.baselines.adherence import Extremes, examine_adherence, extremes
from orket_lib.analysis.baselines.metrics import (
    ADHERENCE,
    PAIRED,
    Tested,
    examine_figure,
    examine_latency,
)
from orket_lib.analysis.baselines.pairs import Pairing, Pairs, pair
from orket_lib.analysis.statistics import holm
from orket_lib.artifacts.baseline import Baseline, BaselineMetadata
from orket_lib.artifacts.views.regression import CellRegression, Change, Metric, MetricVerdict
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Lane
from orket_lib.vocabulary.thresholds import FEWEST_BASELINES, REGRESSION_ALPHA

NOT_VALID = "NOT_VALID"

_IN_WORDS = {
    "NO_BASELINE": "no earlier measurement of this cell is a baseline",
    "HW_MISMATCH": "its baselines are of another machine",
    "REV_MISMATCH": "the content of its tasks has changed since",
    "SETTINGS_MISMATCH": "its baselines were measured with other settings",
}


@dataclass(frozen=True)
class CellNow:
    """A cell of the sweep that is judged.

    Attributes:
        model_id: Of the cell.
        quant_tag: Of the cell.
        records: Its measurement in the form of baselines, by test id; empty if it is not valid.
        invalid_because: Why it is not valid.
    """

    model_id: str
    quant_tag: str
    records: Mapping[str, Baseline] = field(default_factory=dict)
    invalid_because: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judged:
    """The result of the comparison.

    Attributes:
        cells: With a verdict for each metric.
        comparisons: Number of tests made.
        failures: A sentence for each regression that fails the sweep.
    """

    cells: tuple[CellRegression, ...]
    comparisons: int
    failures: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """`FAIL` with a regression that gates, `NOT_JUDGED` if nothing could be tested."""
        if self.failures:
            return "FAIL"
        decided = any(
            item.gates and item.verdict is not Change.UNDECIDED
            for cell in self.cells
            for item in cell.metrics
        )
        return "PASS" if decided else "NOT_JUDGED"


def judge_sweep(
    cells: Sequence[CellNow],
    histories: Mapping[str, Sequence[Baseline]],
    lane: Lane,
    baseline_ref: str | None = None,
) -> Judged:
    """Return the verdicts on all cells of a sweep against their baselines.

    Args:
        cells: Of the sweep.
        histories: Baselines of each task, by test id.
        lane: In lane `ci` speeds are tested but gate nothing; in lane `lab` they are compared with
            undisturbed times only.
        baseline_ref: The measurement to compare with; the mean of all otherwise.
    """
    pairings = [
        pair(cell.records, histories, baseline_ref, lane) if cell.records else None
        for cell in cells
    ]
    paired = [found.pairs for found in pairings if found and found.pairs]
    restless = reduce(add, map(extremes, paired), Extremes())
    tests = [
        {metric: examine(metric, found.pairs, restless) for metric in get_args(Metric)}
        if found and found.pairs
        else {}
        for found in pairings
    ]
    adjusted = _adjusted(tests)
    judged = tuple(
        _cell(
            cell,
            found,
            [
                _verdict(metric, item, adjusted.get((place, metric)), lane)
                for metric, item in each.items()
            ],
        )
        for place, (cell, found, each) in enumerate(zip(cells, pairings, tests, strict=True))
    )
    return Judged(judged, len(adjusted), tuple(_failures(judged)))


def examine(metric: Metric, pairs: Pairs, restless: Extremes) -> Tested | Null:
    """Return the test result of a metric, or why it can't be tested.

    Args:
        metric: Which one.
        pairs: The cell and its baselines.
        restless: Of all cells of the sweep: how often scores change for no reason is a property of
            the host and the runtime, and rare events need many chances to be counted.
    """
    if len(pairs.earlier) < FEWEST_BASELINES:
        return Null(f"FEWER_THAN_{FEWEST_BASELINES}_BASELINES")
    if metric == ADHERENCE:
        return examine_adherence(pairs, restless)
    if len(pairs.clean) < FEWEST_BASELINES:
        return Null(f"FEWER_THAN_{FEWEST_BASELINES}_CLEAN_BASELINES")
    return examine_latency(pairs) if metric == PAIRED else examine_figure(metric, pairs)


def _adjusted(
    tests: Sequence[Mapping[Metric, Tested | Null]],
) -> dict[tuple[int, Metric], float]:
    """Return p-values adjusted for their number, by cell and metric.

    Whether answers got worse and whether the machine got slower are two questions, each with its
    own chance of a false finding: a dozen noisy speeds must not hide lost tasks.
    """
    p_values = {
        (place, metric): item.p_value
        for place, each in enumerate(tests)
        for metric, item in each.items()
        if isinstance(item, Tested)
    }
    adjusted: dict[tuple[int, Metric], float] = {}
    for about_answers in (True, False):
        family = [key for key in p_values if (key[1] == ADHERENCE) is about_answers]
        adjusted |= zip(family, holm([p_values[key] for key in family]), strict=True)
    return adjusted


def _verdict(
    metric: Metric, found: Tested | Null, p_adjusted: float | None, lane: Lane
) -> MetricVerdict:
    """Return a metric's verdict; one that could not be tested has no p-value."""
    gates = metric == ADHERENCE or lane is Lane.LAB
    if isinstance(found, Null) or p_adjusted is None:
        nothing = dict.fromkeys(MetricVerdict.readings(), found)
        return MetricVerdict.of(
            metric=metric, verdict=Change.UNDECIDED, gates=gates, tasks=0, **nothing
        )
    change = Change.SAME
    if p_adjusted <= REGRESSION_ALPHA and found.beyond_noise:
        change = Change.REGRESSED if found.worse else Change.IMPROVED
    return MetricVerdict.of(
        metric=metric,
        verdict=change,
        gates=gates,
        p_adjusted=p_adjusted,
        **{
            name: value
            for name, value in vars(found).items()
            if name not in ("worse", "beyond_noise")
        },
    )


def _cell(cell: CellNow, found: Pairing | None, metrics: Sequence[MetricVerdict]) -> CellRegression:
    if found is None:
        return CellRegression(
            model_id=cell.model_id,
            quant_tag=cell.quant_tag,
            status=NOT_VALID,
            detail="; ".join(cell.invalid_because),
            test_run_id=None,
            baselines=(),
        )
    newest = next(iter(cell.records.values())).baseline_metadata
    refs = found.pairs.refs if found.pairs else ()
    return CellRegression(
        model_id=cell.model_id,
        quant_tag=cell.quant_tag,
        status=found.status,
        detail=_detail(found.status, len(refs)),
        test_run_id=newest.test_run_id,
        baselines=refs,
        changed=_changed(newest, found),
        unresolved=found.unresolved,
        metrics=tuple(metrics),
    )


def _detail(status: str, baselines: int) -> str:
    if status != "OK":
        return _IN_WORDS[status]
    if baselines < FEWEST_BASELINES:
        return (
            f"{baselines} of the {FEWEST_BASELINES} baselines needed to estimate the drift of this "
            "host between sweeps"
        )
    return ""


def _changed(mine: BaselineMetadata, found: Pairing) -> tuple[str, ...]:
    if found.newest is None:
        return ()
    theirs = found.newest.baseline_metadata
    return tuple(
        name for name in ("model_hash", "build") if getattr(mine, name) != getattr(theirs, name)
    )


def _failures(cells: Iterable[CellRegression]) -> Iterator[str]:
    for cell in cells:
        for item in cell.metrics:
            if item.gates and item.verdict is Change.REGRESSED:
                yield f"{cell.model_id} {cell.quant_tag}: {_sentence(item)}"


def _sentence(item: MetricVerdict) -> str:
    if item.metric == ADHERENCE:
        lost = [each.test_id for each in item.findings if each.change is Change.REGRESSED]
        which = f"{len(lost)} of {item.tasks} tasks worse than before: {', '.join(lost)}"
    else:
        which = f"95 % interval {item.low:+.1%} to {item.high:+.1%}, noise {item.noise:.1%}"
    effect = f"{item.effect:+.3f}" if item.metric == ADHERENCE else f"{item.effect:+.1%}"
    return (
        f"{item.metric} {item.before:.4g} -> {item.now:.4g} ({effect}; "
        f"adjusted p {item.p_adjusted:.2g}; {which})"
    )
