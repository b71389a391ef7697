"""What a measurement of a cell has shown, in a line; the row of the cell has the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from orket_lib.analysis.rows.aggregates import mean_score, probe_rates, task_scores
from orket_lib.artifacts.measurements.parts import Answer, Part
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.measure.runs.grading import grade_answer
from orket_lib.tasks.bank import Task
from orket_lib.tasks.grading.graders import NotRun
from orket_lib.tasks.task import needs_sandbox
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Severity
from orket_lib.vocabulary.statuses import Quality
from orket_lib.vocabulary.units import counted


def result_line(parts: Sequence[Part], spec: RunSpec, tasks: Sequence[Task]) -> str:
    """Return score, decode rate, and how many answers were disturbed by what.

    Answers that are graded by running code wait for the run report: grading takes time, and the
    next cell is due.

    Args:
        parts: Of the cell.
        spec: What was asked.
        tasks: The tasks that it selects, in order.
    """
    by_key = dict(zip(spec.tasks.keys, tasks, strict=True))
    answers = [it for part in parts for it in part.answers if it.key in by_key]
    probes = [it.probe for part in parts for it in part.probes]
    words = [_score(answers, by_key)] if answers else []
    rate = probe_rates(probes)["generation_tokens_per_second"] if probes else Null("NO_PROBE")
    if not isinstance(rate, Null):
        words.append(f"{rate:.3g} t/s" if rate < 1000 else f"{rate:.0f} t/s")
    return ", ".join([*words, _disturbed(answers)])


def _score(answers: Sequence[Answer], tasks: Mapping[str, Task]) -> str:
    asked = {it.key for it in answers}
    plain = [it for it in answers if it.not_asked is None and not needs_sandbox(tasks[it.key])]
    try:
        score = mean_score(task_scores([grade_answer(it, tasks[it.key], None) for it in plain]))
    except NotRun:  # the run report says why
        score = Null("NO_RUN")
    later = len(asked) - len({it.key for it in plain})
    tasks_asked = counted(len(asked), "task")
    if isinstance(score, Null):
        return f"{tasks_asked} asked"
    return f"score {score:.3f} on {tasks_asked}" + (f", {later} graded later" if later else "")


def _disturbed(answers: Iterable[Answer]) -> str:
    reasons: Counter[str] = Counter()
    disturbed = total = 0
    for answer in answers:
        seen = {
            it.reason.value
            for it in answer.telemetry.run_quality_reasons
            if it.severity is not Severity.NOTE
        }
        total += 1
        disturbed += answer.telemetry.run_quality_status is not Quality.CLEAN
        reasons.update(seen)
    if not disturbed:
        return "undisturbed"
    often = ", ".join(name for name, _ in reasons.most_common(1))
    number = "all" if disturbed == total else f"{disturbed} of {total}"
    return f"{number} disturbed ({often})"
