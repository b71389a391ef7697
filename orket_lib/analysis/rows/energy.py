"""What a token and a correct answer cost in energy, and how far that can be believed.

Energies of exact windows are added up before anything is divided, and one window without a number
makes the sum have none. Each edge between work and rest loses a little of the work's energy, always
to the same side, so many short windows with idle time between them make no number at all. Windows
that follow one another closely lose nothing that counts: what leaves one is in the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from orket_lib.artifacts.measurements.gpu import EnergyMethod, GpuWindow
from orket_lib.artifacts.views.row import RowEnergy
from orket_lib.artifacts.views.run_report import Probe, RunReport, TestRun
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Outcome
from orket_lib.vocabulary.thresholds import ENERGY_EDGE_S, ENERGY_LOST_RATIO, exceeds

_NOT_WATCHED = Null("GPU_NOT_WATCHED")

Value = float | Null
Windows = Sequence[GpuWindow] | Null


def row_energy(report: RunReport) -> RowEnergy:
    """Return what a cell's tokens and correct answers cost."""
    probes, runs = report.probes, report.test_runs
    tokens = _sum([probe.reading("output_tokens") for probe in probes])
    right = float(sum(run.outcome is Outcome.PASS for run in runs))
    answers: Value = right or Null("NO_CORRECT_ANSWER")
    of_probes = _windows([probe.gpu for probe in probes], report)
    of_runs = _windows([run.telemetry.gpu for run in runs], report)
    lost_of_probes, lost_of_runs = _lost_ratio(probes, of_probes), _lost_ratio(runs, of_runs)
    return RowEnergy.of(
        joules_per_output_token=_ratio(_total(of_probes, lost_of_probes), tokens),
        joules_per_output_token_above_idle=_ratio(_above_idle(of_probes, lost_of_probes), tokens),
        joules_per_correct_answer=_ratio(_total(of_runs, lost_of_runs), answers),
        joules_per_correct_answer_above_idle=_ratio(_above_idle(of_runs, lost_of_runs), answers),
        method=_method(of_probes, of_runs),
    )


def _windows(seen: Sequence[GpuWindow | None], report: RunReport) -> Windows:
    """Return the GPU windows of runs or probes, or why there are none."""
    found = [window for window in seen if window is not None]
    if len(found) == len(seen) and found:
        return found
    told = {run.telemetry.null_reasons.get("peak_vram_mib") for run in report.test_runs} - {None}
    return Null(str(told.pop())) if len(told) == 1 else _NOT_WATCHED


def _total(windows: Windows, lost: float) -> Value:
    if isinstance(windows, Null):
        return windows
    total = _sum([item.reading("energy_joules") for item in windows])
    if isinstance(total, Null) or not exceeds(lost, ENERGY_LOST_RATIO):
        return total
    return Null("WINDOW_TOO_SHORT")


def _above_idle(windows: Windows, lost: float) -> Value:
    total = _total(windows, lost)
    if isinstance(total, Null) or isinstance(windows, Null):
        return total
    idle = _sum([item.reading("idle_joules") for item in windows])
    if isinstance(idle, Null):
        return idle
    return total - idle if total > idle else Null("NOT_ABOVE_IDLE")


def _lost_ratio(items: Sequence[Probe] | Sequence[TestRun], windows: Windows) -> float:
    """Return which share of the energy of windows may have gone to the idle time around them.

    An edge loses `ENERGY_EDGE_S` in the mean, and no more than half of the gap behind it holds.
    """
    by_session: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for item in items:
        by_session[item.session].append(item.window_s)
    edge_s = ENERGY_EDGE_S[_method(windows) or "power"]
    lost_s = busy_s = 0.0
    for times in by_session.values():
        times.sort()
        gaps = (max(0.0, after[0] - before[1]) for before, after in pairwise(times))
        lost_s += 2 * edge_s + sum(min(2 * edge_s, gap) for gap in gaps)
        busy_s += sum(end - start for start, end in times)
    return lost_s / busy_s if busy_s else 1.0


def _sum(values: Sequence[Value]) -> Value:
    unread = next((value for value in values if isinstance(value, Null)), None)
    if unread or not values:
        return unread or Null("NO_PROBE")
    return sum(value for value in values if not isinstance(value, Null))


def _ratio(joules: Value, count: Value) -> Value:
    if isinstance(joules, Null):
        return joules
    return count if isinstance(count, Null) else joules / count


def _method(*groups: Windows) -> EnergyMethod | None:
    """Return how all of it was measured; None when nothing was."""
    methods = {
        item.energy_method
        for windows in groups
        if not isinstance(windows, Null)
        for item in windows
        if item.energy_method
    }
    if not methods:
        return None
    return methods.pop() if len(methods) == 1 else "mixed"
