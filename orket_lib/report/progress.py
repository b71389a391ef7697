"""How far a running sweep is, and how long it will take, from the lines of its progress file."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from orket_lib.artifacts.progress import Due, Event, MeasuringKind, ProgressFile, Start
from orket_lib.vocabulary.units import duration

WAITING = "waiting for"  # how messages about a busy device or server begin
_CONSEQUENCE = "not measured, because "
OTHER_JOB_S = 0.8  # of a job that loads no model, until a sweep has shown it
_FEW = 3


@dataclass
class _Ended:
    """A finished job that measured something."""

    kind: MeasuringKind
    seconds: float
    estimate: float | None


@dataclass
class Current:
    """The measurement that runs now; times are in seconds since 1970."""

    job: str
    began_s: float
    title: str
    words: str = "loading"
    total: int = 0
    done: int = 0
    first: int = 0  # steps that an earlier start has done
    planned_s: float | None = None
    first_step_s: float = 0.0  # when the first of this start's steps was done: before, it warms up
    step_s: float = 0.0

    @property
    def waits(self) -> bool:
        """Whether a device is in use by someone else."""
        return self.words.startswith(WAITING)

    def left_s(self, now_s: float) -> float | None:
        """Return the seconds until its steps are done; None before there is a pace."""
        steps = self.done - self.first - 1
        if steps < 1:
            return None
        pace = (self.step_s - self.first_step_s) / steps
        return max(0.0, (self.total - self.done) * pace - (now_s - self.step_s))


@dataclass
class SweepProgress:
    """A running sweep.

    Attributes:
        start: The file's first line.
        current: The measurement that runs now.
        failed: Failed jobs, as the events that report them.
        stopped: Whether the user has stopped it.
        measured: Number of finished jobs that measure.
        others_done: Number of ended other jobs.
    """

    start: Start
    current: Current | None = None
    failed: list[Event] = field(default_factory=list)
    stopped: bool = False
    measured: int = 0
    others_done: int = 0
    _gone: set[str] = field(default_factory=set)
    _ended: list[_Ended] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Take in the next event."""
        current = self.current
        if current and current.waits and event.kind in ("plan", "say"):
            current.began_s = event.at_s  # the wait is no part of the measurement
        if event.kind == "stopped":
            self.stopped = True
        elif event.kind == "started":
            if due := self.start.measuring.get(event.job):
                self.current = Current(event.job, event.at_s, due.title)
        elif event.kind in ("finished", "failed"):
            self._end(event)
        elif current and event.kind == "plan":
            current.title, current.words = event.title, ""
            current.total, current.done, current.first = event.total, event.done, event.done
            current.planned_s = event.at_s
        elif current and event.kind == "step":
            if current.done == current.first:
                current.first_step_s = event.at_s
            current.done, current.step_s, current.words = current.done + 1, event.at_s, ""
        elif current and event.kind == "say":
            if current.title != event.title:  # the next of several measurements in one job
                current.title, current.total, current.done = event.title, 0, 0
            current.words = event.text

    def _end(self, event: Event) -> None:
        due = self.start.measuring.get(event.job)
        if event.kind == "failed" and not self.stopped:
            self.failed.append(event)
        if due is None:
            self.others_done += 1
            return
        self._gone.add(event.job)
        self.measured += event.kind == "finished"
        current = self.current
        if current and current.job == event.job:
            if current.planned_s is not None:  # else all of it was in the store
                seconds = event.at_s - current.began_s
                self._ended.append(_Ended(due.kind, seconds, due.seconds))
            self.current = None

    def left_s(self, now_s: float) -> float | None:
        """Return about how many seconds are left; None before anything can be estimated.

        The estimates are corrected by how long earlier jobs of the same kind have taken.
        """
        jobs = [self._cost(job, due, now_s) for job, due in self.start.measuring.items()]
        if None in jobs:
            return None
        others = max(0, self.start.others - self.others_done)
        return sum(filter(None, jobs)) + others * self._other_job_s(now_s)

    def _cost(self, job: str, due: Due, now_s: float) -> float | None:
        """Return how long a job will still take; None if that is not known yet."""
        if job in self._gone:
            return 0.0
        whole = self._whole_s(due, now_s)
        if self.current is None or self.current.job != job or self.current.waits:
            return whole
        left = self.current.left_s(now_s) if due.kind in ("cell", "canary") else None
        if left is not None or whole is None:
            return left
        return max(0.0, whole - (now_s - self.current.began_s))

    def _whole_s(self, due: Due, now_s: float) -> float | None:
        """Return how long a job of this kind takes from its begin to its end."""
        seen = [it for it in self._ended if it.kind == due.kind]
        if due.seconds is not None:
            # Before one of its kind has ended, all others show how fast the machine is.
            estimated = [it for it in seen or self._ended if it.estimate]
            expected = sum(filter(None, (it.estimate for it in estimated)))
            taken = sum(it.seconds for it in estimated)
            return due.seconds * (taken / expected if expected else 1.0)
        taken_s = [it.seconds for it in seen]
        current = self.current
        if not taken_s and current and self.start.measuring[current.job].kind == due.kind:
            left = current.left_s(now_s)
            taken_s = [] if left is None else [now_s - current.began_s + left]
        return fmean(taken_s) if taken_s else None

    def _other_job_s(self, now_s: float) -> float:
        """Return the seconds of a job that loads no model, as they were so far."""
        if self.others_done < _FEW:
            return OTHER_JOB_S
        measuring = sum(it.seconds for it in self._ended)
        if self.current:
            measuring += now_s - self.current.began_s
        return max(0.0, now_s - self.start.at_s - measuring) / self.others_done

    def share(self, now_s: float) -> float:
        """Return the share that is done: of the time, else of the measurements."""
        left_s = self.left_s(now_s)
        if left_s is None:
            return self.measured / max(1, len(self.start.measuring))
        spent_s = now_s - self.start.at_s
        return spent_s / max(1e-9, spent_s + left_s)

    def count(self, more: int = 0) -> str:
        """Return how many measurements are done, with `more` that end right now: `3 of 9`."""
        return f"{self.measured + more} of {len(self.start.measuring)}"

    def time_left(self, now_s: float) -> str:
        """Return the remaining time in words."""
        seconds = self.left_s(now_s)
        if seconds is None:
            return "time left: not known yet"
        most = "at most " if self.start.at_most else ""
        return f"{most}about {duration(seconds)} left"

    def place(self) -> str:
        """Return where the sweep is: `orket-nano Q4_K_M, 47 of 123`."""
        if self.current is None:
            return f"{self.count()} measurements, {self.others_done} of {self.start.others} results"
        steps = f", {self.current.done} of {self.current.total}" if self.current.total else ""
        return f"{self.current.title}{steps}"


