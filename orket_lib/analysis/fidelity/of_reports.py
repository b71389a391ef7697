"""From the run reports of two cells to how far the answers of one are those of the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from orket_lib.analysis.fidelity.agreement import (
    NOTHING_TO_COMPARE,
    fidelity,
    shares_of_answers,
    shares_of_second_runs,
)
from orket_lib.analysis.rows.aggregates import task_scores
from orket_lib.analysis.rows.answers import with_answers
from orket_lib.analysis.rows.rounds import as_one
from orket_lib.artifacts.printed.fidelity import ComparedCell
from orket_lib.artifacts.views.row import TaskScore
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import RunStatus

_LONGEST = 16  # of a value that is shown; digests are longer

Reports = Sequence[RunReport]  # of one cell: of its rounds or batches, in order


def compare_cells(a: Reports, b: Reports, comparable: Callable[[str], str]) -> ComparedCell:
    """Return how far the answers of cell B are those of cell A.

    Only tasks that were sent to both in the same words are compared.

    Args:
        a: Reports of the cell that is compared with.
        b: Reports of the other one.
        comparable: Normalises an answer as determinism does (T16).
    """
    one, other = _answers(a, comparable), _answers(b, comparable)
    quant, baseline = b[0].spec.quant_tag, a[0].spec.quant_tag
    states = (report.status for report in (*a, *b) if report.status is not RunStatus.MEASURED)
    why = next((Null(f"STATUS_{status.upper()}") for status in states), NOTHING_TO_COMPARE)
    own = fidelity(baseline, baseline, shares_of_second_runs(one), Null("ONE_RUN_PER_TASK"))
    return ComparedCell(
        model_id=b[0].spec.model_id,
        fidelity=fidelity(quant, baseline, shares_of_answers(other, one), why),
        noise_floor=own.agreement,
        differences=tuple(_differences(_served(a), _served(b))),
    )


def _answers(reports: Reports, comparable: Callable[[str], str]) -> list[TaskScore]:
    """Return the tasks of a cell, each named by the digest of what was sent."""
    sent = {
        number: key
        for report in reports
        for number, key in zip(report.spec.tasks.ids, report.spec.tasks.keys, strict=False)
    }
    runs = as_one(reports).test_runs
    names = {run.test_id: sent.get(run.task_id, run.test_id) for run in runs}
    return [
        item.model_copy(update={"test_id": names[item.test_id]})
        for item in with_answers(task_scores(runs), runs, reports[0].spec.tasks.bank_id, comparable)
    ]


def _served(reports: Reports) -> dict[str, Any]:
    builds = [session.served.build for report in reports for session in report.sessions]
    return reports[0].spec.served() | {"build": " and ".join(dict.fromkeys(filter(None, builds)))}


def _differences(a: Mapping[str, Any], b: Mapping[str, Any], place: str = "") -> Iterator[str]:
    for name in dict.fromkeys([*a, *b]):
        one, other = a.get(name), b.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _differences(one, other, f"{place}{name}.")
        elif one != other:
            yield f"{place}{name}: {_short(one)} -> {_short(other)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]}..."
