"""The measurement of one cell: load, warm up, probe, ask every task, write everything down.

A measurement can be interrupted at any point and goes on where it stopped (see `journal`). What
goes wrong with the model or its server is a result: it is written with its reason, and costs one
row. Only what keeps us from judging at all is raised.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import psutil
from pydantic import ValidationError

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.io import write_model
from orket_lib.artifacts.run_report import (
    Observation,
    Probe,
    RunReport,
    Session,
    TestRun,
)
from orket_lib.artifacts.spec import RunSpec
from orket_lib.measure import journal as kinds
from orket_lib.measure.device_lock import device_lock
from orket_lib.measure.graded import run_task
from orket_lib.measure.host_quality import judge_probe, judge_run
from orket_lib.measure.host_summary import summarize_host
from orket_lib.measure.identity import identity_observations, mixture_observations
from orket_lib.measure.journal import JOURNAL, Journal
from orket_lib.measure.opened import OpenSession
from orket_lib.measure.probes import run_probe
from orket_lib.measure.progress import Progress
from orket_lib.measure.sample_files import archive_samples, remove_samples, samples_path
from orket_lib.measure.session import open_session
from orket_lib.providers.base import Source
from orket_lib.tasks.bank import Task
from orket_lib.telemetry.fingerprint import (
    boot_id,
    hardware_fingerprint,
    platform_versions,
    remote_machine,
)
from orket_lib.telemetry.sampler import read_samples
from orket_lib.vocabulary.clock import file_stamp, utc_now
from orket_lib.vocabulary.errors import ArtifactError, LoadError, ProviderError, ServerCrashed
from orket_lib.vocabulary.statuses import RunStatus

REPORT, ATTEMPTS, SERVER_LOG = "run.json", "attempts", "server.log"


_ERROR_LINE = re.compile(r"^\S+ E +(.+)$", re.MULTILINE)  # llama.cpp's log: time, level, text
_SHOWN_ERRORS = 2

Step = tuple[Task | None, int]  # a probe (no task) or a task, and which time


class CellMeasurement:
    """The measurement of one cell in its folder.

    Args:
        spec: What to measure.
        source: From where it is served.
        tasks: The tasks that the spec selects, in order.
        folder: `storage/runs/<model>/<quant>/<digest>`.
        progress: Who watches.
    """

    def __init__(
        self,
        spec: RunSpec,
        source: Source,
        tasks: Sequence[Task],
        folder: Path,
        progress: Progress,
    ) -> None:
        self._spec = spec
        self._source = source
        self._tasks = tasks
        self._folder = folder
        self._progress = progress
        self._journal: Journal

    def run(self, provenance: Provenance) -> RunReport:
        """Measure whatever is missing, write the report, and return it.

        Raises:
            OrketError: The cell could not be judged (disk full, unreadable journal).
        """
        name = f"{self._spec.model_id} {self._spec.quant_tag}"
        # The journal is read under the lock: whoever held it before may have been at this cell.
        with device_lock("cpu", f"measuring {name}", self._progress.say):
            journal = self._journal = Journal(self._folder / JOURNAL, self._spec.digest())
            if not journal.started or journal.sealed:
                remove_samples(self._folder)
                journal.restart(self._header())
            if not journal.ended:
                self._measure()
            report = self._assemble(provenance)
            self._publish(report)
        return report

    def _measure(self) -> None:
        """Do the missing steps, then write how it ended."""
        if not self._missing_steps():
            self._end(RunStatus.MEASURED, None)
            return
        try:
            index = len(self._journal.all(kinds.SESSION))
            with open_session(
                self._spec,
                self._source,
                self._folder / SERVER_LOG,
                samples_path(self._folder, index),
                index,
            ) as session:
                self._journal.append(kinds.SESSION, session.record)
                self._steps(session)
        except LoadError as error:
            self._end(self._failure(RunStatus.LOAD_FAILED), self._with_last_words(error))
        except ServerCrashed as error:
            self._end(self._failure(RunStatus.CRASHED), self._with_last_words(error))
        except ProviderError as error:
            self._end(RunStatus.INCOMPLETE, str(error))
        else:
            self._end(RunStatus.MEASURED, None)

    def _missing_steps(self) -> list[Step]:
        """Return the probes and graded runs that the journal does not have yet, in order."""
        spec, journal = self._spec, self._journal
        probed = {item["index"] for item in journal.all(kinds.PROBE)}
        asked = {(item["task_id"], item["run_index"]) for item in journal.all(kinds.RUN)}
        probes: list[Step] = [(None, index) for index in range(spec.probe_runs)]
        runs: list[Step] = [
            (task, index) for index in range(spec.runs_per_task) for task in self._tasks
        ]
        return [
            (task, index)
            for task, index in probes + runs
            if (index not in probed if task is None else (task.id, index) not in asked)
        ]

    def _steps(self, session: OpenSession) -> None:
        """Run what is missing, each step into the journal before the next begins."""
        missing = self._missing_steps()
        total = self._spec.probe_runs + self._spec.runs_per_task * len(self._tasks)
        self._progress.plan(total, total - len(missing))
        for task, index in missing:
            if task is None:
                self._journal.append(kinds.PROBE, run_probe(session, index))
            else:
                self._journal.append(kinds.RUN, run_task(session, self._spec, task, index))
            self._progress.step()

    def _end(self, status: RunStatus, reason: str | None) -> None:
        end = {"status": status.value, "reason": reason, "finished_at": utc_now()}
        self._journal.append(kinds.END, end)

    def _failure(self, status: RunStatus) -> RunStatus:
        """Return the status of a failure, told apart by what the server last said."""
        last_words = self._last_words().lower()
        starved = "out of memory" in last_words or "failed to allocate" in last_words
        return RunStatus.OUT_OF_MEMORY if starved else status

    def _with_last_words(self, error: ProviderError) -> str:
        """Return an error with what the server's log says about it, and where that lies."""
        found = _ERROR_LINE.findall(self._last_words())
        said = f": {'; '.join(found[:_SHOWN_ERRORS])}" if found else ""
        return f"{error}{said} (see {(self._folder / SERVER_LOG).as_posix()})"

    def _last_words(self) -> str:
        try:
            content = (self._folder / SERVER_LOG).read_bytes()[-4000:]
        except OSError:
            return ""
        return content.decode(errors="replace")

    def _header(self) -> dict[str, object]:
        return {
            "spec_digest": self._spec.digest(),
            "measured_at": utc_now(),
            "boot_id": boot_id(),
            "hardware_fingerprint": (
                remote_machine(self._source.place.remote) or hardware_fingerprint()
            ),
            "cpus": psutil.cpu_count() or 1,
            "platform": platform_versions(),
        }

    def _assemble(self, provenance: Provenance) -> RunReport:
        """Return the report that the journal holds.

        Raises:
            ArtifactError: The journal was written by another version.
        """
        try:
            return self._report(provenance)
        except (ValidationError, KeyError) as error:
            raise ArtifactError(
                f"{self._folder / JOURNAL}: written by another version; "
                f"remove the file to measure again ({str(error).splitlines()[0]})"
            ) from None

    def _report(self, provenance: Provenance) -> RunReport:
        journal = self._journal
        header, end = journal.first(kinds.HEADER), journal.first(kinds.END)
        assert header is not None
        assert end is not None
        sessions = tuple(map(Session.model_validate, journal.all(kinds.SESSION)))
        samples = [read_samples(samples_path(self._folder, item.index)) for item in sessions]
        probes = map(Probe.model_validate, journal.all(kinds.PROBE))
        runs = map(TestRun.model_validate, journal.all(kinds.RUN))
        cpus = header["cpus"]
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
            spec=self._spec,
            spec_digest=self._spec.digest(),
            sessions=sessions,
            hosts=tuple(summarize_host(taken, cpus) for taken in samples),
            probes=tuple(judge_probe(item, samples[item.session], cpus) for item in probes),
            test_runs=tuple(judge_run(item, samples[item.session], cpus) for item in runs),
            observations=self._identity(sessions),
        )

    def _identity(self, sessions: Sequence[Session]) -> tuple[Observation, ...]:
        """Return how anything that was served differs from the spec, each difference once."""
        found = [identity_observations(self._spec, session) for session in sessions]
        found.append(mixture_observations(sessions))
        return tuple(dict.fromkeys(item for items in found for item in items))

    def _publish(self, report: RunReport) -> None:
        """Write the attempt, then the declared output: Snakemake deletes outputs as it likes."""
        attempt = self._folder / ATTEMPTS / file_stamp(report.measured_at)
        write_model(attempt / REPORT, report)
        self._journal.copy_to(attempt / JOURNAL)
        archive_samples(self._folder, attempt)
        write_model(self._folder / REPORT, report)
