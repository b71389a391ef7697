"""Which tasks and measurements of a patchy history are compared.

Means over tasks can only be compared over the same tasks. Banks grow, and a sweep may ask few of
its tasks: what is left must neither be the few tasks of the shortest measurement nor the few
measurements of the newest task. So tasks that most measurements lack go, then measurements that
lack tasks which most have, as long as enough of them are left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from orket_lib.vocabulary.thresholds import FEWEST_BASELINES


def shared(
    holders: Mapping[str, Collection[str]], oldest_first: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return tasks, and measurements that have all of them; at least one of each.

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
