"""A cell's measurement beside its earlier ones, task by task: what of a history can be compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orket_lib.analysis.baselines.resolution import Resolution, Wanted, resolve
from orket_lib.analysis.baselines.shared_tasks import shared
from orket_lib.artifacts.baseline import Baseline, GoldTelemetry
from orket_lib.artifacts.views.regression import UnresolvedTasks
from orket_lib.vocabulary.clock import parse_time
from orket_lib.vocabulary.statuses import Lane

SETTINGS_MISMATCH = "SETTINGS_MISMATCH"
NOT_IN_ALL_BASELINES = "NOT_IN_ALL_BASELINES"

Tasks = Mapping[str, GoldTelemetry]


@dataclass(frozen=True)
class Pairs:
    """What is compared.

    Attributes:
        tasks: Ids of the tasks that all of the measurements have.
        now: The new measurement.
        earlier: The baselines, oldest first.
        refs: Names of the baselines.
        centre: Positions of the baselines that the new one is compared with; the others show noise.
        clean: Positions of those whose times are evidence.
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
    """What came of looking for baselines.

    Attributes:
        status: `OK`, or what left no task with a baseline.
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
    """Return a measurement beside its baselines.

    Only what was measured before it counts: so a comparison that is made again later, when the
    measurement is a baseline itself, comes out as it did.

    Args:
        now: The new measurement, by test id.
        histories: Of each task, in any order.
        baseline_ref: The measurement to compare with; all of them otherwise.
        lane: In lane `lab` times of a disturbed measurement are no evidence.
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
        found, without = _having(found, baseline_ref)
        unresolved[NOT_IN_ALL_BASELINES] += without
        if not found:
            return Pairing(Resolution.NO_BASELINE, _listed(unresolved))
    tasks, refs = shared(found, _oldest_first(found))
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


def _having(
    found: Mapping[str, dict[str, Baseline]], ref: str
) -> tuple[dict[str, dict[str, Baseline]], list[str]]:
    """Return the tasks that a measurement has, with their records, and those that it has not."""
    having = {test_id: records for test_id, records in found.items() if ref in records}
    return having, [test_id for test_id in found if test_id not in having]


def _oldest_first(found: Mapping[str, Mapping[str, Baseline]]) -> list[str]:
    """Return the names of all measurements by the time when they began."""
    moments = {
        ref: parse_time(item.baseline_metadata.created_at)
        for records in found.values()
        for ref, item in records.items()
    }
    return sorted(moments, key=lambda ref: (moments[ref], ref))


def _fitting(record: Baseline, history: Sequence[Baseline]) -> tuple[str, tuple[Baseline, ...]]:
    """Return the earlier records of a task that are of the same kind, or what leaves none."""
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
