"""Snakemake logger plugin: a sweep's progress instead of every job's inputs and outputs.

The profile turns it on (`logger: orket`). With `--dry-run`, `--verbose` and `--quiet` Snakemake's
own output is shown. Its own log in `.snakemake/log` is complete in any case.
"""

from __future__ import annotations

import atexit
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from snakemake.common import NOTHING_TO_BE_DONE_MSG
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from orket_lib.artifacts.progress import Event, add, announced, show_elsewhere, stopped
from orket_lib.commands._screen import Screen

T = TypeVar("T")

_LOG = ".snakemake/log"
_NOISE = ("None", "Assuming unrestricted shared filesystem")


class LogHandler(LogHandlerBase):
    """Shows the sweep while it runs, and at the end why it failed."""

    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Take over the terminal, unless Snakemake's own output is wanted."""
        settings = self.common_settings
        self._draws = not (settings.dryrun or settings.verbose or settings.quiet)
        self._jobs: dict[int, tuple[str, str]] = {}  # rule and first output, by Snakemake's number
        self._commands: set[int] = set()
        self._running = False
        self._failed: list[Event] = []
        self._errors: list[str] = []
        if self._draws:
            self._screen = Screen(announced, "Ctrl-C stops; the same command goes on from there")
            show_elsewhere(True)

    @property
    def writes_to_stream(self) -> bool:
        """Whether Snakemake leaves the terminal to us."""
        return self._draws

    def emit(self, record: logging.LogRecord) -> None:
        """Take in one of Snakemake's messages."""
        if not self._draws:
            return
        try:
            self._take_in(record, getattr(record, "event", None))
        except Exception:  # a handler must never end the workflow
            self.handleError(record)

    def _take_in(self, record: Any, event: LogEvent | None) -> None:
        if event is LogEvent.WORKFLOW_STARTED:
            self._running = True
        elif event is LogEvent.RUN_INFO:
            self._screen.begin()
        elif event is LogEvent.JOB_INFO:
            self._jobs[record.jobid] = (record.rule_name, next(iter(record.output), ""))
            if record.shellcmd:  # else Snakemake itself does it, in no time
                add(Event(kind="started", job=self._jobs[record.jobid][1]))
                self._commands.add(record.jobid)
        elif event is LogEvent.JOB_FINISHED:
            if record.job_id in self._commands:
                add(Event(kind="finished", job=self._jobs[record.job_id][1]))
        elif stopped():
            pass  # what fails now was ended on purpose
        elif event is LogEvent.JOB_ERROR:
            self._job_failed(record)
        elif event is LogEvent.ERROR:
            self._remember(self._errors, _error_of(record.getMessage()))
        elif event is None and self._matters(record):
            self._screen.print(record.getMessage())

    def _matters(self, record: logging.LogRecord) -> bool:
        """Tell whether a message is more than Snakemake's account of what it does."""
        if str(record.msg).startswith(_NOISE) or (
            record.levelno >= logging.ERROR and self._running
        ):
            return False  # an error repeats what a job has said
        important = record.levelno >= logging.WARNING or not self._running
        return important or record.msg == NOTHING_TO_BE_DONE_MSG

    def _job_failed(self, record: Any) -> None:
        rule, output = self._jobs.get(getattr(record, "jobid", -1), ("a job", ""))
        text = _why(record) or (self._errors[-1] if self._errors else "")
        failed = Event(kind="failed", job=output, title=rule, text=text)
        self._remember(self._failed, failed)
        add(failed)

    def _remember(self, failures: list[T], failure: T) -> None:
        if not self._failed and not self._errors:
            # The workflow registers its result later, which is printed earlier.
            atexit.register(self._say_why)
        failures.append(failure)

    def close(self) -> None:
        """Leave the terminal to what is printed at the end."""
        if self._draws:
            show_elsewhere(False)
            self._screen.end()
        super().close()

    def _say_why(self) -> None:
        whole = [Event(kind="failed", title="Snakemake", text=text) for text in self._errors]
        # The result ends with what the KPI gate says.
        own = [event for event in self._failed if not event.title.endswith("pass_kpis")]
        self._screen.print_failures(own if self._failed else whole, _LOG)


def _why(record: Any) -> str:
    """Return why a job failed: what its command says, else what its batch system says."""
    said, elsewhere = [], []
    for log in getattr(record, "log", None) or ():
        if ".snakemake" in Path(log).parts:  # a batch system's, with all that its job printed
            elsewhere.append(f"see {os.path.relpath(log)}")
            continue
        with suppress(OSError, UnicodeDecodeError):
            said.append(Path(log).read_text(encoding="utf-8").strip())
    if any("error: " in text for text in said):
        elsewhere = []
    else:  # such as that it was cancelled, which a command can't know, or was never accepted
        reason, _, _ = (getattr(record, "rule_msg", None) or "").partition("    sbatch call:")
        said.append(reason.partition("For further error details")[0].strip())
    return "\n".join(filter(None, [*said, *elsewhere]))


def _error_of(message: str) -> str:
    """Return what went wrong, without the traceback, which is in Snakemake's log."""
    what, traceback, rest = message.partition("Traceback")
    if not traceback:
        return message
    # Python's own ends with the error; Snakemake's of a rule begins with it.
    return rest.strip().splitlines()[-1] if rest.startswith(" (most") else what.strip()
