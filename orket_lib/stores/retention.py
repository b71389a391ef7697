"""Which records of a baseline history are to go: a question of times and pins alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum

from orket_lib.artifacts.baseline import Baseline
from orket_lib.vocabulary.clock import parse_time

KEEP_LAST = 10


class Per(StrEnum):
    """What the number of kept records is counted over."""

    TEST = "test"
    CELL = "cell"


def newest_last(records: Sequence[Baseline]) -> list[int]:
    """Return the positions of records from the oldest to the newest.

    Of records with the same time, the one further down the file came later.
    """
    return sorted(
        range(len(records)),
        key=lambda index: (parse_time(records[index].baseline_metadata.created_at), index),
    )


def outdated(records: Sequence[Baseline], keep_last: int, per: Per) -> frozenset[int]:
    """Return the positions of the records of one task that retention gives up.

    Args:
        records: In the order of the file.
        keep_last: So many of the newest unpinned ones stay; at least 1.
        per: Of all of the task, or of each (model, quant).
    """
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index in newest_last(records):
        metadata = records[index].baseline_metadata
        if not metadata.pinned:
            cell = (metadata.model_id, metadata.quant_tag)
            groups[cell if per is Per.CELL else ()].append(index)
    return frozenset(index for group in groups.values() for index in group[:-keep_last])
