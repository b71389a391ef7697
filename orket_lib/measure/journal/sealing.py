"""Makes the sealed parts of a finished measurement from its journal and samples.

Each step is judged by the samples around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.measurements.parts import Answer, Failure, Part, SealedProbe
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.views.run_report import Observation, Session
from orket_lib.measure.journal import journal as kinds
from orket_lib.measure.journal.journal import JOURNAL, Journal
from orket_lib.measure.journal.reruns import SessionSamples, last_of_each, repeats_observed
from orket_lib.measure.quality.gpu_summary import summarize_gpus
from orket_lib.measure.quality.host_summary import summarize_host
from orket_lib.measure.quality.host_verdicts import judge_probe, judge_run
from orket_lib.measure.session.cooldown import too_warm
from orket_lib.measure.session.gpu_watch import says_main_memory
from orket_lib.measure.session.identity import identity_observations, mixture_observations
from orket_lib.measure.session.sample_files import compress_samples
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.reasons import Reason


def parts_of(journal: Journal, spec: RunSpec, folder: Path, provenance: Provenance) -> list[Part]:
    """Return the parts of a finished journal, and compress its samples.

    Args:
        journal: Of the measurement.
        spec: What was measured.
        folder: With the journal and the samples of its sessions.
        provenance: Of the command.

    Raises:
        ArtifactError: The journal was written by another version.
    """
    try:
        parts = list(_parts(journal, spec, folder, provenance))
    except (ValidationError, KeyError) as error:
        raise ArtifactError(
            f"{folder / JOURNAL}: written by another version; "
            f"remove the file to measure again ({str(error).splitlines()[0]})"
        ) from None
    compress_samples(folder)
    return parts


def _parts(journal: Journal, spec: RunSpec, folder: Path, provenance: Provenance) -> Iterator[Part]:
    header, end = journal.header, journal.first(kinds.END)
    sessions = tuple(map(Session.model_validate, journal.all(kinds.SESSION)))
    seen = {
        item.index: SessionSamples.of(folder, item.index, says_main_memory(item.served))
        for item in sessions
    }
    cpus = header["cpus"]
    probes, discarded_probes = last_of_each(
        [
            item.model_copy(
                update={"probe": judge_probe(item.probe, *seen[item.probe.session].on(cpus))}
            )
            for item in map(SealedProbe.model_validate, journal.all(kinds.PROBE))
        ]
    )
    answers, discarded_answers = last_of_each(
        [
            judge_run(item, *seen[item.session].on(cpus))
            for item in map(Answer.model_validate, journal.all(kinds.ANSWER))
        ]
    )
    common: dict[str, Any] = {
        "generated_at": utc_now(),
        "provenance": provenance,
        "spec": spec,
        "spec_digest": spec.digest(),
        "finished_at": end["finished_at"] if end else utc_now(),
        **{
            name: header[name]
            for name in ("measured_at", "boot_id", "hardware_fingerprint", "cpus", "platform")
        },
        "sessions": sessions,
        "hosts": tuple(summarize_host(seen[item.index].samples, cpus) for item in sessions),
        "gpus": tuple(
            summary
            for item in sessions
            if (gpus := seen[item.index].gpus)
            for summary in summarize_gpus(gpus, item.index)
        ),
        "gpus_absent": {
            vendor: why
            for looked in seen.values()
            if looked.gpus
            for vendor, why in looked.gpus.record.absent.items()
        },
        "observations": (
            *_observations(journal, spec, sessions),
            *repeats_observed(discarded_probes, discarded_answers),
        ),
    }
    # First, because a failure explains why other parts are missing.
    if end:
        yield Part(**common, kind="failure", failure=Failure.model_validate(end))
    if probes:
        yield Part(**common, kind="probes", probes=probes, discarded_probes=discarded_probes)
    if answers:
        yield Part(**common, kind="answers", answers=answers, discarded_answers=discarded_answers)


def _observations(
    journal: Journal, spec: RunSpec, sessions: Sequence[Session]
) -> tuple[Observation, ...]:
    """Return the differences to the spec and the deaths of servers, without duplicates."""
    found = [identity_observations(spec, session) for session in sessions]
    found.append(mixture_observations(sessions))
    found.append(list(too_warm(sessions)))
    deaths = journal.all(kinds.DEATH)
    found.append([Observation.of(Reason.SERVER_DIED, death["reason"]) for death in deaths])
    return tuple(dict.fromkeys(item for items in found for item in items))
