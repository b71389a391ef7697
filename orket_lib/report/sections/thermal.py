"""The report's section on thermal series."""

from __future__ import annotations

from dataclasses import dataclass

from orket_lib.artifacts.views.thermal_profile import RunSpeed, ThermalPoint, ThermalProfile
from orket_lib.report.formatting import DASH, figure, shown

_ANSWERS = {True: "yes", False: "no", None: DASH}


@dataclass(frozen=True)
class ThermalSection:
    """The thermal series of one model.

    Attributes:
        name: Model and quant.
        sentence: The recommendation.
        rows: Cells of the table, one row for each run.
        notes: Throttling, disturbances, and missing temperatures.
    """

    name: str
    sentence: str
    rows: list[list[str]]
    notes: list[str]


def thermal_section(profile: ThermalProfile) -> ThermalSection:
    """Return the section of a profile."""
    speeds = {run.run_index: run for run in profile.speed.runs} if profile.speed else {}
    return ThermalSection(
        name=f"{profile.model_id} {profile.quant_tag}",
        sentence=profile.recommendation,
        rows=[_cells(point, speeds.get(point.run_index)) for point in profile.points],
        notes=[
            *(f"run {it.run_index}: {it.reason.value}: {it.evidence}" for it in profile.throttling),
            *(f"run {it.run_index}: {it.detail}" for it in profile.points if it.detail),
            *_missing(profile),
        ],
    )


def _cells(point: ThermalPoint, speed: RunSpeed | None) -> list[str]:
    return [
        str(point.run_index),
        shown(point.reading("total_latency"), figure),
        DASH if speed is None else shown(speed.reading("decode_tps"), figure),
        _ANSWERS[point.cooldown_ok],
        shown(point.reading("thermal_start_c"), figure),
        shown(point.reading("thermal_end_c"), figure),
        _ANSWERS[point.polluted],
        DASH if speed is None else _ANSWERS[speed.counted],
        ", ".join(point.reasons) or DASH,
    ]


def _missing(profile: ThermalProfile) -> list[str]:
    """Return why readings are missing, each reason once with its runs."""
    found: dict[tuple[str, str], list[str]] = {}
    for point in profile.points:
        for name, why in point.null_reasons.items():
            found.setdefault((name, why), []).append(str(point.run_index))
    return [
        f"no {name}: {why} (run {', '.join(runs)})"
        for (name, why), runs in sorted(found.items())
        if name != "thermal_delta_c"
    ]