def progress_of(path: Path) -> SweepProgress | None:
    """Return what a progress file says; None without one."""
    file = ProgressFile(path)
    events = list(file.new_events())
    if file.start is None:
        return None
    progress = SweepProgress(file.start)
    for event in events:
        if event.kind == "stopped":
            break
        progress.add(event)
    return progress


def follows_from_another(failed: Event) -> bool:
    """Tell whether a job failed only because another did before it."""
    return _CONSEQUENCE in failed.text


@dataclass(frozen=True)
class FailureText:
    """One failure.

    Attributes:
        title: What failed, in a few words.
        text: Why, and what to do.
    """

    title: str
    text: str


def failure_texts(failed: Sequence[Event], log: str) -> list[FailureText]:
    """Return each failure once: the causes first, then what was not measured because of them.

    Args:
        failed: The failed jobs.
        log: Where Snakemake's own log is, for failures without a message.
    """
    jobs: dict[str, list[Event]] = defaultdict(list)
    for event in failed:
        jobs[event.text.strip().removeprefix("error: ")].append(event)
    causes = [item for item in jobs.items() if _CONSEQUENCE not in item[0]]
    return [
        *(FailureText(_title(events), text or f"see {log}") for text, events in causes),
        *_not_measured({text: it for text, it in jobs.items() if _CONSEQUENCE in text}),
    ]


def _not_measured(jobs: dict[str, list[Event]]) -> Iterator[FailureText]:
    for text, events in jobs.items():
        _, _, why = text.partition(_CONSEQUENCE)
        number = f"{len(events)} measurements were" if len(events) > 1 else "1 measurement was"
        yield FailureText("", f"{number} not made, because {why.splitlines()[0]}")


def _title(events: list[Event]) -> str:
    rules = Counter(event.title.replace("_", " ") for event in events)
    named = (f"{rule} ({number} times)" if number > 1 else rule for rule, number in rules.items())
    return f"failed: {', '.join(named)}"
