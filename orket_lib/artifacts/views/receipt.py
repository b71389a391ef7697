"""Receipts: which sealed measurements a sweep takes from the store, by path and SHA-256.

`results/<sweep>/cells/<model>/<quant>/receipt.json` is one; canary, sidecars, contexts and thermal
series have theirs. A receipt is what a rule declares as its output, so Snakemake may delete it or
make it again at any time: that costs a look into the store, and never a measurement.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Artifact, Record, Time
from orket_lib.vocabulary.statuses import RunStatus

PartKind = Literal["probes", "answers", "failure", "canary", "sidecar", "series"]


class TakenPart(Record):
    """A sealed file of the store."""

    kind: PartKind
    path: str
    sha256: str
    measured_at: Time = Field(json_schema_extra={"volatile": True})


class AnyReceipt(Artifact):
    """What all receipts have.

    What went wrong and may pass is in it: its job is due until it went well, because `attempt` is
    one of the things that the rule depends on.
    """

    parts: tuple[TakenPart, ...] = Field(description="oldest first")
    attempt: int = Field(0, description="raised whenever the same command is to try again")
    interrupted: tuple[str, ...] = Field(
        (), description="what went wrong that may pass, a sentence each: the next run tries again"
    )

    @property
    def retry(self) -> bool:
        """Whether the same command is to try again."""
        return bool(self.interrupted)


class Receipt(AnyReceipt):
    """`receipt.json` of a sidecar, a context sweep or a thermal series."""

    schema_version: Literal["orket.receipt.v1"] = "orket.receipt.v1"


class CellReceipt(AnyReceipt):
    """`cells/<model>/<quant>/receipt.json`."""

    schema_version: Literal["orket.cell_receipt.v1"] = "orket.cell_receipt.v1"
    model_id: str
    quant_tag: str
    spec_digest: str = Field(description="of what is served and how: its folder in the store")
    round: int = 1
    status: RunStatus
    status_reason: str | None = Field(description="what went wrong; null when measured")


class CanaryReceipt(AnyReceipt):
    """`canary/receipt.json`: the canaries of a sweep, one for each model that is watched."""

    schema_version: Literal["orket.canary_receipt.v1"] = "orket.canary_receipt.v1"
    measured_at: Time | None = Field(
        None, description="of the oldest", json_schema_extra={"volatile": True}
    )
    boot_id: str | None = Field(
        None, description="of its machine's boot", json_schema_extra={"volatile": True}
    )
