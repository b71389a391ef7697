"""The canary: a short measurement that shows whether machine and model are stable enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.measurements.canary import CanaryMeasurement, CanaryRun
from orket_lib.artifacts.measurements.spec import CanarySpec
from orket_lib.artifacts.views.receipt import TakenPart
from orket_lib.artifacts.views.run_report import Session
from orket_lib.measure.progress import Progress
from orket_lib.measure.quality.host_summary import foreign_use
from orket_lib.measure.runs.answers import Turn, ask_task
from orket_lib.measure.runs.grading import grade_answer
from orket_lib.measure.runs.runner_folders import RUNS
from orket_lib.measure.session.device_selection import locked_devices
from orket_lib.measure.session.sample_files import compress_samples, samples_path
from orket_lib.measure.session.session import OpenSession, open_session
from orket_lib.measure.speed.probes import run_probe
from orket_lib.processes.device_lock import device_locks
from orket_lib.providers.base import Source
from orket_lib.stores.attempts import AttemptStore
from orket_lib.tasks.bank import Task, task_key
from orket_lib.tasks.grading.graders import sandbox_for
from orket_lib.telemetry.fingerprint import boot_id, machine_of
from orket_lib.telemetry.sampler import read_samples
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import ProviderError, SandboxError
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.null_reasons import meaning_of

SERVER_LOG = "server.log"


def take_canary(
    spec: CanarySpec,
    source: Source,
    tasks: Sequence[Task],
    store: AttemptStore,
    stored: Callable[[], TakenPart | None],
    progress: Progress,
    provenance: Provenance,
    facts: Path | None = None,
) -> TakenPart:
    """Return a usable canary from the store, or measure one.

    Args:
        spec: Which cell, which tasks, how many runs.
        source: The model file or server.
        tasks: The tasks that the spec selects.
        store: The store of the spec.
        stored: Returns a usable canary, if any; called when the devices are locked, because
            another sweep may have measured one in the meantime.
        progress: Receives the progress.
        provenance: Of the command.
        facts: Folder with the findings of earlier sessions; None keeps nothing.
    """
    needed = locked_devices(spec.provider, spec.gpu_devices, source.place)
    purpose = f"canary on {spec.model_id} {spec.quant_tag}"
    with device_locks(needed, purpose, progress.say):
        if found := stored():
            return found
        folder = store.begin()
        measurement = measure_canary(spec, source, tasks, folder, progress, provenance, facts)
        compress_samples(folder)
        return store.seal(measurement, measurement.measured_at)


def measure_canary(
    spec: CanarySpec,
    source: Source,
    tasks: Sequence[Task],
    folder: Path,
    progress: Progress,
    provenance: Provenance,
    facts: Path | None = None,
) -> CanaryMeasurement:
    """Measure a canary; a model that can't be measured is a result as well.

    Args:
        spec: Which cell, which tasks, how many runs.
        source: The model file or server.
        tasks: The tasks that the spec selects.
        folder: For the server's log, samples and runner folders.
        progress: Receives the progress.
        provenance: Of the command.
        facts: Folder with the findings of earlier sessions; None keeps nothing.
    """
    measured_at = utc_now()
    sessions: list[Session] = []
    runs: list[CanaryRun] = []
    failure = None
    progress.plan(spec.runs * len(tasks), 0)
    try:
        sandbox = sandbox_for(tasks, spec.sandbox)
        log, samples = folder / SERVER_LOG, samples_path(folder, 0)
        with open_session(spec, source, log, samples, 0, sandbox, facts, progress.say) as session:
            sessions.append(session.record)
            for index in range(spec.runs):
                for task in tasks:
                    runs.append(_run_once(session, spec, task, index, folder / RUNS))
                    progress.step()
    except (ProviderError, SandboxError) as error:
        failure = str(error)
    return CanaryMeasurement(
        generated_at=utc_now(),
        provenance=provenance,
        measured_at=measured_at,
        boot_id=boot_id(),
        hardware_fingerprint=machine_of(source.place.remote, spec.machine),
        spec=spec,
        spec_digest=spec.digest(),
        failure=failure,
        sessions=tuple(sessions),
        runs=tuple(runs),
        disturbance=None if source.place.remote else _disturbance(folder),
    )


def _disturbance(folder: Path) -> str | None:
    """Return how other programs used this machine during the runs."""
    return foreign_use(read_samples(samples_path(folder, 0)), psutil.cpu_count() or 1)


def _run_once(
    session: OpenSession, spec: CanarySpec, task: Task, index: int, folders: Path
) -> CanaryRun:
    turn = Turn(task_key(task, spec.runner is not None), index)
    answer = ask_task(session, spec, task, turn, folders)
    if answer.not_asked:
        why = f"{task.test_id} can't be asked: {meaning_of(answer.not_asked)}"
        raise ProviderError(why, Cause.NOT_OFFERED)
    run = grade_answer(answer, task, session.sandbox)
    probe = run_probe(session, index)
    return CanaryRun.of(
        test_id=run.test_id,
        run_index=index,
        outcome=run.outcome,
        adherence_score=run.telemetry.reading("adherence_score"),
        token_status=run.telemetry.token_metrics_status,
        internal_model_seconds=probe.reading("internal_model_seconds"),
        client_seconds=probe.chunk_ms[-1] / 1000 if probe.chunk_ms else None,
    )
