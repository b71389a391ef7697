"""Which records of a baseline history are outdated: decided by time and pins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum

from orket_lib.artifacts.baseline import Baseline
from orket_lib.vocabulary.clock import parse_time

KEEP_LAST = 10


class Per(StrEnum):
    """What the number of kept records is counted per."""

    TEST = "test"
    CELL = "cell"


def newest_last(records: Sequence[Baseline]) -> list[int]:
    """Return the positions of records, oldest first; file order decides between equal times."""
    return sorted(
        range(len(records)),
        key=lambda index: (parse_time(records[index].baseline_metadata.created_at), index),
    )


def outdated(records: Sequence[Baseline], keep_last: int, per: Per) -> frozenset[int]:
    """Return the positions of the outdated records of one task.

    Args:
        records: All records, in file order.
        keep_last: How many of the newest unpinned records stay; at least 1.
        per: Whether that is counted per task or per (model, quant).
    """
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index in newest_last(records):
        metadata = records[index].baseline_metadata
        if not metadata.pinned:
            cell = (metadata.model_id, metadata.quant_tag)
            groups[cell if per is Per.CELL else ()].append(index)
    return frozenset(index for group in groups.values() for index in group[:-keep_last])
