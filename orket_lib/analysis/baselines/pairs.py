"""A cell's measurement paired with its baselines, task by task."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from orket_lib.analysis.baselines.resolution import Resolution, Wanted, resolve
from orket_lib.artifacts.baseline import Baseline, GoldTelemetry
from orket_lib.artifacts.views.regression import UnresolvedTasks
from orket_lib.vocabulary.clock import parse_time
from orket_lib.vocabulary.statuses import Lane
from orket_lib.vocabulary.thresholds import FEWEST_BASELINES

SETTINGS_MISMATCH = "SETTINGS_MISMATCH"
NOT_IN_ALL_BASELINES = "NOT_IN_ALL_BASELINES"

Tasks = Mapping[str, GoldTelemetry]


@dataclass(frozen=True)
class Pairs:
    """A measurement and its baselines, over the tasks that all of them have.

    Attributes:
        tasks: Ids of these tasks.
        now: The new measurement.
        earlier: The baselines, oldest first.
        refs: Names of the baselines.
        centre: Positions of the baselines that the new one is compared with; the others only show
            the noise.
        clean: Positions of the baselines with undisturbed times.
    """

    tasks: tuple[str, ...]
    now: Tasks
    earlier: tuple[Tasks, ...]
    refs: tuple[str, ...]
    centre: tuple[int, ...]
    clean: tuple[int, ...]

    @property
    def named(self) -> bool:
        """Whether the new one is compared with a single measurement out of several."""
        return len(self.centre) < len(self.earlier)


@dataclass(frozen=True)
class Pairing:
    """The result of a search for baselines.

    Attributes:
        status: `OK`, or why no task has a baseline.
        unresolved: Tasks that are not compared, by reason.
        pairs: None unless the status is `OK`.
        newest: Record of the newest baseline.
    """

    status: str
    unresolved: tuple[UnresolvedTasks, ...]
    pairs: Pairs | None = None
    newest: Baseline | None = None


def pair(
    now: Mapping[str, Baseline],
    histories: Mapping[str, Sequence[Baseline]],
    baseline_ref: str | None = None,
    lane: Lane = Lane.LAB,
) -> Pairing:
    """Return a measurement with its baselines.

    Only earlier measurements count, so a comparison gives the same result when it is repeated after
    the measurement itself has become a baseline.

    Args:
        now: The new measurement, by test id.
        histories: Records of each task, in any order.
        baseline_ref: The measurement to compare with; all of them otherwise.
        lane: In lane `lab` times of a disturbed measurement don't count.
    """
    found: dict[str, dict[str, Baseline]] = {}
    unresolved: dict[str, list[str]] = defaultdict(list)
    for test_id, record in now.items():
        status, fitting = _fitting(record, histories.get(test_id, ()))
        if fitting:
            found[test_id] = {item.baseline_metadata.test_run_id: item for item in fitting}
        else:
            unresolved[status].append(test_id)
    if not found:
        left_out = _listed(unresolved)
        most = max(left_out, key=lambda item: len(item.test_ids))
        return Pairing(most.status, left_out)
    if baseline_ref is not None:
        unresolved[NOT_IN_ALL_BASELINES] += [
            test_id for test_id, records in found.items() if baseline_ref not in records
        ]
        found = {test_id: records for test_id, records in found.items() if baseline_ref in records}
        if not found:
            return Pairing(Resolution.NO_BASELINE, _listed(unresolved))
    tasks, refs = shared_tasks(found, _oldest_first(found))
    unresolved[NOT_IN_ALL_BASELINES] += [test_id for test_id in found if test_id not in tasks]
    whole = [found[tasks[0]][ref].baseline_metadata for ref in refs]
    pairs = Pairs(
        tasks=tasks,
        now={test_id: now[test_id].gold_telemetry for test_id in tasks},
        earlier=tuple(
            {test_id: found[test_id][ref].gold_telemetry for test_id in tasks} for ref in refs
        ),
        refs=refs,
        centre=tuple(
            index for index, ref in enumerate(refs) if baseline_ref is None or ref == baseline_ref
        ),
        clean=tuple(
            index for index, item in enumerate(whole) if lane is not Lane.LAB or item.clean
        ),
    )
    return Pairing(Resolution.OK, _listed(unresolved), pairs, found[tasks[0]][refs[-1]])


def _listed(unresolved: Mapping[str, Sequence[str]]) -> tuple[UnresolvedTasks, ...]:
    return tuple(
        UnresolvedTasks(status=status, test_ids=ids)
        for status, ids in sorted(unresolved.items())
        if ids
    )


def _oldest_first(found: Mapping[str, Mapping[str, Baseline]]) -> list[str]:
    """Return the names of all measurements, sorted by the time they began."""
    moments = {
        ref: parse_time(item.baseline_metadata.created_at)
        for records in found.values()
        for ref, item in records.items()
    }
    return sorted(moments, key=lambda ref: (moments[ref], ref))


def _fitting(record: Baseline, history: Sequence[Baseline]) -> tuple[str, tuple[Baseline, ...]]:
    """Return the status, and the earlier records that a record can be compared with."""
    mine = record.baseline_metadata
    moment = parse_time(mine.created_at)
    earlier = [
        item
        for item in history
        if item.baseline_metadata.test_run_id != mine.test_run_id
        and parse_time(item.baseline_metadata.created_at) < moment
    ]
    wanted = Wanted(mine.hardware_fingerprint, mine.task_revision, mine.model_id, mine.quant_tag)
    resolved = resolve(earlier, wanted)
    if resolved.status is not Resolution.OK:
        return resolved.status, ()
    fitting = tuple(
        item
        for item in resolved.fitting
        if item.baseline_metadata.settings_digest == mine.settings_digest
    )
    return (Resolution.OK if fitting else SETTINGS_MISMATCH), fitting


def shared_tasks(
    holders: Mapping[str, Collection[str]], oldest_first: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return tasks, and measurements that have all of them; at least one of each.

    Means over tasks can only be compared over the same tasks. Banks grow, and a sweep may ask only
    some of the tasks, so neither the few tasks of the shortest measurement nor the few measurements
    of the newest task should decide. Tasks that most measurements lack are dropped first, then
    measurements that lack common tasks, as long as enough of them are left.

    Args:
        holders: Which measurements have a task, by test id; at least one of those in the sequence.
        oldest_first: The measurements, each with at least one task.
    """
    tasks, refs = list(holders), list(oldest_first)
    while True:
        count = {task: sum(ref in holders[task] for ref in refs) for task in tasks}
        full = [task for task in tasks if count[task] == len(refs)]
        if len(full) == len(tasks):
            return tuple(tasks), tuple(refs)
        common = [task for task in tasks if 2 * count[task] >= len(refs)]
        if common and len(common) < len(tasks):
            tasks = common
        elif full and len(refs) <= FEWEST_BASELINES:
            tasks = full
        else:
            has = Counter(ref for task in tasks for ref in holders[task])
            refs.remove(min(refs, key=lambda ref: has[ref]))
