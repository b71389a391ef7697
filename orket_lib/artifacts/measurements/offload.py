"""The search for the layers on the GPU: every load that was tried, and the choice.

`storage/runs/<model>/<quant>/<digest>/offload.json` has it once for a cell, next to its parts, and
each session that was served with the choice repeats it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Measured, Reading, Time, volatile
from orket_lib.artifacts.measurements.spec import OffloadTargets


class OffloadLoad(Measured):
    """One load of the search."""

    layers: int = Field(description="that were asked for")
    applied: str | None = Field(description="by the server's own log; null where it says nothing")
    held: bool = Field(description="whether that is what was asked for")
    outcome: Literal["loaded", "over_limit", "gpu_full", "memory_full"] = Field(
        description="`over_limit`: it takes more GPU memory than is wanted; `gpu_full`, "
        "`memory_full`: the memory of the GPU, or main memory, ran out"
    )
    detail: str | None = Field(None, description="the server's words where it did not load")
    decode_tps: Reading = Field(description="median of the probes, tokens/s")
    slowest_tps: Reading = Field(description="of the slowest probe, which has to reach the target")
    probe_tokens: int = Field(0, description="output tokens of each probe")
    vram_mib: Reading = Field(description="GPU memory of the server's processes after the probes")
    rss_mib: Reading = Field(description="peak main memory of the server's process tree")
    load_seconds: Reading = Field(description="until the server was ready")

    @property
    def loaded(self) -> bool:
        """Whether the model was served."""
        return self.outcome in ("loaded", "over_limit")


class OffloadSearch(Measured):
    """`offload.json`."""

    schema_version: Literal["orket.offload.v1"] = "orket.offload.v1"
    spec_digest: str = Field(description="of the cell: what is served and how")
    found_at: Time = volatile("UTC")
    targets: OffloadTargets
    most: int = Field(description="layers of the model, the output layer included")
    free_vram_mib: Reading = Field(description="free for the server before the first load")
    bounds: tuple[int, int] = Field(
        description="fewest and most layers that fit by the estimate; nothing else was tried"
    )
    bounded_by: tuple[str, ...] = Field((), description="why fewer or more were not tried")
    loads: tuple[OffloadLoad, ...] = Field(description="in the order of the search")
    layers: int = Field(description="the choice")
    why: str = Field(description="what the choice is")
    contradiction: str | None = Field(
        None, description="why the server's layers are not believed, so that its row is not valid"
    )

    def load_with(self, layers: int) -> OffloadLoad | None:
        """Return the load with so many layers; None if it was not tried."""
        return next((load for load in self.loads if load.layers == layers), None)

    @property
    def sentence(self) -> str:
        """The choice, with its speed and that of the next smaller number that was tried."""
        head = f"{self.layers} of {self.most} layers on the GPU, {self.why}"
        if self.contradiction:
            return f"{head}, and not believed: {self.contradiction}"
        chosen = self.load_with(self.layers)
        fewer = [it for it in self.loads if it.layers < self.layers and it.decode_tps is not None]
        known = [] if chosen is None or chosen.decode_tps is None else [chosen.decode_tps]
        speeds = [f"{known[0]:.3g} tokens/s"] if known else []
        if fewer:
            next_one = max(fewer, key=lambda load: load.layers)
            speeds.append(f"{next_one.layers} give {next_one.decode_tps:.3g}")
        next_more = [it for it in self.loads if it.layers == self.layers + 1]
        if next_more and next_more[0].outcome != "loaded":
            speeds.append(f"with {self.layers + 1} it doesn't fit")
        return f"{head}: {'; '.join(speeds)}" if speeds else head
