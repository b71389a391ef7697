"""The measurement of one cell: load, warm up, probe, ask every task, write everything down.

A measurement can be interrupted at any point and goes on where it stopped (see `journal`). What
goes wrong with the model or its server is a result: it is written with its reason, and costs one
row. Only what keeps us from judging at all is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.io import write_model
from orket_lib.artifacts.run_report import RunReport
from orket_lib.artifacts.spec import RunSpec
from orket_lib.measure import journal as kinds
from orket_lib.measure.assembly import assemble
from orket_lib.measure.context_serving import require_context
from orket_lib.measure.device_lock import device_locks
from orket_lib.measure.graded import RunLost
from orket_lib.measure.journal import JOURNAL, Journal
from orket_lib.measure.last_words import failure_status, with_last_words
from orket_lib.measure.locked_devices import locked_devices
from orket_lib.measure.opened import OpenSession
from orket_lib.measure.progress import Progress
from orket_lib.measure.repeats import polluted_steps
from orket_lib.measure.runner_folders import RUNS, set_aside
from orket_lib.measure.sample_files import archive_samples, remove_samples, samples_path
from orket_lib.measure.sandboxes import sandbox_for
from orket_lib.measure.session import open_session
from orket_lib.measure.steps import steps_of
from orket_lib.providers.base import Source
from orket_lib.tasks.bank import Task
from orket_lib.tasks.sandbox.jobs import Sandbox
from orket_lib.telemetry.environment import environment
from orket_lib.telemetry.fingerprint import (
    boot_id,
    hardware_fingerprint,
    remote_machine,
)
from orket_lib.vocabulary.clock import file_stamp, utc_now
from orket_lib.vocabulary.errors import (
    LoadError,
    NoRoom,
    ProviderError,
    SandboxError,
    ServerCrashed,
    SmallerContext,
)
from orket_lib.vocabulary.statuses import RunStatus

REPORT, ATTEMPTS, SERVER_LOG = "run.json", "attempts", "server.log"
_RESTARTS = 3  # of a cell; a server that dies more often is no way to serve

Step = tuple[Task | None, int]  # a probe (no task) or a task, and which time


class CellMeasurement:
    """The measurement of one cell in its folder.

    Args:
        spec: What to measure.
        source: From where it is served.
        tasks: The tasks that the spec selects, in order.
        folder: `storage/runs/<model>/<quant>/<digest>`.
        progress: Who watches.
        before_load: Called before a model is loaded; raises LoadError where it must not be.
        facts: Folder with what earlier sessions found out about servers; None keeps nothing.
    """

    def __init__(
        self,
        spec: RunSpec,
        source: Source,
        tasks: Sequence[Task],
        folder: Path,
        progress: Progress,
        before_load: Callable[[], None] = lambda: None,
        facts: Path | None = None,
    ) -> None:
        self._spec = spec
        self._source = source
        self._tasks = tasks
        self._folder = folder
        self._progress = progress
        self._before_load = before_load
        self._facts = facts
        self._journal: Journal

    @property
    def halted(self) -> bool:
        """Whether the report's status says nothing of the model, and the next start goes on."""
        return not self._journal.ended

    def run(self, provenance: Provenance) -> RunReport:
        """Measure whatever is missing, write the report, and return it.

        Raises:
            OrketError: The cell could not be judged (disk full, unreadable journal).
        """
        name = f"{self._spec.model_id} {self._spec.quant_tag}"
        # The journal is read under the lock: whoever held it before may have been at this cell.
        needed = locked_devices(self._spec.provider, self._spec.gpu_devices, self._source.place)
        with device_locks(needed, f"measuring {name}", self._progress.say):
            journal = self._journal = Journal(self._folder / JOURNAL, self._spec.digest())
            if not journal.started or journal.sealed:
                remove_samples(self._folder)
                self._set_runs_aside()
                journal.restart(self._header())
            if not journal.ended:
                self._measure()
            report = assemble(journal, self._spec, self._folder, provenance)
            self._publish(report)
        return report

    def _measure(self) -> None:
        """Do the missing steps, then write how it ended."""
        try:
            sandbox = sandbox_for(self._tasks, self._spec.sandbox)
            while self._missing_steps():
                self._before_load()
                self._go_on(sandbox)
        except NoRoom as error:
            self._end(RunStatus.OUT_OF_MEMORY, str(error))
        except SmallerContext as error:
            self._end(RunStatus.LOAD_FAILED, str(error))
        except LoadError as error:
            gone = bool(self._journal.all(kinds.DEATH))  # it died before, and did not come back
            status = RunStatus.CRASHED if gone else RunStatus.LOAD_FAILED
            self._end(self._failure(status), self._with_last_words(error))
        except ServerCrashed as error:
            self._end(self._failure(RunStatus.CRASHED), self._with_last_words(error))
        except ProviderError as error:
            self._end(RunStatus.INCOMPLETE, str(error))
        except SandboxError as error:  # nobody's answer is at fault
            self._end(RunStatus.INCOMPLETE, str(error), kinds.HALT)
        else:
            self._end(RunStatus.MEASURED, None)

    def _go_on(self, sandbox: Sandbox | None) -> None:
        """Serve the model and do the missing steps; a server that dies may be started again.

        Raises:
            ServerCrashed: It died once too often.
        """
        index = len(self._journal.all(kinds.SESSION))
        try:
            with open_session(
                self._spec,
                self._source,
                self._folder / SERVER_LOG,
                samples_path(self._folder, index),
                index,
                sandbox,
                self._facts,
                self._progress.say,
            ) as session:
                self._journal.append(kinds.SESSION, session.record)
                if self._spec.context:
                    require_context(self._spec, self._source, session.record.served)
                self._steps(session)
        except ServerCrashed as error:
            if self._spec.on_server_death == "row":
                raise
            self._mourn(error)

    def _mourn(self, error: ServerCrashed) -> None:
        """Write down a death, and the run that it took as the failure that it is.

        Raises:
            ServerCrashed: There were too many of them.
        """
        if isinstance(error, RunLost):
            self._journal.append(kinds.RUN, error.run)
        reason = self._with_last_words(error)
        self._journal.append(kinds.DEATH, {"reason": reason, "died_at": utc_now()})
        if len(self._journal.all(kinds.DEATH)) > _RESTARTS:
            raise error
        self._progress.say(f"{reason}; it is started again")

    def _missing_steps(self, running: int | None = None) -> list[Step]:
        """Return the probes and graded runs that are to be done, in order.

        They are those that the journal does not have yet; once it has all, those that were
        disturbed.

        Args:
            running: Session that is open.
        """
        spec, journal = self._spec, self._journal
        probed = {item["index"] for item in journal.all(kinds.PROBE)}
        asked = {(item["task_id"], item["run_index"]) for item in journal.all(kinds.RUN)}
        missing = self._all_but(probed, asked)
        if missing or not spec.rerun_polluted:
            return missing
        header = journal.first(kinds.HEADER) or {}
        probes, runs = polluted_steps(
            journal, self._folder, header["cpus"], spec.rerun_polluted, running
        )
        return self._all_but(probed - probes, asked - runs)

    def _all_but(self, probed: set[int], asked: set[tuple[int, int]]) -> list[Step]:
        spec = self._spec
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
        total = self._spec.probe_runs + self._spec.runs_per_task * len(self._tasks)
        steps = steps_of(session, self._spec, self._folder / RUNS)
        while missing := self._missing_steps(session.record.index):
            if session.probes_last:
                missing.sort(key=lambda step: step[0] is None)
            self._progress.plan(total, total - len(missing))
            for task, index in missing:
                if task is None:
                    self._journal.append(kinds.PROBE, steps.probe(index))
                else:
                    self._journal.append(kinds.RUN, steps.ask(task, index))
                self._progress.step()

    def _end(self, status: RunStatus, reason: str | None, kind: str = kinds.END) -> None:
        end = {"status": status.value, "reason": reason, "finished_at": utc_now()}
        self._journal.append(kind, end)

    def _failure(self, status: RunStatus) -> RunStatus:
        return failure_status(status, self._folder / SERVER_LOG)

    def _with_last_words(self, error: ProviderError) -> str:
        return with_last_words(error, self._folder / SERVER_LOG)

    def _header(self) -> dict[str, object]:
        return {
            "spec_digest": self._spec.digest(),
            "measured_at": utc_now(),
            "boot_id": boot_id(),
            "hardware_fingerprint": (
                remote_machine(self._source.place.remote) or hardware_fingerprint()
            ),
            "cpus": psutil.cpu_count() or 1,
            # Of a machine that we only know by its name, ours would be a false word.
            "platform": {} if self._source.place.remote else environment(),
        }

    def _set_runs_aside(self) -> None:
        """Keep a runner's folders of the older measurement with its attempt."""
        older = self._journal.first(kinds.HEADER)
        if older is not None:
            attempt = self._folder / ATTEMPTS / file_stamp(older["measured_at"])
            set_aside(self._folder / RUNS, attempt)

    def _publish(self, report: RunReport) -> None:
        """Write the attempt, then the declared output: Snakemake deletes outputs as it likes."""
        attempt = self._folder / ATTEMPTS / file_stamp(report.measured_at)
        write_model(attempt / REPORT, report)
        self._journal.copy_to(attempt / JOURNAL)
        archive_samples(self._folder, attempt)
        write_model(self._folder / REPORT, report)
