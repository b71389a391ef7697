"""What was done with a served model before anything counted: rested, warmed up, and sized up."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Measured, Reading, Record, volatile


class Warmup(Record):
    """Generations before anything counts; all of them are kept here, none of them anywhere else."""

    decode_seconds: tuple[float, ...] = volatile(
        "of each warm-up generation, in order; of one whose text came in one piece, of its request"
    )
    required: int
    cap: int
    steady: bool = Field(description="the last three show no trend and little spread (T13)")
    note: str | None = Field(
        None, description="why it ended before it was steady or complete (T29); null where it was"
    )


class Probing(Record):
    """How a session probes: shorter where the server is slow, equally for all quants (T29)."""

    prompt_tokens: int = Field(description="of a probe, about; less where the context is smaller")
    output_tokens: int
    after_tasks: bool = Field(description="they take too long to come first")
    chosen_by: str | None = Field(
        description="session of the same model that chose the lengths; null for this one"
    )


class CooldownRecord(Measured):
    """How cool the machine was made before the model was loaded, or before a repeat."""

    target_c: float
    sensor: Literal["cpu", "gpu"]
    start_c: Reading = Field(description="the hottest of them")
    end_c: Reading
    waited_s: float = volatile("until the target was reached or the time was up")
    reached: bool
