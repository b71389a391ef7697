"""The measurement of a cell: load the model, warm it up, run probes, ask every task.

Only steps that are missing in the store are measured. A measurement can be interrupted at any point
and resumes there (see `journal`). A failure of the model or its server is a result with a reason.
An error is raised only if the cell can't be judged at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.disk import require_space
from orket_lib.artifacts.measurements.parts import Answer, Failure
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.views.run_report import Observation, Probe
from orket_lib.measure.cell_receipt import Outcome
from orket_lib.measure.context_memory import require_context
from orket_lib.measure.failures import SeenFailure, evidence_of, judge_failure, with_log_errors
from orket_lib.measure.journal import journal as kinds
from orket_lib.measure.journal.journal import JOURNAL, Journal, done_steps
from orket_lib.measure.journal.reruns import polluted_steps
from orket_lib.measure.journal.sealing import parts_of
from orket_lib.measure.progress import Progress
from orket_lib.measure.runs.answers import RunLost, Turn
from orket_lib.measure.runs.runner_folders import RUNS
from orket_lib.measure.runs.steps import steps_of
from orket_lib.measure.session.device_selection import locked_devices
from orket_lib.measure.session.sample_files import samples_path
from orket_lib.measure.session.session import OpenSession, open_session
from orket_lib.processes.device_lock import device_locks
from orket_lib.providers.base import Source
from orket_lib.stores.parts import CellStore, Wanted
from orket_lib.tasks.bank import Task, task_key
from orket_lib.telemetry.allowance.cpus import cpu_allowance
from orket_lib.telemetry.allowance.memory import memory_limit_mib, oom_kills
from orket_lib.telemetry.environment import environment
from orket_lib.telemetry.fingerprint import boot_id, machine_of
from orket_lib.telemetry.memory_evidence import memory_evidence
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import ProviderError, SamplerError, ServerCrashed
from orket_lib.vocabulary.statuses import Again, RunStatus

SERVER_LOG = "server.log"
# Give up after so many restarts of the server, by `on_server_death`.
_RESTARTS = {"row": 1, "run": 3}
_STEP_DISK_MIB = 0.25

Gate = Callable[[], Observation | None]
Step = tuple[Task | None, int]  # a probe (None) or a task, with its index


@dataclass
class CellMeasurement:
    """The measurement of one round of a cell.

    Attributes:
        spec: What is served and how, and what is asked.
        find_source: Returns the model file or server, when the model is to be loaded.
        tasks: The tasks that the spec selects, in order.
        store: The store of the cell.
        progress: Receives the progress.
        number: Number of the round, from 1.
        again: Part to measure even if the store has it; None measures only what is missing.
        gate: Called before anything is measured; raises Refused to prevent it, or returns what
            spoils the times of every step.
        before_load: Called before a model is loaded; raises LoadError to prevent it.
        facts: Folder with the findings of earlier sessions; None keeps nothing.
    """

    spec: RunSpec
    find_source: Callable[[Callable[[str], None]], Source]
    tasks: Sequence[Task]
    store: CellStore
    progress: Progress
    number: int = 1
    again: Again | None = None
    gate: Gate = lambda: None
    before_load: Callable[[Source], None] = lambda source: None
    facts: Path | None = None
    _source: Source = field(init=False)
    _wanted: Wanted = field(init=False)
    _due: Wanted = field(init=False)
    _journal: Journal = field(init=False)
    _kills: int | None = field(init=False, default=None)  # out of memory, in our control groups
    _disturbance: Observation | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._wanted = Wanted.of(self.spec, self.number)

    def run(self, provenance: Provenance) -> Outcome:
        """Measure what is missing, seal it, and return what the store has then.

        Raises:
            OrketError: The cell could not be judged (disk full, unreadable journal).
        """
        if self._nothing_due():
            return Outcome(self.store.find(self._wanted))
        self._disturbance = self.gate()
        self._source = self.find_source(self.progress.say)
        name = f"{self.spec.model_id} {self.spec.quant_tag}"
        needed = locked_devices(self.spec.provider, self.spec.gpu_devices, self._source.place)
        with device_locks(needed, f"measuring {name}", self.progress.say):
            # Checked again under the lock: its previous holder may have measured this cell.
            self.store.finish_sealing()
            if self._nothing_due():
                return Outcome(self.store.find(self._wanted))
            self._journal = Journal(self.store.open / JOURNAL, self.spec.digest())
            if not self._journal.header:
                self.store.describe(self.spec)
                self._journal.append(kinds.HEADER, self._header())
            interrupted = None if self._journal.first(kinds.END) else self._measure()
            if interrupted is None:
                self.store.seal(parts_of(self._journal, self.spec, self.store.open, provenance))
        return Outcome(self.store.find(self._wanted), interrupted)

    def _nothing_due(self) -> bool:
        """Set `_due` to what has to be measured, and return whether that is nothing."""
        found = self.store.find(self._wanted)
        again = self._wanted.again(self.again)
        self._due = Wanted(
            found.missing.probes | again.probes, found.missing.answers | again.answers
        )
        return not again and (not found.missing or found.failure is not None)

    def _measure(self) -> Failure | None:
        """Run the missing steps; return a failure that may be transient."""
        try:
            while self._missing_steps():
                self.before_load(self._source)
                self._go_on()
        except (ProviderError, SamplerError) as error:
            return self._failed(error)
        return None

    def _failed(self, error: ProviderError | SamplerError) -> Failure | None:
        """Record a failure; return it if it may be transient, else end the measurement."""
        seen = self._seen(error)
        words = with_log_errors(error, self.store.open / SERVER_LOG)
        judged = judge_failure(error, seen, self._earlier(), words)
        starved = judged.status is RunStatus.OUT_OF_MEMORY
        failure = Failure(
            status=judged.status,
            reason=judged.reason,
            memory_limit_mib=memory_limit_mib() if starved else None,
        )
        entry = {**failure.model_dump(mode="json"), "finished_at": utc_now()}
        self._journal.append(kinds.FAILURE, {**entry, "seen": seen.recorded()})
        if judged.may_pass:
            return failure
        self._journal.append(kinds.END, entry)
        return None

    def _seen(self, error: ProviderError | SamplerError) -> SeenFailure:
        """Return a failure with its evidence.

        Raises:
            ArtifactError: The disk is full, so that the failure may not be the model's.
        """
        require_space([self.store.folder], _STEP_DISK_MIB)
        evidence = evidence_of(error)
        ending = evidence.ending
        of_memory = evidence.starved or (ending is not None and not ending.by_itself)
        return SeenFailure(evidence, memory_evidence(ending, self._kills) if of_memory else None)

    def _earlier(self) -> list[SeenFailure]:
        """Return the failures of this measurement so far, including earlier starts."""
        lines = [*self._journal.all(kinds.DEATH), *self._journal.all(kinds.FAILURE)]
        return [SeenFailure.recalled(line["seen"]) for line in lines]

    def _go_on(self) -> None:
        """Serve the model and run the missing steps; a server that dies may be restarted.

        Raises:
            ServerCrashed: It died too often.
        """
        index = len(self._journal.all(kinds.SESSION))
        self._kills = oom_kills()
        try:
            with open_session(
                self.spec,
                self._source,
                self.store.open / SERVER_LOG,
                samples_path(self.store.open, index),
                index,
                facts=self.facts,
                say=self.progress.say,
            ) as session:
                self._journal.append(kinds.SESSION, session.record)
                if self.spec.context:
                    require_context(self.spec, self._source, session.record.served)
                self._steps(session)
        except ServerCrashed as error:
            self._record_death(error)

    def _record_death(self, error: ServerCrashed) -> None:
        """Record a death of the server and, if `on_server_death` is `run`, the lost run.

        Raises:
            ServerCrashed: It died too often, or was killed from outside.
        """
        ending = error.evidence.ending
        killed = ending is not None and not ending.by_itself
        deaths = len(self._journal.all(kinds.DEATH)) + 1
        if isinstance(error, RunLost) and self.spec.on_server_death == "run":
            self._journal.append(kinds.ANSWER, self._of_answer(error.answer))
        costs_row = self.spec.on_server_death == "row"
        if (killed and costs_row) or deaths > _RESTARTS[self.spec.on_server_death]:
            raise error
        reason = with_log_errors(error, self.store.open / SERVER_LOG)
        seen = self._seen(error).recorded()
        self._journal.append(kinds.DEATH, {"reason": reason, "died_at": utc_now(), "seen": seen})
        self.progress.say(f"{reason}; restarting the server")

    def _missing_steps(self, running: int | None = None) -> list[Step]:
        """Return the remaining probes and graded runs, in order.

        These are the steps that are not in the journal; when it has all, the disturbed ones.

        Args:
            running: Index of the open session.
        """
        spec, journal = self.spec, self._journal
        done = done_steps(journal.all(kinds.PROBE), journal.all(kinds.ANSWER))
        missing = self._due.without(done)
        if not missing and spec.rerun_polluted:
            missing = polluted_steps(
                journal, self.store.open, journal.header["cpus"], spec.rerun_polluted, running
            )
        return self._in_order(missing)

    def _in_order(self, wanted: Wanted) -> list[Step]:
        probes: list[Step] = sorted((None, index) for _, _, index in wanted.probes)
        runs: list[Step] = [
            (task, index)
            for place, index in self.spec.asked()
            if (self._key(task := self.tasks[place]), self.number, index) in wanted.answers
        ]
        return probes + list(
            {(self._key(task), index): (task, index) for task, index in runs}.values()
        )

    def _key(self, task: Task | None) -> str:
        assert task is not None
        return task_key(task, self.spec.runner is not None, self.spec.context)

    def _steps(self, session: OpenSession) -> None:
        """Run the missing steps; each is in the journal before the next begins."""
        total = len(self._due.probes) + len(self._due.answers)
        steps = steps_of(session, self.spec, self.store.open / RUNS)
        while missing := self._missing_steps(session.record.index):
            if session.probes_last:
                missing.sort(key=lambda step: step[0] is None)
            self.progress.plan(total, total - len(missing))
            for task, index in missing:
                if task is None:
                    self._journal.append(
                        kinds.PROBE,
                        {
                            "key": self.spec.probe_key,
                            "round": self.number,
                            "probe": self._of_probe(steps.probe(index)).model_dump(mode="json"),
                        },
                    )
                else:
                    turn = Turn(self._key(task), index, self.number)
                    self._journal.append(kinds.ANSWER, self._of_answer(steps.ask(task, turn)))
                self.progress.step()

    def _of_probe(self, probe: Probe) -> Probe:
        """Return a probe with what spoils its times."""
        seen = (*probe.observations, *filter(None, [self._disturbance]))
        return probe.model_copy(update={"observations": seen})

    def _of_answer(self, answer: Answer) -> Answer:
        """Return an answer with what spoils its times."""
        telemetry = answer.telemetry
        seen = (*telemetry.run_quality_reasons, *filter(None, [self._disturbance]))
        reasons = telemetry.model_copy(update={"run_quality_reasons": seen})
        return answer.model_copy(update={"telemetry": reasons})

    def _header(self) -> dict[str, object]:
        remote = self._source.place.remote
        return {
            "spec_digest": self.spec.digest(),
            "measured_at": utc_now(),
            "boot_id": boot_id(),
            "hardware_fingerprint": machine_of(remote, self.spec.machine),
            "cpus": cpu_allowance().cpus,
            # Ours would be wrong for a remote machine.
            "platform": {} if remote else environment(),
        }
