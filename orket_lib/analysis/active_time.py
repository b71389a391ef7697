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
from orket_lib.artifacts.views.run_report import Probe, RunReport
from orket_lib.vocabulary.clock import parse_time


@dataclass(frozen=True)
class Pace:
    """How long a quant takes.

    Attributes:
        session_s: Seconds of a session besides its graded runs and probes: loading, warm-up.
        run_s: Mean seconds of a graded run.
        probe_s: Mean seconds of a probe; 0 where none was measured.
        prompt_token_s: Seconds per token of a prompt, from the probes.
    """

    session_s: float
    run_s: float
    probe_s: float = 0.0
    prompt_token_s: float = 0.0

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


def pace_of(measured: Sequence[RunReport | Part]) -> Pace | None:
    """Return the pace of a quant; None if it was asked nothing yet.

    Args:
        measured: Reports of its batches so far, or its parts.
    """
    asked = [run for item in measured for run in _runs(item)]
    probes = [probe for item in measured for probe in _probes(item)]
    sessions = len({it.started_at for item in measured for it in item.sessions})
    if not asked:
        return None
    steps = sum(end - begin for item in measured for _, (begin, end) in _windows(item))
    prompt_s = [
        it.ttft_ms / 1000 / it.prompt_tokens for it in probes if it.ttft_ms and it.prompt_tokens
    ]
    return Pace(
        session_s=max(0.0, active_seconds(measured) - steps) / sessions,
        run_s=fmean(end - begin for _, (begin, end) in asked),
        probe_s=fmean(it.window_s[1] - it.window_s[0] for it in probes) if probes else 0.0,
        prompt_token_s=fmean(prompt_s) if prompt_s else 0.0,
    )


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
        discarded = [it.probe for it in item.discarded_probes]
        repeated = [(it.session, it.window_s) for it in item.discarded_answers]
    else:
        discarded = [*item.discarded_probes]
        repeated = [(it.session, it.window_s) for it in item.discarded_runs]
    probes = ((it.session, it.window_s) for it in (*_probes(item), *discarded))
    return [*probes, *_runs(item), *repeated]


def _probes(item: RunReport | Part) -> list[Probe]:
    return [it.probe for it in item.probes] if isinstance(item, Part) else [*item.probes]


def _runs(item: RunReport | Part) -> list[tuple[int, tuple[float, float]]]:
    """Return the session and the window of each graded run that counts."""
    runs = item.answers if isinstance(item, Part) else item.test_runs
    return [(it.session, it.window_s) for it in runs]
