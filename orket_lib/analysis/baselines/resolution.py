"""Which records of a task's history a measurement can be compared with, or why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from orket_lib.artifacts.baseline import Baseline
from orket_lib.vocabulary.clock import parse_time
from orket_lib.vocabulary.errors import ArtifactError


class Resolution(StrEnum):
    """How a search for a baseline ended; all but `OK` name the first filter that left nothing."""

    NO_BASELINE = "NO_BASELINE"
    HW_MISMATCH = "HW_MISMATCH"
    REV_MISMATCH = "REV_MISMATCH"
    OK = "OK"


@dataclass(frozen=True)
class Wanted:
    """What a baseline must match; None matches anything.

    Attributes:
        hardware_fingerprint: Of the machine.
        task_revision: Of the task's content.
        model_id: Of the cell.
        quant_tag: Of the cell.
        baseline_ref: The measurement to take.
    """

    hardware_fingerprint: str | None = None
    task_revision: str | None = None
    model_id: str | None = None
    quant_tag: str | None = None
    baseline_ref: str | None = None


@dataclass(frozen=True)
class Resolved:
    """The result of a search.

    Attributes:
        status: How the search ended.
        fitting: All records that fit, oldest first; none unless the status is `OK`.
    """

    status: Resolution
    fitting: tuple[Baseline, ...] = ()

    @property
    def baseline(self) -> Baseline | None:
        """The newest record that fits."""
        return self.fitting[-1] if self.fitting else None


def resolve(history: Sequence[Baseline], wanted: Wanted) -> Resolved:
    """Return the records of one task that fit, oldest first.

    Raises:
        ArtifactError: The named measurement is not in the history.
    """
    records = sorted(history, key=lambda item: parse_time(item.baseline_metadata.created_at))
    if wanted.baseline_ref is not None:
        records = [
            item for item in records if item.baseline_metadata.test_run_id == wanted.baseline_ref
        ]
        if not records:
            raise ArtifactError(f"{wanted.baseline_ref}: no baseline of this task has that ref")
    for status, names in (
        (Resolution.NO_BASELINE, ("model_id", "quant_tag")),
        (Resolution.HW_MISMATCH, ("hardware_fingerprint",)),
        (Resolution.REV_MISMATCH, ("task_revision",)),
    ):
        records = [item for item in records if all(_fits(item, wanted, name) for name in names)]
        if not records:
            return Resolved(status)
    return Resolved(Resolution.OK, tuple(records))


@dataclass(frozen=True)
class Tally:
    """How many records of a task a measurement can use, and why it can't use the others."""

    matching: int
    other_machine: int
    other_revision: int


def tally(history: Sequence[Baseline], wanted: Wanted) -> Tally:
    """Return how many records match the machine and the revision that are wanted.

    A record of another machine counts as such, whatever its revision.
    """
    here = [item for item in history if _fits(item, wanted, "hardware_fingerprint")]
    matching = sum(_fits(item, wanted, "task_revision") for item in here)
    return Tally(matching, len(history) - len(here), len(here) - matching)


def _fits(item: Baseline, wanted: Wanted, name: str) -> bool:
    asked = getattr(wanted, name)
    return asked is None or getattr(item.baseline_metadata, name) == asked
