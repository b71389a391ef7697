"""What the three explorer artifacts share: what they are about, and what it was measured with."""

from __future__ import annotations

from pydantic import Field

from orket_lib.artifacts.base import Labelled, Record
from orket_lib.vocabulary.statuses import Lane


class MeasuredWith(Record):
    """What can change from one record to the next without anybody changing the config."""

    sha256: str | None = Field(description="of the local file that was served")
    digest: str | None = Field(description="that the server reports for a tag")
    build: str | None = Field(description="of the server")
    platform: dict[str, str] = Field(description="kernel, driver and runtime versions")


class Explorer(Labelled):
    """An artifact that a history is kept of."""

    model_id: str
    quant_tag: str
    sweep: str | None = Field(None, description="name of the sweep; null when it is not known")
    measured_lane: Lane | None = Field(
        None,
        description="lane that the runs were measured and judged in, where an option gave the "
        "artifact another one as its label; else null",
    )

    @property
    def speeds_are_evidence(self) -> bool:
        """Whether neither the label nor the lane of the runs says that speeds don't count."""
        return Lane.CI not in (self.execution_lane, self.measured_lane)
