"""Receipts: which sealed measurements a sweep uses from the store, by path and SHA-256.

Cells (`results/<sweep>/cells/<model>/<quant>/receipt.json`), canary, sidecars, contexts and thermal
series have one. Receipts are the declared outputs of rules, so Snakemake may delete one and make it
again: that costs a search of the store, and never a measurement.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Artifact, Record, Time, volatile
from orket_lib.vocabulary.statuses import DropReason, RunStatus

PartKind = Literal["probes", "answers", "failure", "canary", "sidecar", "series", "next_tokens"]


class TakenPart(Record):
    """A sealed file of the store."""

    kind: PartKind
    path: str
    sha256: str
    measured_at: Time = volatile("UTC")


class AnyReceipt(Artifact):
    """What all receipts share.

    A receipt of an interrupted measurement raises `attempt`, which its rule depends on: so the job
    is due until it succeeds.
    """

    parts: tuple[TakenPart, ...] = Field(description="oldest first")
    attempt: int = Field(0, description="raised each time that the job must run again")
    interrupted: tuple[str, ...] = Field(
        (), description="temporary failures, a sentence each: the next run tries again"
    )
    memory_limit_mib: float | None = Field(
        None, description="in which memory ran out; the job is due where more may be used"
    )

    @property
    def retry(self) -> bool:
        """Whether the next run tries again."""
        return bool(self.interrupted)


class Receipt(AnyReceipt):
    """`receipt.json` of a sidecar, a context sweep or a thermal series."""

    schema_version: Literal["orket.receipt.v1"] = "orket.receipt.v1"


class Dropped(Record):
    """Why a quant is asked no further batch of tasks."""

    reason: DropReason
    detail: str = Field(description="in words, with numbers")
    certain: float = Field(description="probability that its verdict needs for KEPT or LOST")


class CellReceipt(AnyReceipt):
    """`cells/<model>/<quant>/receipt.json`."""

    schema_version: Literal["orket.cell_receipt.v1"] = "orket.cell_receipt.v1"
    model_id: str
    quant_tag: str
    spec_digest: str = Field(description="digest of what is served; names the folder in the store")
    round: int = 1
    batch: int | None = Field(None, description="of tasks; null when all are asked at once")
    status: RunStatus
    status_reason: str | None = Field(description="why it is not measured; null when it is")
    dropped: Dropped | None = Field(
        None, description="why this batch was not asked; null when it was"
    )


class CanaryReceipt(AnyReceipt):
    """`canary/receipt.json`: the canaries of a sweep, one for each model that has one."""

    schema_version: Literal["orket.canary_receipt.v1"] = "orket.canary_receipt.v1"
    measured_at: Time | None = volatile("of the oldest", None)
    boot_id: str | None = volatile("of the machine's boot at that time", None)
