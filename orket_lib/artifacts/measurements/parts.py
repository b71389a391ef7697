"""Sealed parts: the immutable results of measuring a cell, identified by their SHA-256.

`storage/runs/<model>/<quant>/<digest>/parts/<measured_at>/` holds the parts of one measurement:
`probes.json` (speed), `answers.json` (each task as it was sent, and the answer), or `failure.json`
(why this model can't be measured here), with the journal and the samples they were made from. A
part holds answers and no grades: grades are derived, and derived again when a grader or an expected
value changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from orket_lib.artifacts.base import Artifact, Record, Time, volatile
from orket_lib.artifacts.measurements.gpu import GpuSummary
from orket_lib.artifacts.measurements.host import HostSummary
from orket_lib.artifacts.measurements.runner import RunnerRun
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.measurements.tool_calls import ToolCall
from orket_lib.artifacts.views.receipt import PartKind
from orket_lib.artifacts.views.run_report import (
    AnswerTelemetry,
    Observation,
    Probe,
    Reasoning,
    Session,
)
from orket_lib.vocabulary.errors import Fault
from orket_lib.vocabulary.statuses import Outcome, RunStatus

# Identifies one step of a measurement: digest of what it depends on, round, index in the round.
Item = tuple[str, int, int]


class Answer(Record):
    """One task, sent once."""

    key: str = Field(description="digest of the task as it was sent")
    round: int = 1
    run_index: int
    test_id: str = Field(description="of the task when it was sent")
    task_id: int
    session: int = Field(description="which load of the model")
    started_at: Time = volatile("UTC")
    window_s: tuple[float, float] = volatile("seconds since the session began")
    failed: Outcome | None = Field(description="`error` or `timeout`; null when it was answered")
    failed_detail: str = ""
    fault: Fault | None = Field(None, description="how the request failed; else null")
    not_asked: str | None = Field(
        None, description="why it could not be sent, as a reason of a null; else null"
    )
    answer: str | None
    tool_calls: tuple[ToolCall, ...] = Field(
        (), description="as the server reports them; of a task with tools also in the answer"
    )
    answer_sha256: str | None = Field(description="of the normalised answer (T16)")
    finish_reason: str | None
    reasoning: Reasoning | None = Field(
        None, description="null without separate reasoning, and in older files"
    )
    own_score: float | None = Field(None, description="of a runner that reports no answer, 0 to 1")
    runner: RunnerRun | None = Field(None, description="null when no runner was used")
    telemetry: AnswerTelemetry

    @property
    def item(self) -> Item:
        """Its identity among all answers of its cell."""
        return self.key, self.round, self.run_index


class SealedProbe(Record):
    """One speed probe."""

    key: str = Field(description="digest of the probe settings; the spec holds what is served")
    round: int = 1
    probe: Probe

    @property
    def item(self) -> Item:
        """Its identity among all probes of its cell."""
        return self.key, self.round, self.probe.index


class Failure(Record):
    """Why this cell can't be measured on this machine, however often it is tried."""

    status: RunStatus
    reason: str
    memory_limit_mib: float | None = Field(
        None,
        description="limit of the container or job in which memory ran out; null without one. "
        "With a higher one the cell is tried again",
    )


class Part(Artifact):
    """`probes.json`, `answers.json` or `failure.json`."""

    schema_version: Literal["orket.part.v1"] = "orket.part.v1"
    kind: PartKind
    spec: RunSpec = Field(description="the spec when this was measured")
    spec_digest: str = Field(description="digest of what is served and how")
    measured_at: Time = volatile("UTC, when the measurement began; names its folder")
    finished_at: Time = volatile("UTC")
    boot_id: str | None = volatile("of the machine's boot")
    hardware_fingerprint: str = Field(description="of the machine that measured")
    cpus: int = Field(description="logical CPUs, which shares refer to")
    platform: dict[str, str] = Field(description="kernel, driver and runtime versions")
    sessions: tuple[Session, ...]
    hosts: tuple[HostSummary, ...] = Field(description="one for each session")
    gpus: tuple[GpuSummary, ...] = ()
    gpus_absent: dict[str, str] = Field(default_factory=dict)
    observations: tuple[Observation, ...] = Field(description="of this measurement as a whole")
    probes: tuple[SealedProbe, ...] = ()
    answers: tuple[Answer, ...] = ()
    discarded_probes: tuple[SealedProbe, ...] = Field((), description="disturbed, and repeated")
    discarded_answers: tuple[Answer, ...] = Field((), description="disturbed, and repeated")
    failure: Failure | None = None


class IndexedPart(Record):
    """What a part holds, so that a search does not read the whole part."""

    kind: PartKind
    file: str
    sha256: str
    items: tuple[Item, ...] = ()


class PartIndex(Record):
    """`index.json`, written last: its presence seals a measurement."""

    schema_version: Literal["orket.part_index.v1"] = "orket.part_index.v1"
    measured_at: Time
    parts: tuple[IndexedPart, ...]


def platforms(found: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the versions of several measurements; differing ones are listed in order."""
    values: dict[str, list[str]] = defaultdict(list)
    for platform in found:
        for name, value in platform.items():
            values[name].append(value)
    return {name: ", then ".join(dict.fromkeys(each)) for name, each in values.items()}
