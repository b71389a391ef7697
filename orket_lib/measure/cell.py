"""The measurement of one cell: load, warm up, probe, ask every task, write everything down.

What the store has of the cell is taken, and only what is missing is measured. A measurement can be
interrupted at any point and goes on where it stopped (see `journal`). What goes wrong with the
model or its server is a result with its reason. Only what keeps us from judging at all is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import psutil

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.disk import require_space
from orket_lib.artifacts.measurements.parts import Failure
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.measure.cell_receipt import Outcome
from orket_lib.measure.context_memory import require_context
from orket_lib.measure.failures import SeenFailure, evidence_of, judge_failure
from orket_lib.measure.journal import journal as kinds
from orket_lib.measure.journal.journal import JOURNAL, Journal
from orket_lib.measure.journal.reruns import polluted_steps
from orket_lib.measure.journal.sealing import parts_of
from orket_lib.measure.progress import Progress
from orket_lib.measure.runs.answers import RunLost, Turn
from orket_lib.measure.runs.runner_folders import RUNS
from orket_lib.measure.runs.steps import steps_of
from orket_lib.measure.session.device_selection import locked_devices
from orket_lib.measure.session.open_session import OpenSession
from orket_lib.measure.session.sample_files import samples_path
from orket_lib.measure.session.server_failure import with_last_words
from orket_lib.measure.session.session import open_session
from orket_lib.processes.device_lock import device_locks
from orket_lib.providers.base import Source
from orket_lib.stores.parts import CellStore, Wanted
from orket_lib.tasks.bank import Task, task_key
from orket_lib.telemetry.environment import environment
from orket_lib.telemetry.fingerprint import boot_id, hardware_fingerprint, remote_machine
from orket_lib.telemetry.memory_evidence import memory_evidence
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import ProviderError, SamplerError, ServerCrashed

SERVER_LOG = "server.log"
# Of one measuring; a model whose server dies more often can't be served here.
_RESTARTS = {"row": 1, "run": 3}
_ROOM_OF_A_STEP_MIB = 0.25

Again = Literal["probes", "runs", "all"]
Step = tuple[Task | None, int]  # a probe (no task) or a task, and which time


class CellMeasurement:
    """The measurement of one round of one cell.

    Args:
        spec: What is served and how, and what is asked.
        find_source: Returns from where it is served, once it is to be loaded.
        tasks: The tasks that the spec selects, in order.
        store: Of the cell.
        progress: Who watches.
        number: Of the round, from 1.
        again: Which part is measured whatever the store has; None takes what is there.
        gate: Called before anything is measured; raises Refused where it must not be.
        before_load: Called before a model is loaded; raises LoadError where it must not be.
        facts: Folder with what earlier sessions found out about servers; None keeps nothing.
    """

    def __init__(
        self,
        spec: RunSpec,
        find_source: Callable[[Callable[[str], None]], Source],
        tasks: Sequence[Task],
        store: CellStore,
        progress: Progress,
        number: int = 1,
        again: Again | None = None,
        gate: Callable[[], None] = lambda: None,
        before_load: Callable[[Source], None] = lambda source: None,
        facts: Path | None = None,
    ) -> None:
        self._spec = spec
        self._find_source = find_source
        self._source: Source
        self._tasks = tasks
        self._store = store
        self._progress = progress
        self._round = number
        self._again = again
        self._gate = gate
        self._before_load = before_load
        self._facts = facts
        self._wanted = Wanted.of(spec, number)
        self._due: Wanted
        self._journal: Journal

    def run(self, provenance: Provenance) -> Outcome:
        """Measure whatever is missing, seal it, and return what is there then.

        Raises:
            OrketError: The cell could not be judged (disk full, unreadable journal).
        """
        if self._nothing_due():
            return Outcome(self._store.find(self._wanted))
        self._gate()
        self._source = self._find_source(self._progress.say)
        name = f"{self._spec.model_id} {self._spec.quant_tag}"
        needed = locked_devices(self._spec.provider, self._spec.gpu_devices, self._source.place)
        with device_locks(needed, f"measuring {name}", self._progress.say):
            # Looked at once more under the lock: whoever held it before may have measured this.
            self._store.finish_sealing()
            if self._nothing_due():
                return Outcome(self._store.find(self._wanted))
            self._journal = Journal(self._store.open / JOURNAL, self._spec.digest())
            if not self._journal.header:
                self._store.describe(self._spec)
                self._journal.append(kinds.HEADER, self._header())
            interrupted = None
            if self._journal.first(kinds.END) is None:
                interrupted = self._measure()
            if interrupted is None:
                self._store.seal(parts_of(self._journal, self._spec, self._store.open, provenance))
        return Outcome(self._store.find(self._wanted), interrupted)

    def _nothing_due(self) -> bool:
        """Work out what is to be measured, and tell whether that is nothing."""
        found = self._store.find(self._wanted)
        self._due = found.missing
        if self._again:  # one part of it, and whatever else the store lacks
            self._due = Wanted(
                found.missing.probes if self._again == "runs" else self._wanted.probes,
                found.missing.answers if self._again == "probes" else self._wanted.answers,
            )
            return False
        return not found.missing or found.failure is not None

    def _measure(self) -> Failure | None:
        """Do the missing steps; return what went wrong that may pass."""
        try:
            while self._missing_steps():
                self._before_load(self._source)
                self._go_on()
        except (ProviderError, SamplerError) as error:
            return self._failed(error)
        return None

    def _failed(self, error: ProviderError | SamplerError) -> Failure | None:
        """Write down a failure, and return it where it may pass; else nothing more is measured."""
        seen = self._seen(error)
        words = with_last_words(error, self._store.open / SERVER_LOG)
        judged = judge_failure(error, seen, self._earlier(), words)
        failure = Failure(status=judged.status, reason=judged.reason)
        entry = {**failure.model_dump(mode="json"), "finished_at": utc_now()}
        self._journal.append(kinds.FAILURE, {**entry, "seen": seen.recorded()})
        if judged.may_pass:
            return failure
        self._journal.append(kinds.END, entry)
        return None

    def _seen(self, error: ProviderError | SamplerError) -> SeenFailure:
        """Return what is known of a failure.

        Raises:
            ArtifactError: The disk is full: whatever failed, it says nothing of the model.
        """
        require_space([self._store.folder], _ROOM_OF_A_STEP_MIB)
        evidence = evidence_of(error)
        ending = evidence.ending
        of_memory = evidence.starved or (ending is not None and not ending.by_itself)
        return SeenFailure(evidence, memory_evidence(ending) if of_memory else None)

    def _earlier(self) -> list[SeenFailure]:
        """Return the failures of this measuring so far, also those of earlier starts."""
        lines = [*self._journal.all(kinds.DEATH), *self._journal.all(kinds.FAILURE)]
        return [SeenFailure.recalled(line["seen"]) for line in lines]

    def _go_on(self) -> None:
        """Serve the model and do the missing steps; a server that dies may be started again.

        Raises:
            ServerCrashed: It died once too often.
        """
        index = len(self._journal.all(kinds.SESSION))
        try:
            with open_session(
                self._spec,
                self._source,
                self._store.open / SERVER_LOG,
                samples_path(self._store.open, index),
                index,
                facts=self._facts,
                say=self._progress.say,
            ) as session:
                self._journal.append(kinds.SESSION, session.record)
                if self._spec.context:
                    require_context(self._spec, self._source, session.record.served)
                self._steps(session)
        except ServerCrashed as error:
            self._record_death(error)

    def _record_death(self, error: ServerCrashed) -> None:
        """Write down a death, and the run that it took where that is what it costs.

        Raises:
            ServerCrashed: There were too many of them, or something killed it from outside.
        """
        ending = error.evidence.ending
        killed = ending is not None and not ending.by_itself
        deaths = len(self._journal.all(kinds.DEATH)) + 1
        if isinstance(error, RunLost) and self._spec.on_server_death == "run":
            self._journal.append(kinds.ANSWER, error.answer)
        costs_row = self._spec.on_server_death == "row"
        if (killed and costs_row) or deaths > _RESTARTS[self._spec.on_server_death]:
            raise error
        reason = with_last_words(error, self._store.open / SERVER_LOG)
        seen = self._seen(error).recorded()
        self._journal.append(kinds.DEATH, {"reason": reason, "died_at": utc_now(), "seen": seen})
        self._progress.say(f"{reason}; it is started again")

    def _missing_steps(self, running: int | None = None) -> list[Step]:
        """Return the probes and graded runs that are to be done, in order.

        They are those that the journal does not have yet; once it has all, those that were
        disturbed.

        Args:
            running: Session that is open.
        """
        spec, journal = self._spec, self._journal
        there = {("probes", _item(it, it["probe"]["index"])) for it in journal.all(kinds.PROBE)}
        there |= {("answers", _item(it, it["run_index"])) for it in journal.all(kinds.ANSWER)}
        missing = self._due.without(there)  # type: ignore[arg-type]
        if not missing and spec.rerun_polluted:
            missing = polluted_steps(
                journal, self._store.open, journal.header["cpus"], spec.rerun_polluted, running
            )
        return self._in_order(missing)

    def _in_order(self, wanted: Wanted) -> list[Step]:
        probes: list[Step] = sorted((None, index) for _, _, index in wanted.probes)
        runs: list[Step] = [
            (task, index)
            for index in range(self._spec.runs_per_task)
            for task in self._tasks
            if (self._key(task), self._round, index) in wanted.answers
        ]
        return probes + list(
            {(self._key(task), index): (task, index) for task, index in runs}.values()
        )

    def _key(self, task: Task | None) -> str:
        assert task is not None
        return task_key(task, self._spec.runner is not None, self._spec.context)

    def _steps(self, session: OpenSession) -> None:
        """Run what is missing, each step into the journal before the next begins."""
        total = len(self._due.probes) + len(self._due.answers)
        steps = steps_of(session, self._spec, self._store.open / RUNS)
        while missing := self._missing_steps(session.record.index):
            if session.probes_last:
                missing.sort(key=lambda step: step[0] is None)
            self._progress.plan(total, total - len(missing))
            for task, index in missing:
                if task is None:
                    self._journal.append(
                        kinds.PROBE,
                        {
                            "key": self._spec.probe_key,
                            "round": self._round,
                            "probe": steps.probe(index).model_dump(mode="json"),
                        },
                    )
                else:
                    turn = Turn(self._key(task), index, self._round)
                    self._journal.append(kinds.ANSWER, steps.ask(task, turn))
                self._progress.step()

    def _header(self) -> dict[str, object]:
        remote = self._source.place.remote
        return {
            "spec_digest": self._spec.digest(),
            "measured_at": utc_now(),
            "boot_id": boot_id(),
            "hardware_fingerprint": remote_machine(remote) or hardware_fingerprint(),
            "cpus": psutil.cpu_count() or 1,
            # Of a machine that we only know by its name, ours would be a false word.
            "platform": {} if remote else environment(),
        }


def _item(line: dict[str, object], index: int) -> tuple[str, int, int]:
    return str(line["key"]), int(str(line["round"])), index
