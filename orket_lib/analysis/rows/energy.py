"""Energy per output token and per correct answer.

The energies of all windows are added up before anything is divided; if one window has no number,
the sum has none. Each edge between work and rest loses a little of the work's energy, always in the
same direction, so many short windows with idle time between them give no number. Windows that
follow one another closely lose nothing that matters: the energy missing in one is in the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from orket_lib.analysis.rows.aggregates import graded
from orket_lib.artifacts.measurements.gpu import EnergyMethod, GpuWindow
from orket_lib.artifacts.views.row import RowEnergy
from orket_lib.artifacts.views.run_report import Probe, RunReport, TestRun
from orket_lib.vocabulary.nulls import Null, all_of, apply, known
from orket_lib.vocabulary.statuses import Outcome
from orket_lib.vocabulary.thresholds import ENERGY_EDGE_S, ENERGY_LOST_RATIO, exceeds

_NOT_WATCHED = Null("GPU_NOT_WATCHED")
_NO_PROBE = Null("NO_PROBE")

Value = float | Null
Windows = Sequence[GpuWindow] | Null


def row_energy(report: RunReport) -> RowEnergy:
    """Return the energy per token and per correct answer of a cell."""
    probes, runs = report.probes, graded(report.test_runs)
    tokens = all_of([probe.reading("output_tokens") for probe in probes], sum, _NO_PROBE)
    right = float(sum(run.outcome is Outcome.PASS for run in runs))
    answers: Value = right or Null("NO_CORRECT_ANSWER" if runs else "NO_EXPECTED_ANSWER")
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
    whys = {run.telemetry.null_reasons.get("peak_vram_mib") for run in report.test_runs} - {None}
    return Null(str(whys.pop())) if len(whys) == 1 else _NOT_WATCHED


def _total(windows: Windows, lost: float) -> Value:
    if isinstance(windows, Null):
        return windows
    total = all_of([item.reading("energy_joules") for item in windows], sum, _NO_PROBE)
    if isinstance(total, Null) or not exceeds(lost, ENERGY_LOST_RATIO):
        return total
    return Null("WINDOW_TOO_SHORT")


def _above_idle(windows: Windows, lost: float) -> Value:
    if isinstance(windows, Null):
        return windows
    idle = all_of([item.reading("idle_joules") for item in windows], sum, _NO_PROBE)
    return apply(
        lambda whole, rest: whole - rest if whole > rest else Null("NOT_ABOVE_IDLE"),
        _total(windows, lost),
        idle,
    )


def _lost_ratio(items: Sequence[Probe] | Sequence[TestRun], windows: Windows) -> float:
    """Return the share of the windows' energy that may have gone to the idle time around them.

    An edge loses `ENERGY_EDGE_S` on average, and never more than half of the gap next to it.
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


def _ratio(joules: Value, count: Value) -> Value:
    return apply(lambda number, energy: energy / number, count, joules)


def _method(*groups: Windows) -> EnergyMethod | None:
    """Return how the energy was measured; None if it was not."""
    methods = {
        item.energy_method for windows in known(groups) for item in windows if item.energy_method
    }
    return "mixed" if len(methods) > 1 else next(iter(methods), None)
