"""From the journal of a finished measurement to its report.

Nothing is measured here: what the journal and the samples hold is put together and judged, so a
report that was deleted is made again in a moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.run_report import Observation, Probe, RunReport, Session, TestRun
from orket_lib.artifacts.spec import RunSpec
from orket_lib.measure import journal as kinds
from orket_lib.measure.cooldown import too_warm
from orket_lib.measure.gpu_quality import watched
from orket_lib.measure.gpu_summary import summarize_gpus
from orket_lib.measure.gpu_watch import says_main_memory
from orket_lib.measure.host_quality import judge_probe, judge_run
from orket_lib.measure.host_summary import summarize_host
from orket_lib.measure.identity import identity_observations, mixture_observations
from orket_lib.measure.journal import JOURNAL, Journal
from orket_lib.measure.repeats import last_of_each, repeats_observed
from orket_lib.measure.sample_files import gpu_samples_of, samples_path
from orket_lib.telemetry.sampler import read_samples
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import RunStatus


def assemble(journal: Journal, spec: RunSpec, folder: Path, provenance: Provenance) -> RunReport:
    """Return the report that a journal which was ended or halted holds.

    Args:
        journal: Of the measurement.
        spec: What was measured.
        folder: Where the journal and the samples of its sessions lie.
        provenance: Of the caller.

    Raises:
        ArtifactError: The journal was written by another version.
    """
    try:
        return _report(journal, spec, folder, provenance)
    except (ValidationError, KeyError) as error:
        raise ArtifactError(
            f"{folder / JOURNAL}: written by another version; "
            f"remove the file to measure again ({str(error).splitlines()[0]})"
        ) from None


def _report(journal: Journal, spec: RunSpec, folder: Path, provenance: Provenance) -> RunReport:
    header, end = journal.first(kinds.HEADER), journal.last_word
    assert header is not None
    assert end is not None
    sessions = tuple(map(Session.model_validate, journal.all(kinds.SESSION)))
    paths = [samples_path(folder, item.index) for item in sessions]
    samples = [read_samples(path) for path in paths]
    gpus = [
        watched(gpu_samples_of(path), says_main_memory(item.served))
        for item, path in zip(sessions, paths, strict=True)
    ]
    cpus = header["cpus"]
    probes, thrown_probes = last_of_each(
        [
            judge_probe(item, samples[item.session], cpus, gpus[item.session])
            for item in map(Probe.model_validate, journal.all(kinds.PROBE))
        ]
    )
    runs, thrown_runs = last_of_each(
        [
            judge_run(item, samples[item.session], cpus, gpus[item.session])
            for item in map(TestRun.model_validate, journal.all(kinds.RUN))
        ]
    )
    return RunReport(
        generated_at=utc_now(),
        provenance=provenance,
        status=RunStatus(end["status"]),
        status_reason=end["reason"],
        measured_at=header["measured_at"],
        finished_at=end["finished_at"],
        boot_id=header["boot_id"],
        hardware_fingerprint=header["hardware_fingerprint"],
        cpus=cpus,
        platform=header["platform"],
        spec=spec,
        spec_digest=spec.digest(),
        sessions=sessions,
        hosts=tuple(summarize_host(taken, cpus) for taken in samples),
        gpus=tuple(
            summary
            for item, seen in zip(sessions, gpus, strict=True)
            if seen
            for summary in summarize_gpus(seen, item.index)
        ),
        gpus_absent={
            vendor: why for seen in gpus if seen for vendor, why in seen.record.absent.items()
        },
        probes=probes,
        test_runs=runs,
        discarded_probes=thrown_probes,
        discarded_runs=thrown_runs,
        observations=(
            *_observations(journal, spec, sessions),
            *repeats_observed(thrown_probes, thrown_runs),
        ),
    )


def _observations(
    journal: Journal, spec: RunSpec, sessions: Sequence[Session]
) -> tuple[Observation, ...]:
    """Return how what was served differs from the spec, and which servers died, each once."""
    found = [identity_observations(spec, session) for session in sessions]
    found.append(mixture_observations(sessions))
    found.append(list(too_warm(sessions)))
    deaths = journal.all(kinds.DEATH)
    found.append([Observation.of(Reason.SERVER_DIED, death["reason"]) for death in deaths])
    return tuple(dict.fromkeys(item for items in found for item in items))
