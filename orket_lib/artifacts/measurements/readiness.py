"""What a session did before it measured: cooldown, warm-up, and choice of probe lengths."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Measured, Reading, Record, volatile


class Warmup(Record):
    """Generations before the measurement; they are recorded here and used nowhere else."""

    decode_seconds: tuple[float, ...] = volatile(
        "of each warm-up generation, in order; of its request where the text came in one piece"
    )
    required: int
    cap: int
    steady: bool = Field(description="the last three show no trend and little spread (T13)")
    note: str | None = Field(
        None, description="why it ended before it was steady or complete (T29); else null"
    )


class Probing(Record):
    """Lengths of a session's probes: shorter on a slow server, equal for all quants (T29)."""

    prompt_tokens: int = Field(
        description="of a probe, approximately; fewer where the context is smaller"
    )
    output_tokens: int
    after_tasks: bool = Field(
        description="whether probes run after the tasks, because they take long"
    )
    chosen_by: str | None = Field(
        description="session of the same model that chose the lengths; null for this session"
    )


class CooldownRecord(Measured):
    """The wait for the machine to cool down, before a load or a repeat."""

    target_c: float
    sensor: Literal["cpu", "gpu"]
    start_c: Reading = Field(description="of the hottest sensor")
    end_c: Reading
    waited_s: float = volatile("until the target was reached or the timeout expired")
    reached: bool
