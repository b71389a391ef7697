"""A server that is really killed costs one row or one run, as configured, and nothing measured."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from foreign_work import is_alive, wait_until
from nano import measure, nano_spec, row_of
from silent import Silent

from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.measure.journal.journal import JOURNAL
from orket_lib.vocabulary.errors import Fault
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Outcome, RunStatus

pytestmark = pytest.mark.slow  # `test_faults` has the first of them, too
PROBES, RUNS = 2, 6


class Killing(Silent):
    """Kills the server after some steps of a measurement."""

    def __init__(self, folder: Path, when: Callable[[int], bool]) -> None:
        self._folder, self._when = folder, when
        self._steps = 0
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def step(self) -> None:
        self._steps += 1
        if self._when(self._steps):
            pid = servers(self._folder)[-1]
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not is_alive(pid), "the server is dead")


def servers(folder: Path) -> list[int]:
    """Return the pids of all servers that a measurement had."""
    (journal,) = folder.rglob(JOURNAL)  # open, or sealed
    lines = map(json.loads, journal.read_text(encoding="utf-8").splitlines())
    return [line["data"]["server_pid"] for line in lines if line["kind"] == "session"]


def killed(folder: Path, when: Callable[[int], bool], **changes: Any) -> tuple[RunReport, Killing]:
    progress = Killing(folder, when)
    report = measure(folder, nano_spec("Q2_K", **changes), progress=progress)
    assert not any(map(is_alive, servers(folder)))
    return report, progress


def keys(report: RunReport) -> list[tuple[int, int]]:
    return [(run.task_id, run.run_index) for run in report.test_runs]


def test_a_death_costs_the_row_where_nothing_else_is_configured(tmp_path: Path) -> None:
    report, _ = killed(tmp_path / "cell", lambda step: step == PROBES + 2)
    assert (report.status, report.retry) == (RunStatus.CRASHED, True)
    assert keys(report) == [], "no row is made of a part of it"
    again = measure(tmp_path / "cell", nano_spec("Q2_K"))
    assert again.status is RunStatus.MEASURED
    assert [run.session for run in again.test_runs] == [0, 0, 1, 1, 1, 1], "nothing twice"


def test_a_death_costs_the_run_that_it_took(tmp_path: Path) -> None:
    report, progress = killed(
        tmp_path / "cell", lambda step: step == PROBES + 2, on_server_death="run"
    )
    assert report.status is RunStatus.MEASURED
    assert keys(report) == [(1, 0), (2, 0), (3, 0), (1, 1), (2, 1), (3, 1)]
    assert [run.session for run in report.test_runs] == [0, 0, 0, 1, 1, 1]
    (lost,) = [run for run in report.test_runs if run.outcome is Outcome.ERROR]
    assert (lost.task_id, lost.run_index, lost.fault) == (3, 0, Fault.RESET)
    assert "exit status -9" in lost.outcome_detail
    assert (lost.answer, lost.telemetry.adherence_score) == (None, 0.0)
    assert lost.telemetry.null_reasons["total_latency"] == "RUN_ERROR"
    (seen,) = [seen for seen in report.observations if seen.reason is Reason.SERVER_DIED]
    assert "exit status -9" in seen.evidence
    assert any("restarting the server" in text for text in progress.said)
    row = row_of(report)
    assert (row.test_runs, row.failed_runs) == (RUNS, 1)
    assert row.total_latency == pytest.approx(
        sum(run.telemetry.total_latency or 0.0 for run in report.test_runs) / (RUNS - 1)
    )
    assert Reason.SERVER_DIED in [note.reason for note in row.notes]
    assert Reason.SERVER_DIED not in [reason.reason for reason in row.run_quality_reasons]


def test_a_probe_that_a_death_took_is_measured_by_the_next_server(tmp_path: Path) -> None:
    report, _ = killed(tmp_path / "cell", lambda step: step == 1, on_server_death="run")
    assert report.status is RunStatus.MEASURED
    assert [(probe.index, probe.session) for probe in report.probes] == [(0, 0), (1, 1)]
    assert all(probe.generation_tokens_per_second for probe in report.probes)
    assert all(run.outcome in (Outcome.PASS, Outcome.FAIL) for run in report.test_runs)
