"""Makes a run report from a receipt: combines its sealed parts, and grades their answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.measurements.host import HostSummary
from orket_lib.artifacts.measurements.parts import Answer, Part, platforms
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.views.receipt import CellReceipt
from orket_lib.artifacts.views.run_report import (
    NotAsked,
    Probe,
    RunReport,
    Session,
    TestRun,
)
from orket_lib.measure.runs.grading import grade_answer
from orket_lib.measure.session.identity import mixture_observations
from orket_lib.sandbox.jobs import Sandbox
from orket_lib.stores.parts import read_part
from orket_lib.tasks.bank import Task
from orket_lib.vocabulary.clock import utc_now

Step = TypeVar("Step", Probe, Answer)


def run_report(
    receipt: CellReceipt,
    spec: RunSpec,
    tasks: Sequence[Task],
    sandbox: Sandbox | None,
    provenance: Provenance,
) -> RunReport:
    """Return the report of a receipt's parts for a spec.

    Args:
        receipt: With the parts.
        spec: What the sweep asks.
        tasks: The tasks that it selects, as they are now.
        sandbox: Where code of answers is run; None if no task needs one.
        provenance: Of the command.

    Raises:
        ArtifactError: A part is missing or was replaced.
        NotRun: An answer could not be graded.
    """
    parts = [read_part(taken) for taken in receipt.parts]
    loads = _Loads.of(parts)
    # Oldest first, so that the newest part wins.
    probes = {it.item: loads.moved(part, it.probe) for part in parts for it in part.probes}
    answers = {it.item: (part, it) for part in parts for it in part.answers}
    asked = list(_asked(answers, spec, tasks, receipt.round))
    runs = tuple(
        grade_answer(loads.moved(part, answer), task, sandbox)
        for part, answer, task in asked
        if answer.not_asked is None
    )
    newest = max(parts, key=lambda part: part.measured_at, default=None)
    mixture = mixture_observations(loads.sessions)
    return RunReport(
        generated_at=utc_now(),
        provenance=provenance,
        status=receipt.status,
        status_reason=receipt.status_reason,
        retry=receipt.retry,
        batch=receipt.batch,
        dropped=receipt.dropped,
        measured_at=newest.measured_at if newest else receipt.generated_at,
        finished_at=max((part.finished_at for part in parts), default=receipt.generated_at),
        boot_id=newest.boot_id if newest else None,
        hardware_fingerprint=newest.hardware_fingerprint if newest else spec.machine,
        cpus=newest.cpus if newest else None,
        platform=platforms([part.platform for part in parts]),
        sandbox=sandbox.description if sandbox else None,
        spec=spec,
        spec_digest=receipt.spec_digest,
        parts=receipt.parts,
        sessions=loads.sessions,
        hosts=loads.hosts,
        gpus=tuple(
            item.model_copy(update={"session": loads.index[part.measured_at, item.session]})
            for part in loads.owners
            for item in part.gpus
        ),
        gpus_absent={vendor: why for part in parts for vendor, why in part.gpus_absent.items()},
        probes=tuple(
            probes[item]
            for index in range(spec.probe_runs)
            if (item := (spec.probe_key, receipt.round, index)) in probes
        ),
        test_runs=runs,
        not_asked=tuple(_not_asked([(answer, task) for _, answer, task in asked])),
        discarded_probes=tuple(
            loads.moved(part, it.probe) for part in parts for it in part.discarded_probes
        ),
        discarded_runs=tuple(_discarded(parts, loads, spec, tasks, sandbox)),
        observations=tuple(
            dict.fromkeys([*(seen for part in parts for seen in part.observations), *mixture])
        ),
    )


@dataclass(frozen=True)
class _Loads:
    """The model loads (sessions) of some parts, without duplicates, oldest first.

    Attributes:
        owners: One part of each measurement: all parts of a measurement share its sessions.
        sessions: Renumbered.
        hosts: One per session.
        index: New number by (start of the measurement, number within it).
    """

    owners: tuple[Part, ...]
    sessions: tuple[Session, ...]
    hosts: tuple[HostSummary, ...]
    index: dict[tuple[str, int], int]

    @classmethod
    def of(cls, parts: Sequence[Part]) -> _Loads:
        """Return the sessions of some parts."""
        by_time = {part.measured_at: part for part in parts}
        owners = tuple(by_time[moment] for moment in sorted(by_time))
        pairs = [(part, session) for part in owners for session in part.sessions]
        return cls(
            owners=owners,
            sessions=tuple(
                session.model_copy(update={"index": number})
                for number, (_, session) in enumerate(pairs)
            ),
            hosts=tuple(host for part in owners for host in part.hosts),
            index={
                (part.measured_at, session.index): number
                for number, (part, session) in enumerate(pairs)
            },
        )

    def moved(self, part: Part, step: Step) -> Step:
        """Return a step with the new number of its session."""
        session = self.index[part.measured_at, step.session]
        return step.model_copy(update={"session": session})


def _asked(
    answers: dict[tuple[str, int, int], tuple[Part, Answer]],
    spec: RunSpec,
    tasks: Sequence[Task],
    number: int,
) -> Iterator[tuple[Part, Answer, Task]]:
    """Yield the answers that the spec asks for, each with its task."""
    for place, index in spec.asked():
        item = spec.tasks.keys[place], number, index
        if item in answers:
            yield *answers[item], tasks[place]


def _not_asked(answers: Sequence[tuple[Answer, Task]]) -> Iterator[NotAsked]:
    """Yield each task once that could not be asked in any of its runs."""
    asked = {task.test_id for answer, task in answers if answer.not_asked is None}
    missing = {task.test_id: (task, answer.not_asked) for answer, task in answers}
    for test_id, (task, reason) in missing.items():
        if test_id not in asked and reason is not None:
            yield NotAsked(
                test_id=test_id,
                task_id=task.id,
                family=task.family,
                tier=task.tier,
                reason=reason,
            )


def _discarded(
    parts: Sequence[Part],
    loads: _Loads,
    spec: RunSpec,
    tasks: Sequence[Task],
    sandbox: Sandbox | None,
) -> Iterator[TestRun]:
    by_key = dict(zip(spec.tasks.keys, tasks, strict=True))
    for part in parts:
        for answer in part.discarded_answers:
            if answer.key in by_key and answer.not_asked is None:
                yield grade_answer(loads.moved(part, answer), by_key[answer.key], sandbox)
