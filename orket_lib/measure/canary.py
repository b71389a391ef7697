"""The canary: is this machine steady and this model deterministic enough to begin?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.canary import CanaryMeasurement, CanaryRun
from orket_lib.artifacts.run_report import Session
from orket_lib.artifacts.spec import CanarySpec
from orket_lib.measure.device_lock import device_locks
from orket_lib.measure.graded import run_task
from orket_lib.measure.locked_devices import locked_devices
from orket_lib.measure.opened import OpenSession
from orket_lib.measure.probes import run_probe
from orket_lib.measure.progress import Progress
from orket_lib.measure.sandboxes import sandbox_for
from orket_lib.measure.session import open_session
from orket_lib.providers.base import Source
from orket_lib.tasks.bank import Task
from orket_lib.telemetry.fingerprint import boot_id, hardware_fingerprint, remote_machine
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import ProviderError, SandboxError


def measure_canary(
    spec: CanarySpec,
    source: Source,
    tasks: Sequence[Task],
    log: Path,
    samples: Path,
    folders: Path,
    progress: Progress,
    provenance: Provenance,
    facts: Path | None = None,
) -> CanaryMeasurement:
    """Run the canary and return what it saw; a model that can't be measured is a result too.

    Args:
        spec: Which cell, which tasks, how many runs.
        source: From where it is served.
        tasks: The tasks that the spec selects.
        log: Where the server's own messages go.
        samples: Where the samples of the host go.
        folders: Where a runner has its folders.
        progress: Who watches.
        provenance: Of the caller.
        facts: Folder with what earlier sessions found out about servers; None keeps nothing.
    """
    measured_at = utc_now()
    sessions: list[Session] = []
    runs: list[CanaryRun] = []
    failure = None
    progress.plan(spec.runs * len(tasks), 0)
    needed = locked_devices(spec.provider, spec.gpu_devices, source.place)
    try:
        sandbox = sandbox_for(tasks, spec.sandbox)
        with (
            device_locks(needed, f"canary on {spec.model_id} {spec.quant_tag}", progress.say),
            open_session(spec, source, log, samples, 0, sandbox, facts, progress.say) as session,
        ):
            sessions.append(session.record)
            for index in range(spec.runs):
                for task in tasks:
                    runs.append(_run_once(session, spec, task, index, folders))
                    progress.step()
    except (ProviderError, SandboxError) as error:
        failure = str(error)
    return CanaryMeasurement(
        generated_at=utc_now(),
        provenance=provenance,
        measured_at=measured_at,
        boot_id=boot_id(),
        hardware_fingerprint=remote_machine(source.place.remote) or hardware_fingerprint(),
        spec=spec,
        spec_digest=spec.digest(),
        failure=failure,
        sessions=tuple(sessions),
        runs=tuple(runs),
    )


def _run_once(
    session: OpenSession, spec: CanarySpec, task: Task, index: int, folders: Path
) -> CanaryRun:
    run = run_task(session, spec, task, index, folders)
    probe = run_probe(session, index)
    return CanaryRun.of(
        test_id=run.test_id,
        run_index=index,
        outcome=run.outcome,
        adherence_score=run.telemetry.adherence_score,
        token_status=run.telemetry.token_metrics_status,
        internal_model_seconds=probe.reading("internal_model_seconds"),
        client_seconds=probe.chunk_ms[-1] / 1000 if probe.chunk_ms else None,
    )
