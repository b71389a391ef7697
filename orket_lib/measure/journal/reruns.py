"""Which steps of a measurement were disturbed and are repeated (`rerun_polluted`).

A step is judged as in the report: by the samples around it. A step that was disturbed by other work
says nothing about the model. Discarded steps stay in the report and are counted. Problems that a
repetition can't change, such as a wrong quant, don't cause one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from orket_lib.artifacts.measurements.parts import Answer, SealedProbe
from orket_lib.artifacts.views.run_report import Observation, Probe
from orket_lib.measure.journal import journal as kinds
from orket_lib.measure.journal.journal import Journal
from orket_lib.measure.quality.gpu_verdicts import WatchedGpus, watched
from orket_lib.measure.quality.host_verdicts import judge_probe, judge_run
from orket_lib.measure.session.sample_files import gpu_samples_of, samples_path
from orket_lib.processes.waiting import wait_until
from orket_lib.stores.parts import Wanted
from orket_lib.telemetry.sampler import read_samples
from orket_lib.telemetry.samples import Sample
from orket_lib.vocabulary.reasons import TRANSIENT, Reason

# The sample that closes a window comes after it; a sampler that takes longer has stopped.
_CLOSING_S = 1.5
_PATIENCE_S = 6.0
_POLL_S = 0.05
_LISTED = 5
Taken = TypeVar("Taken", SealedProbe, Answer)


@dataclass(frozen=True)
class SessionSamples:
    """The samples of the machine during a session."""

    samples: Sequence[Sample]
    gpus: WatchedGpus | None

    @classmethod
    def of(cls, folder: Path, session: int, main_memory: bool = False) -> SessionSamples:
        """Read the samples of a session in a measurement's folder.

        Args:
            folder: Of the measurement.
            session: Index of the session.
            main_memory: Whether the server claims to use no GPU.
        """
        path = samples_path(folder, session)
        return cls(read_samples(path), watched(gpu_samples_of(path), main_memory))

    def on(self, cpus: int) -> tuple[Sequence[Sample], int, WatchedGpus | None]:
        """Return what a step is judged by, on a machine with so many CPUs."""
        return self.samples, cpus, self.gpus


def last_of_each(taken: Sequence[Taken]) -> tuple[tuple[Taken, ...], tuple[Taken, ...]]:
    """Return the last try of each step, which counts, and the discarded ones before it."""
    last = {step.item: place for place, step in enumerate(taken)}
    counts = tuple(step for place, step in enumerate(taken) if last[step.item] == place)
    discarded = tuple(step for place, step in enumerate(taken) if last[step.item] != place)
    return counts, discarded


def polluted_steps(
    journal: Journal, folder: Path, cpus: int, limit: int, running: int | None
) -> Wanted:
    """Return the probes and answers to repeat.

    Args:
        journal: Of the measurement.
        folder: With the samples of its sessions.
        cpus: Number of CPUs of the machine.
        limit: How often a step may be repeated.
        running: Index of the open session, whose last samples are still missing.
    """
    probes = [SealedProbe.model_validate(item) for item in journal.all(kinds.PROBE)]
    answers = [Answer.model_validate(item) for item in journal.all(kinds.ANSWER)]
    steps: list[Probe | Answer] = [*(sealed.probe for sealed in probes), *answers]
    ends = [step.window_s[1] for step in steps if step.session == running]
    if running is not None and ends:
        _wait_for_samples(samples_path(folder, running), max(ends))
    around = {index: SessionSamples.of(folder, index) for index in {it.session for it in steps}}
    return Wanted(
        frozenset(
            it.item
            for it in _repeatable(probes, limit)
            if _names(judge_probe(it.probe, *around[it.probe.session].on(cpus)).observations)
        ),
        frozenset(
            it.item
            for it in _repeatable(answers, limit)
            if _names(judge_run(it, *around[it.session].on(cpus)).telemetry.run_quality_reasons)
        ),
    )


def repeats_observed(
    probes: Sequence[SealedProbe], runs: Sequence[Answer]
) -> Iterator[Observation]:
    """Yield a note on the discarded steps, if there are any.

    Args:
        probes: Discarded probes, judged.
        runs: Discarded answers, judged.
    """
    discarded = [(f"probe {item.probe.index + 1}", item.probe.observations) for item in probes]
    discarded += [
        (f"{item.test_id} run {item.run_index + 1}", item.telemetry.run_quality_reasons)
        for item in runs
    ]
    if discarded:
        listed = [f"{name} ({', '.join(_names(seen))})" for name, seen in discarded[:_LISTED]]
        more = f" and {len(discarded) - _LISTED} more" if len(discarded) > _LISTED else ""
        yield Observation.of(
            Reason.POLLUTED_RUNS_REPEATED,
            f"{len(discarded)} disturbed steps were repeated: {', '.join(listed)}{more}",
        )


def _repeatable(taken: Sequence[Taken], limit: int) -> Iterator[Taken]:
    tries = Counter(step.item for step in taken)
    counts, _ = last_of_each(taken)
    return (step for step in counts if tries[step.item] <= limit)


def _names(seen: Iterable[Observation]) -> list[str]:
    """Return the reasons that a repetition may remove, without duplicates."""
    return list(dict.fromkeys(item.reason.value for item in seen if item.reason in TRANSIENT))


def _wait_for_samples(path: Path, until_s: float) -> None:
    """Wait for the sample that closes the last window.

    A sampler that has stopped leaves a gap, by which the step is then judged.
    """

    def closed() -> bool:
        samples = read_samples(path)
        return bool(samples) and samples[-1].at_s >= until_s + _CLOSING_S

    wait_until(closed, _PATIENCE_S, _POLL_S)
