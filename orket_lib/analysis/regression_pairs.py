"""A cell's measurement beside its earlier ones, task by task: what of a history can be compared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orket_lib.analysis.baseline_resolution import Resolution, Wanted, resolve
from orket_lib.artifacts.baseline import Baseline, GoldTelemetry
from orket_lib.artifacts.regression import UnresolvedTasks
from orket_lib.vocabulary.clock import parse_time

SETTINGS_MISMATCH = "SETTINGS_MISMATCH"

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
    """

    tasks: tuple[str, ...]
    now: Tasks
    earlier: tuple[Tasks, ...]
    refs: tuple[str, ...]
    centre: tuple[int, ...]


@dataclass(frozen=True)
class Pairing:
    """What came of looking for baselines.

    Attributes:
        status: `OK`, or what left no task with a baseline.
        unresolved: Tasks that have none, by reason.
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
) -> Pairing:
    """Return a measurement beside its baselines.

    Only what was measured before it counts: so a comparison that is made again later, when the
    measurement is a baseline itself, comes out as it did.

    Args:
        now: The new measurement, by test id.
        histories: Of each task, in any order.
        baseline_ref: The measurement to compare with; all of them otherwise.
    """
    found: dict[str, dict[str, Baseline]] = {}
    unresolved: dict[str, list[str]] = defaultdict(list)
    for test_id, record in now.items():
        status, fitting = _fitting(record, histories.get(test_id, ()))
        if fitting:
            found[test_id] = {item.baseline_metadata.test_run_id: item for item in fitting}
        else:
            unresolved[status].append(test_id)
    left_out = tuple(
        UnresolvedTasks(status=status, test_ids=ids) for status, ids in sorted(unresolved.items())
    )
    if not found:
        most = max(left_out, key=lambda item: len(item.test_ids))
        return Pairing(most.status, left_out)
    refs = _refs(found.values())
    if baseline_ref is not None and baseline_ref not in refs:
        return Pairing(Resolution.NO_BASELINE, left_out)
    tasks = tuple(test_id for test_id, records in found.items() if records.keys() >= set(refs))
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
    )
    return Pairing(Resolution.OK, left_out, pairs, found[tasks[0]][refs[-1]])


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


def _refs(found: Iterable[Mapping[str, Baseline]]) -> tuple[str, ...]:
    """Return the measurements that are compared, oldest first.

    A measurement of few of the tasks would leave only those to compare; one counts that has at
    least half as many tasks as the fullest one.
    """
    listed = list(found)
    tasks = Counter(ref for records in listed for ref in records)
    fullest = max(tasks.values())
    moments = {
        ref: parse_time(item.baseline_metadata.created_at)
        for records in listed
        for ref, item in records.items()
    }
    full = [ref for ref, count in tasks.items() if 2 * count >= fullest]
    return tuple(sorted(full, key=lambda ref: (moments[ref], ref)))
