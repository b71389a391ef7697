"""What goes wrong around a real measurement: each fault is named, and costs what it should."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from foreign_work import burner, foreign_share, is_alive, wait_until
from nano import evidence, measure, nano_spec, row_of, tasks_of
from silent import Silent

from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.measure.journal.journal import JOURNAL
from orket_lib.measure.session.sample_files import samples_path
from orket_lib.providers.llama_cpp import embedded
from orket_lib.telemetry.sampler import read_samples
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane, Outcome, RunStatus

PROBES = 2
BUSY = 0.25  # of all cores, used by others before a test that needs to know who it was


class Interrupting(Silent):
    """Calls back between the steps of a measurement."""

    def __init__(self, between: Callable[[int], None]) -> None:
        self._between = between
        self._steps = 0

    def step(self) -> None:
        self._steps += 1
        self._between(self._steps)


def seconds_sampled(folder: Path) -> float:
    """Return how far the samples of a measurement that is under way reach."""
    samples = read_samples(samples_path(folder / "open", 0))
    return samples[-1].at_s if samples else 0.0


def more_samples(folder: Path, seconds: float) -> None:
    """Wait until the host was watched for so much longer."""
    goal = seconds_sampled(folder) + seconds
    wait_until(lambda: seconds_sampled(folder) >= goal, f"{seconds:g} s more of samples")


class Burst:
    """Foreign work on all cores, during one step of a measurement and no other."""

    def __init__(self, folder: Path, step: int) -> None:
        others = foreign_share()
        if others > BUSY:
            pytest.skip(f"others use {others:.0%} of all cores: they would be named, too")
        self.pid = 0
        self._folder, self._step = folder, step
        self._burning = burner(psutil.cpu_count() or 1)

    def __call__(self, step: int) -> None:
        # Windows are a second wide at least: let the neighbours' end before, and begin after.
        if step == self._step - 1:
            more_samples(self._folder, 1.5)
            self.pid = self._burning.__enter__()
            more_samples(self._folder, 1.0)
        elif step == self._step:
            more_samples(self._folder, 0.5)
            self._burning.__exit__(None, None, None)
            more_samples(self._folder, 1.5)


@pytest.mark.alone
def test_t11_a_foreign_process_pollutes_the_run_that_it_disturbed_and_no_other(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "cell"
    burst = Burst(folder, PROBES + 3)
    report = measure(folder, nano_spec("Q2_K"), progress=Interrupting(burst))
    texts = [evidence(run, Reason.HIGH_CPU_SATURATION) for run in report.test_runs]
    named = [f"(pid {burst.pid}, " in text for text in texts]
    assert named == [False, False, True, False, False, False], texts
    # Whoever else works on this machine meanwhile is named by his own name.
    by_burner = report.test_runs[2].telemetry.host.foreign_cpu_ratio
    assert by_burner is not None
    assert by_burner > 0.25
    quiet = [run for run, text in zip(report.test_runs, texts, strict=True) if not text]
    assert all((run.telemetry.host.foreign_cpu_ratio or 0.0) < 0.10 for run in quiet)
    row = row_of(report, Lane.LAB)
    (seen,) = [r for r in row.run_quality_reasons if r.reason is Reason.HIGH_CPU_SATURATION]
    assert row.cpu_saturation_rate is not None
    assert row.cpu_saturation_rate >= 1 / 6
    assert not row.valid
    assert "of 8 runs and probes" in seen.evidence


@pytest.mark.alone
def test_a_run_that_was_disturbed_is_done_again_and_the_first_one_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "cell"
    burst = Burst(folder, PROBES + 3)
    wanted = nano_spec("Q2_K", rerun_polluted=1)
    report = measure(folder, wanted, progress=Interrupting(burst))
    texts = [evidence(run, Reason.HIGH_CPU_SATURATION) for run in report.test_runs]
    assert not [text for text in texts if f"(pid {burst.pid}, " in text]
    assert sorted((run.task_id, run.run_index) for run in report.test_runs) == [
        (task.id, index) for task in tasks_of(wanted) for index in range(2)
    ]
    thrown = [
        run
        for run in report.discarded_runs
        if f"(pid {burst.pid}, " in evidence(run, Reason.HIGH_CPU_SATURATION)
    ]
    assert [(run.task_id, run.run_index) for run in thrown] == [(tasks_of(wanted)[2].id, 0)]
    (note,) = [o for o in report.observations if o.reason is Reason.POLLUTED_RUNS_REPEATED]
    assert f"{thrown[0].test_id} run 1 (HIGH_CPU_SATURATION" in note.evidence
    row = row_of(report, Lane.LAB)
    assert row.discarded_steps == len(report.discarded_runs) + len(report.discarded_probes)
    assert row.test_runs == 6


class CuttingProxy:
    """A wire between client and server; cuts the nth answer to a question after its first text."""

    def __init__(self, address: str, question: str, nth: int) -> None:
        target = urlsplit(address)
        self._target = (target.hostname or "", target.port or 0)
        self._question, self._nth = json.dumps(question)[1:-1].encode(), nth
        self._seen = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=10)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            # The server keeps its end open for a while after an answer: don't wait for that.
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as server, suppress(OSError):
            self._pass_on(client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        """Pass one request on, and its answer; requests come one after the other here."""
        request = b""
        while b"\r\n\r\n" not in request or len(request) < _length(request):
            got = client.recv(65536)
            if not got:
                return
            request += got
        server.sendall(request)
        self._seen += self._question in request and b'"stream":true' in request
        cut = self._question in request and self._seen == self._nth
        self._seen += cut  # once and never again
        answer = b""
        while got := server.recv(65536):
            sent, answer = len(answer), answer + got
            text = answer.find(b'"content":"') if cut else -1
            end = answer.find(b"\n\n", text) if text >= 0 else -1
            if end >= 0:  # all of the answer may be here already, on a busy machine
                client.sendall(answer[sent : end + 2])
                return
            client.sendall(got)


def _length(request: bytes) -> int:
    head, _, _ = request.partition(b"\r\n\r\n")
    fields = [line.split(b":") for line in head.lower().split(b"\r\n") if b":" in line]
    length = next((int(field[1]) for field in fields if field[0] == b"content-length"), 0)
    return len(head) + 4 + length


def test_t10_a_cut_stream_is_an_error_that_scores_zero_and_disturbs_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = nano_spec("F16")
    victim = tasks_of(wanted)[1]
    converse = embedded._converse
    proxies: list[CuttingProxy] = []

    def through_a_proxy(*arguments: Any) -> dict[str, Any]:
        answer = converse(*arguments)
        proxies.append(CuttingProxy(answer["address"], victim.prompt, nth=2))
        return answer | {"address": proxies[-1].address}

    monkeypatch.setattr(embedded, "_converse", through_a_proxy)
    report = measure(tmp_path / "cell", wanted)
    proxies[0].close()

    assert report.status is RunStatus.MEASURED
    failed = [run for run in report.test_runs if run.outcome is Outcome.ERROR]
    assert [(run.task_id, run.run_index) for run in failed] == [(victim.id, 1)]
    (run,) = failed
    assert run.outcome_detail
    assert (run.answer, run.answer_sha256) == (None, None)
    assert run.telemetry.adherence_score == 0.0
    assert run.telemetry.total_latency is None
    assert run.telemetry.null_reasons["total_latency"] == "RUN_ERROR"
    others = [run for run in report.test_runs if run not in failed]
    assert len(others) == 5
    assert all(run.telemetry.total_latency for run in others)
    assert all(run.outcome in (Outcome.PASS, Outcome.FAIL) for run in others)
    row = row_of(report)
    assert (row.test_runs, row.failed_runs) == (6, 1)
    passed = {run.task_id: run.outcome is Outcome.PASS for run in others}
    expected = sum(ok * (0.5 if task == victim.id else 1) for task, ok in passed.items()) / 3
    assert row.adherence_score == pytest.approx(expected)
    assert row.total_latency == pytest.approx(
        sum(run.telemetry.total_latency or 0.0 for run in others) / 5
    )


def test_a_server_that_is_killed_is_a_cell_to_be_tried_again_of_nulls_with_reasons(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "cell"

    def between(step: int) -> None:
        if step == PROBES + 2:
            lines = (folder / "open" / JOURNAL).read_text(encoding="utf-8").splitlines()
            pid = next(
                line["data"]["server_pid"]
                for line in map(json.loads, lines)
                if line["kind"] == "session"
            )
            more_samples(folder, 0.6)
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not is_alive(pid), "the server is dead")

    report = measure(folder, nano_spec("Q2_K"), progress=Interrupting(between))
    assert report.status is RunStatus.CRASHED
    assert "exit status -9" in (report.status_reason or "")
    assert report.retry
    again = measure(folder, nano_spec("Q2_K"))
    assert (len(again.probes), len(again.test_runs)) == (PROBES, 6)
    _no_share_is_negative(again)
    row = row_of(report, Lane.LAB)
    figures = set(row.readings()) - {"quant_rank"}
    assert set(row.null_reasons) == figures
    assert set(row.null_reasons.values()) == {"STATUS_CRASHED"}
    assert not row.valid
    assert row.invalid_because == ("status is crashed",)


def _no_share_is_negative(report: RunReport) -> None:
    """Where a process ends its counters end, too: that must not turn into a share below 0."""
    for name in report.hosts[0].readings():
        value = getattr(report.hosts[0], name)
        assert value is None or value >= 0, f"{name} is {value}"
    for run in report.test_runs:
        seen = evidence(run, Reason.HIGH_CPU_SATURATION)
        assert "no single process dominates" not in seen, seen
