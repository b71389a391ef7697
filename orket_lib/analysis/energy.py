"""What a token and a correct answer cost in energy, and how far that can be believed.

Energies of exact windows are added up before anything is divided; one window without a number makes
the sum have none, and windows too short for the device's counter make no number at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from orket_lib.artifacts.gpu import GpuWindow
from orket_lib.artifacts.row import RowEnergy
from orket_lib.artifacts.run_report import Probe, RunReport, TestRun
from orket_lib.vocabulary.compare import reaches
from orket_lib.vocabulary.energy import EnergyMethod
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import Outcome
from orket_lib.vocabulary.thresholds import ENERGY_LEAST_S

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
    asked_s = _seconds(runs)
    probed_s = _seconds(probes)
    return RowEnergy.of(
        joules_per_output_token=_ratio(_total(of_probes, probed_s), tokens),
        joules_per_output_token_above_idle=_ratio(_above_idle(of_probes, probed_s), tokens),
        joules_per_correct_answer=_ratio(_total(of_runs, asked_s), answers),
        joules_per_correct_answer_above_idle=_ratio(_above_idle(of_runs, asked_s), answers),
        method=_method(of_probes, of_runs),
    )


def _windows(seen: Sequence[GpuWindow | None], report: RunReport) -> Windows:
    """Return the GPU windows of runs or probes, or why there are none."""
    found = [window for window in seen if window is not None]
    if len(found) == len(seen) and found:
        return found
    told = {run.telemetry.null_reasons.get("peak_vram_mib") for run in report.test_runs} - {None}
    return Null(str(told.pop())) if len(told) == 1 else _NOT_WATCHED


def _total(windows: Windows, seconds: float) -> Value:
    if isinstance(windows, Null):
        return windows
    total = _sum([item.reading("energy_joules") for item in windows])
    if isinstance(total, Null) or reaches(seconds, ENERGY_LEAST_S):
        return total
    return Null("WINDOW_TOO_SHORT")


def _above_idle(windows: Windows, seconds: float) -> Value:
    total = _total(windows, seconds)
    if isinstance(total, Null) or isinstance(windows, Null):
        return total
    idle = _sum([item.reading("idle_joules") for item in windows])
    if isinstance(idle, Null):
        return idle
    return total - idle if total > idle else Null("NOT_ABOVE_IDLE")


def _seconds(items: Sequence[Probe] | Sequence[TestRun]) -> float:
    return sum(item.window_s[1] - item.window_s[0] for item in items)


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
