"""The receipt of a cell's measurement."""

from __future__ import annotations

from dataclasses import dataclass

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.measurements.parts import Failure
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.views.receipt import CellReceipt, Dropped
from orket_lib.stores.parts import Found, read_part
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.statuses import RunStatus


@dataclass(frozen=True)
class Outcome:
    """How a measurement ended.

    Attributes:
        found: Which of the wanted parts are in the store now.
        interrupted: A failure that may be transient; None if there was none.
    """

    found: Found
    interrupted: Failure | None = None


def receipt_of(
    spec: RunSpec,
    outcome: Outcome,
    provenance: Provenance,
    number: int = 1,
    attempt: int = 0,
    batch: int | None = None,
) -> CellReceipt:
    """Return which parts of the store a cell uses, or why it has none.

    Args:
        spec: What is served and how, and what is asked.
        outcome: How its measurement ended.
        provenance: Of the command.
        number: Number of the round, from 1.
        attempt: Number in the receipt.
        batch: Number of the batch of tasks, from 1; None if all are asked at once.
    """
    found, failed = outcome.found, outcome.interrupted
    name = f"{spec.model_id} {spec.quant_tag}"
    interrupted = () if failed is None else (f"{name}: {failed.status.value}: {failed.reason}",)
    if failed is None and found.failure:
        failed = read_part(found.failure).failure
    return CellReceipt(
        generated_at=utc_now(),
        provenance=provenance,
        parts=(*found.parts, *filter(None, [found.failure])),
        attempt=attempt,
        interrupted=interrupted,
        memory_limit_mib=failed.memory_limit_mib if failed else None,
        model_id=spec.model_id,
        quant_tag=spec.quant_tag,
        spec_digest=spec.digest(),
        round=number,
        batch=batch,
        status=failed.status if failed else RunStatus.MEASURED,
        status_reason=failed.reason if failed else None,
    )


def dropped_receipt(
    spec: RunSpec, dropped: Dropped, provenance: Provenance, batch: int, attempt: int = 0
) -> CellReceipt:
    """Return the receipt of a batch of tasks that a quant is not asked.

    Args:
        spec: What is served and how.
        dropped: Why it is not asked.
        provenance: Of the command.
        batch: Number of the batch, from 1.
        attempt: Number in the receipt.
    """
    return CellReceipt(
        generated_at=utc_now(),
        provenance=provenance,
        parts=(),
        attempt=attempt,
        model_id=spec.model_id,
        quant_tag=spec.quant_tag,
        spec_digest=spec.digest(),
        batch=batch,
        status=RunStatus.NOT_RUN,
        status_reason=f"{dropped.reason.value}: {dropped.detail}",
        dropped=dropped,
    )
