"""Which steps of a measurement were disturbed, and are to be done once more.

A step is judged as in the report: by the samples around it. What somebody else's work spoiled says
nothing about the model, so a config may ask for it again (`rerun_polluted`); what was thrown away
stays in the report, and is counted. What a repetition can't change, such as a wrong quant, is no
reason for one.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from orket_lib.artifacts.measurements.parts import Answer, Item, SealedProbe
from orket_lib.artifacts.views.run_report import Observation, Probe
from orket_lib.measure.journal import journal as kinds
from orket_lib.measure.journal.journal import Journal
from orket_lib.measure.quality.gpu_verdicts import WatchedGpus, watched
from orket_lib.measure.quality.host_verdicts import judge_probe, judge_run
from orket_lib.measure.session.sample_files import gpu_samples_of, samples_path
from orket_lib.stores.parts import Wanted
from orket_lib.telemetry.sampler import read_samples
from orket_lib.telemetry.samples import Sample
from orket_lib.vocabulary.reasons import Reason

# The samples that close a window come after it; a sampler that is later than that has stopped.
_CLOSING_S = 1.5
_PATIENCE_S = 6.0
_POLL_S = 0.05
_LISTED = 5
# What comes and goes. A server that tells no times, or a wrong quant, would be the same again.
_PASSING = frozenset(
    (
        Reason.HIGH_CPU_SATURATION,
        Reason.HIGH_SYSTEM_LOAD,
        Reason.CPU_STEAL,
        Reason.FOREIGN_GPU_PROCESS,
        Reason.THERMAL_THROTTLE,
        Reason.SERVER_RESTARTED,
        Reason.FOREIGN_REQUESTS,
        Reason.TELEMETRY_GAP,
        Reason.SWAPPING,
    )
)

Taken = TypeVar("Taken", SealedProbe, Answer)


@dataclass(frozen=True)
class Watch:
    """What was seen of the machine while one session lasted."""

    samples: Sequence[Sample]
    gpus: WatchedGpus | None

    @classmethod
    def of(cls, folder: Path, session: int) -> Watch:
        """Return what the samples of a session in a measurement's folder hold."""
        path = samples_path(folder, session)
        return cls(read_samples(path), watched(gpu_samples_of(path)))


def last_of_each(taken: Sequence[Taken]) -> tuple[tuple[Taken, ...], tuple[Taken, ...]]:
    """Return what counts, the last one of each step, and what was thrown away before it."""
    last = {step.item: place for place, step in enumerate(taken)}
    counts = tuple(step for place, step in enumerate(taken) if last[step.item] == place)
    thrown = tuple(step for place, step in enumerate(taken) if last[step.item] != place)
    return counts, thrown


def polluted_steps(
    journal: Journal, folder: Path, cpus: int, limit: int, running: int | None
) -> Wanted:
    """Return the probes and answers that are to be measured once more.

    Args:
        journal: Of the measurement.
        folder: Where the samples of its sessions lie.
        cpus: Of the machine.
        limit: How often a step may be repeated.
        running: Session that is open, whose last samples are yet to come.
    """
    probes = [SealedProbe.model_validate(item) for item in journal.all(kinds.PROBE)]
    answers = [Answer.model_validate(item) for item in journal.all(kinds.ANSWER)]
    steps: list[Probe | Answer] = [*(sealed.probe for sealed in probes), *answers]
    ends = [step.window_s[1] for step in steps if step.session == running]
    if running is not None and ends:
        _wait_for_samples(samples_path(folder, running), max(ends))
    around = {session: Watch.of(folder, session) for session in {step.session for step in steps}}
    dirty_probes: set[Item] = set()
    dirty_answers: set[Item] = set()
    for sealed in _repeatable(probes, limit):
        seen = around[sealed.probe.session]
        if _names(judge_probe(sealed.probe, seen.samples, cpus, seen.gpus).observations):
            dirty_probes.add(sealed.item)
    for answer in _repeatable(answers, limit):
        seen = around[answer.session]
        judged = judge_run(answer, seen.samples, cpus, seen.gpus)
        if _names(judged.telemetry.run_quality_reasons):
            dirty_answers.add(answer.item)
    return Wanted(frozenset(dirty_probes), frozenset(dirty_answers))


def repeats_observed(
    probes: Sequence[SealedProbe], runs: Sequence[Answer]
) -> Iterator[Observation]:
    """Yield what was thrown away, as one note, if there is anything.

    Args:
        probes: Thrown away, judged.
        runs: Likewise.
    """
    thrown = [(f"probe {item.probe.index + 1}", item.probe.observations) for item in probes]
    thrown += [
        (f"{item.test_id} run {item.run_index + 1}", item.telemetry.run_quality_reasons)
        for item in runs
    ]
    if thrown:
        listed = [f"{name} ({', '.join(_names(seen))})" for name, seen in thrown[:_LISTED]]
        more = f" and {len(thrown) - _LISTED} more" if len(thrown) > _LISTED else ""
        yield Observation.of(
            Reason.POLLUTED_RUNS_REPEATED,
            f"{len(thrown)} disturbed steps were repeated: {', '.join(listed)}{more}",
        )


def _repeatable(taken: Sequence[Taken], limit: int) -> Iterator[Taken]:
    tries = Counter(step.item for step in taken)
    counts, _ = last_of_each(taken)
    return (step for step in counts if tries[step.item] <= limit)


def _names(seen: Iterable[Observation]) -> list[str]:
    """Return the reasons that a repetition may get rid of, each once."""
    return list(dict.fromkeys(item.reason.value for item in seen if item.reason in _PASSING))


def _wait_for_samples(path: Path, until_s: float) -> None:
    """Wait for the samples that close the last window.

    A sampler that stopped leaves a gap, which is what the judging then sees.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        samples = read_samples(path)
        if samples and samples[-1].at_s >= until_s + _CLOSING_S:
            return
        time.sleep(_POLL_S)
