from __future__ import annotations

import builders
import pytest

from orket_lib.analysis.baselines.records import baselines_of
from orket_lib.analysis.baselines.resolution import Resolution, Wanted, resolve
from orket_lib.artifacts.baseline import Baseline
from orket_lib.vocabulary.errors import ArtifactError


def record(ref: str, created_at: str, **changes: str) -> Baseline:
    first = next(
        iter(
            baselines_of(builders.report(), {"add-0001": "r", "add-0002": "r"}, clean=True).values()
        )
    )
    update = {"test_run_id": ref, "created_at": created_at, "task_revision": "r1", **changes}
    return first.model_copy(
        update={"baseline_metadata": first.baseline_metadata.model_copy(update=update)}
    )


HISTORY = (
    record("newest", "2026-11-23T12:00:00.5+02:00"),
    record("older", "2026-11-23T10:00:00Z"),
    record("other machine", "2026-11-24T00:00:00Z", hardware_fingerprint="other"),
    record("other content", "2026-11-25T00:00:00Z", task_revision="r2"),
    record("other quant", "2026-11-26T00:00:00Z", quant_tag="Q2_K"),
)
MINE = {"hardware_fingerprint": builders.MACHINE, "task_revision": "r1", "quant_tag": "Q4_K_M"}


@pytest.mark.parametrize(
    ("changes", "status", "found"),
    [
        ({}, Resolution.OK, "newest"),
        ({"baseline_ref": "older"}, Resolution.OK, "older"),
        ({"model_id": "another"}, Resolution.NO_BASELINE, None),
        ({"quant_tag": "F16"}, Resolution.NO_BASELINE, None),
        ({"hardware_fingerprint": "third"}, Resolution.HW_MISMATCH, None),
        ({"hardware_fingerprint": "third", "task_revision": "r9"}, Resolution.HW_MISMATCH, None),
        ({"task_revision": "r9"}, Resolution.REV_MISMATCH, None),
        ({"hardware_fingerprint": "other", "task_revision": "r2"}, Resolution.REV_MISMATCH, None),
        ({"baseline_ref": "other machine"}, Resolution.HW_MISMATCH, None),
        ({"baseline_ref": "other content"}, Resolution.REV_MISMATCH, None),
        ({"baseline_ref": "other quant"}, Resolution.NO_BASELINE, None),
    ],
)
def test_the_first_step_that_leaves_nothing_is_told(
    changes: dict[str, str], status: Resolution, found: str | None
) -> None:
    resolved = resolve(HISTORY, Wanted(**(MINE | changes)))

    assert resolved.status is status
    ref = resolved.baseline.baseline_metadata.test_run_id if resolved.baseline else None
    assert ref == found


def test_of_nothing_wanted_the_newest_is_taken() -> None:
    resolved = resolve(HISTORY, Wanted())
    assert resolved.baseline is HISTORY[-1]


def test_no_history_is_no_baseline() -> None:
    assert resolve((), Wanted()).status is Resolution.NO_BASELINE


@pytest.mark.parametrize("history", [(), HISTORY])
def test_an_unknown_ref_is_an_error(history: tuple[Baseline, ...]) -> None:
    with pytest.raises(ArtifactError, match="unknown: no baseline of this task has that ref"):
        resolve(history, Wanted(baseline_ref="unknown"))
