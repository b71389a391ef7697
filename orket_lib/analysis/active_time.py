"""How long a sweep has measured, from the sessions of its run reports.

A session begins before the model is loaded, and every step knows its window in it. So the time is
that of loading and asking, also if a sweep was interrupted and resumed days later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from orket_lib.artifacts.measurements.parts import Part
from orket_lib.artifacts.measurements.spec import PROBE_OUTPUT_TOKENS
from orket_lib.artifacts.measurements.thermal_series import ThermalSettings
from orket_lib.artifacts.views.frontier import FrontierRow
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.vocabulary.clock import parse_time


@dataclass(frozen=True)
class Pace:
    """How long a quant takes.

    Attributes:
        session_s: Seconds of a session besides its graded runs and probes: loading, warm-up.
        run_s: Mean seconds of a graded run.
    """

    session_s: float
    run_s: float

    def seconds(self, runs: int) -> float:
        """Return how long one more session with so many graded runs would take."""
        return self.session_s + runs * self.run_s


def active_seconds(measured: Iterable[RunReport | Part], since: str | None = None) -> float:
    """Return for how many seconds models were loaded and asked.

    Args:
        measured: Reports or parts; a session that several of them share counts once.
        since: Sessions that began before this time don't count; None counts all.
    """
    start = parse_time(since) if since else None
    longest: dict[tuple[str, str], float] = defaultdict(float)
    for item in measured:
        for session in item.sessions:
            if start is None or parse_time(session.started_at) >= start:
                ends = [end for index, (_, end) in _windows(item) if index == session.index]
                name = (item.spec_digest, session.started_at)
                longest[name] = max([longest[name], *ends])
    return sum(longest.values())


def pace_of(reports: Sequence[RunReport]) -> Pace | None:
    """Return the pace of a quant; None if it was asked nothing yet.

    Args:
        reports: Of its batches so far.
    """
    runs = [run.window_s[1] - run.window_s[0] for report in reports for run in report.test_runs]
    sessions = len({it.started_at for report in reports for it in report.sessions})
    if not runs:
        return None
    steps = sum(end - begin for report in reports for _, (begin, end) in _windows(report))
    return Pace(max(0.0, active_seconds(reports) - steps) / sessions, fmean(runs))


def series_seconds(settings: ThermalSettings, row: FrontierRow | None) -> float:
    """Return about how long a thermal series takes, with the longest rests.

    Args:
        settings: Of the series.
        row: The figures of its quant; without a decode rate only the rests count.
    """
    rate = row.generation_tokens_per_second if row else None
    generation_s = PROBE_OUTPUT_TOKENS / rate if rate else 0.0
    return settings.repeats * (settings.rests.timeout_sec + settings.generations * generation_s)


def _windows(item: RunReport | Part) -> list[tuple[int, tuple[float, float]]]:
    """Return the session and the window in it of each step."""
    if isinstance(item, Part):
        probes = [it.probe for it in (*item.probes, *item.discarded_probes)]
        runs = [(it.session, it.window_s) for it in (*item.answers, *item.discarded_answers)]
    else:
        probes = [*item.probes, *item.discarded_probes]
        runs = [(it.session, it.window_s) for it in (*item.test_runs, *item.discarded_runs)]
    return [*((it.session, it.window_s) for it in probes), *runs]
