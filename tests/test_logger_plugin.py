"""The logger plugin keeps the contract of Snakemake's interface, and says what failed and why."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.tests import MockOutputSettings, TestLogHandlerBase

from orket_lib.artifacts.progress import shown_elsewhere
from snakemake_logger_plugin_orket import LogHandler

Ending = list[Callable[[], None]]


@pytest.fixture(autouse=True)
def at_exit(monkeypatch: pytest.MonkeyPatch) -> Ending:
    """Return what would be called at exit; put the environment back."""
    called: Ending = []
    monkeypatch.setattr(atexit, "register", called.append)
    monkeypatch.setenv("ORKET_PROGRESS_SHOWN", "")
    monkeypatch.delenv("ORKET_PROGRESS_SHOWN")
    return called


class TestContract(TestLogHandlerBase):
    """What Snakemake's interface asks of every plugin."""

    __test__ = True

    def get_log_handler_cls(self) -> type[LogHandlerBase]:
        """Return the plugin's class."""
        return LogHandler

    def get_log_handler_settings(self) -> Any:
        """Return no settings: it has none."""
        return None


def handler(**changes: bool) -> LogHandler:
    settings = MockOutputSettings()
    for name, value in changes.items():
        setattr(settings, name, value)
    return LogHandler(common_settings=settings, settings=None)


def emit(to: LogHandler, event: LogEvent | None, msg: str = "", **fields: Any) -> None:
    record = logging.LogRecord("snakemake", logging.INFO, "", 1, msg, (), None)
    record.__dict__.update(fields | {"event": event})
    to.emit(record)


def failed(to: LogHandler, number: int, rule: str, log: Path) -> None:
    """Let a job begin and fail."""
    emit(
        to, LogEvent.JOB_INFO, jobid=number, rule_name=rule, output=[f"{number}.json"], shellcmd="x"
    )
    emit(to, LogEvent.JOB_ERROR, jobid=number, log=[str(log)])


@pytest.mark.parametrize("own", ["dryrun", "verbose"])
def test_snakemake_keeps_the_terminal_if_its_own_output_is_wanted(
    own: str, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet = handler(**{own: True})
    assert not quiet.writes_to_stream
    assert not shown_elsewhere()
    emit(quiet, None, "Unlocked working directory.")
    assert capsys.readouterr().err == ""


def test_only_messages_that_matter_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    shown = handler()
    assert shown.writes_to_stream
    emit(shown, None, "Unlocked working directory.")
    emit(shown, None, "Assuming unrestricted shared filesystem usage.")
    emit(shown, LogEvent.WORKFLOW_STARTED)
    emit(shown, None, "Building DAG of jobs...")
    emit(shown, None, "Nothing to be done (all requested files are present and up to date).")
    assert capsys.readouterr().err.splitlines() == [
        "Unlocked working directory.",
        "Nothing to be done (all requested files are present and up to date).",
    ]


def test_the_reason_of_a_failure_is_that_of_the_job_and_comes_last(
    tmp_path: Path, at_exit: Ending, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = handler()
    logs = {name: tmp_path / f"{name}.log" for name in ("canary", "cell", "gate")}
    logs["canary"].write_text(
        "error: canary failed:\n  LATENCY\nrun: snakemake -R measure_canary\n"
    )
    logs["cell"].write_text("error: not measured, because the canary failed: see verdict.json\n")
    logs["gate"].write_text("error: KPI gate failed\n")
    emit(shown, LogEvent.ERROR, "CalledProcessError: ...")
    failed(shown, 1, "pass_canary", logs["canary"])
    failed(shown, 2, "measure_cell", logs["cell"])
    failed(shown, 3, "measure_cell", logs["cell"])
    failed(shown, 4, "pass_kpis", logs["gate"])  # the result has said it
    shown.close()
    (ending,) = at_exit
    ending()
    assert capsys.readouterr().err.splitlines() == [
        "failed: pass canary",
        "canary failed:",
        "  LATENCY",
        "run: snakemake -R measure_canary",
        "2 measurements were not made, because the canary failed: see verdict.json",
    ]


@pytest.mark.parametrize(
    ("printed", "reason", "expected"),
    [
        pytest.param(
            "1 of 9 steps\n",
            "SLURM-job '7' failed, SLURM status is: 'TIMEOUT'. For further error details see ...",
            ["1 of 9 steps", "SLURM-job '7' failed, SLURM status is: 'TIMEOUT'.", "see {batch}"],
            id="ended from outside",
        ),
        pytest.param(
            "",
            "SLURM sbatch failed. No such partition.\n    sbatch call:\n        sbatch --x",
            ["SLURM sbatch failed. No such partition.", "see {batch}"],
            id="never accepted",
        ),
        pytest.param(
            "error: the disk is full\n",
            "SLURM-job '7' failed",
            ["the disk is full"],
            id="its command failed",
        ),
    ],
)
def test_a_batch_system_tells_why_a_job_failed_that_could_not_say_it_itself(
    tmp_path: Path,
    at_exit: Ending,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    printed: str,
    reason: str,
    expected: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    own, batch = Path("measure.log"), Path(".snakemake/slurm_logs/7.log")
    batch.parent.mkdir(parents=True)
    own.write_text(printed)
    batch.write_text("SNAKEMAKE\n=========\n")
    shown = handler()
    logs = [str(own), str(batch.absolute())]
    emit(shown, LogEvent.JOB_INFO, jobid=1, rule_name="measure_cell", output=["x"], shellcmd="x")
    emit(shown, LogEvent.JOB_ERROR, jobid=1, log=logs, rule_msg=reason)
    shown.close()
    at_exit[0]()
    _, *lines = capsys.readouterr().err.splitlines()
    assert lines == [line.format(batch=batch) for line in expected]


@pytest.mark.parametrize(
    ("text", "shown_as"),
    [
        ("LockException:\nDirectory is locked.", "LockException:\nDirectory is locked."),
        (
            "Traceback (most recent call last):\n  File x\nOSError: Read-only\n",
            "OSError: Read-only",
        ),
    ],
)
def test_an_error_of_snakemake_itself_is_shown_whole_but_for_a_traceback(
    text: str, shown_as: str, at_exit: Ending, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = handler()
    emit(shown, LogEvent.ERROR, text)
    shown.close()
    (ending,) = at_exit
    ending()
    assert capsys.readouterr().err == f"failed: Snakemake\n{shown_as}\n"
