"""Several rounds of one cell, combined into one report.

Heat and other drift during a sweep would favour the quants that are measured first. Rounds return
to each quant in turn, so a drift shows as a difference between rounds and not between quants (T14).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from orket_lib.analysis.rows import aggregates
from orket_lib.analysis.rows.batches import asked_batches
from orket_lib.artifacts.measurements.gpu import GpuSummary
from orket_lib.artifacts.measurements.host import HostSummary
from orket_lib.artifacts.measurements.parts import platforms
from orket_lib.artifacts.views.row import RowRound
from orket_lib.artifacts.views.run_report import Observation, RunReport
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.nulls import Null, any_of
from orket_lib.vocabulary.statuses import RunStatus


def as_one(reports: Sequence[RunReport], mixture: Sequence[Observation] = ()) -> RunReport:
    """Return the report of all rounds or batches: their loads, probes and runs in order.

    If one of them was not measured, neither is the whole, for the same reason.

    Args:
        reports: Reports of one spec, in the order of the rounds or batches; at least one.
        mixture: How their loads differ from each other.

    Raises:
        ArtifactError: The reports are not of one spec.
    """
    reports = asked_batches(reports)
    if len({report.spec_digest for report in reports}) != 1:
        raise ArtifactError("rounds of different measurements can't be combined")
    if len(reports) == 1:
        return reports[0]
    loads = _offsets([len(report.sessions) for report in reports])
    probed = _offsets([len(report.probes) for report in reports])
    # Rounds ask the same tasks again; batches ask others.
    again = 0 if reports[0].batch else reports[0].spec.runs_per_task
    asked = [number * again for number in range(len(reports))]
    status, reason = _status(reports)
    return reports[0].model_copy(
        update={
            "status": status,
            "status_reason": reason,
            "finished_at": reports[-1].finished_at,
            "platform": platforms([report.platform for report in reports]),
            "parts": tuple(part for report in reports for part in report.parts),
            "retry": any(report.retry for report in reports),
            "sessions": _joined(reports, "sessions", index=loads),
            "gpus": _joined(reports, "gpus", session=loads),
            "gpus_absent": {
                vendor: why for report in reports for vendor, why in report.gpus_absent.items()
            },
            "hosts": tuple(host for report in reports for host in report.hosts),
            **{
                name: _joined(reports, name, index=probed, session=loads)
                for name in ("probes", "discarded_probes")
            },
            **{
                name: _joined(reports, name, run_index=asked, session=loads)
                for name in ("test_runs", "discarded_runs")
            },
            "not_asked": tuple(
                dict.fromkeys(item for report in reports for item in report.not_asked)
            ),
            "observations": tuple(
                dict.fromkeys(
                    [*(seen for report in reports for seen in report.observations), *mixture]
                )
            ),
        }
    )


def _joined(reports: Sequence[RunReport], name: str, **offsets: Sequence[int]) -> tuple[Any, ...]:
    """Return the items of all reports, with the numbers in their fields shifted by report."""
    return tuple(
        item.model_copy(
            update={field: getattr(item, field) + by[number] for field, by in offsets.items()}
        )
        for number, report in enumerate(reports)
        for item in getattr(report, name)
    )


def round_figures(reports: Sequence[RunReport], paths: Sequence[str]) -> tuple[RowRound, ...]:
    """Return the figures of each round.

    Args:
        reports: In the order of the rounds.
        paths: Their paths.
    """
    return tuple(
        _figures(number, report, path)
        for number, (report, path) in enumerate(zip(reports, paths, strict=True), start=1)
    )


def _figures(number: int, report: RunReport, path: str) -> RowRound:
    common = {"round": number, "report_path": path, "measured_at": report.measured_at}
    if report.status is not RunStatus.MEASURED:
        nothing = Null(f"STATUS_{report.status.upper()}")
        return RowRound.of(
            **common, temperature_of="cpu", **dict.fromkeys(RowRound.readings(), nothing)
        )
    used = [gpu for gpu in report.gpus if gpu.used]
    of_first_load = [gpu for gpu in used if gpu.session == used[0].session]
    loads: Sequence[HostSummary | GpuSummary] = used or report.hosts
    first: Sequence[HostSummary | GpuSummary] = of_first_load or report.hosts[:1]
    return RowRound.of(
        **common,
        generation_tokens_per_second=aggregates.probe_rates(report.probes)[
            "generation_tokens_per_second"
        ],
        total_latency=aggregates.mean_over_answered(report.test_runs, "total_latency"),
        temperature_start_c=hottest(first, "temperature_start_c"),
        temperature_max_c=hottest(loads, "temperature_max_c"),
        temperature_of="gpu" if used else "cpu",
    )


def hottest(devices: Sequence[HostSummary | GpuSummary], reading: str) -> float | Null:
    """Return the highest temperature of the devices that have one."""
    return any_of([item.reading(reading) for item in devices], max, Null("NO_SENSOR"))


def _status(reports: Sequence[RunReport]) -> tuple[RunStatus, str | None]:
    for number, report in enumerate(reports, start=1):
        if report.status is not RunStatus.MEASURED:
            kind = "batch" if report.batch else "round"
            return report.status, f"{kind} {number}: {report.status_reason}"
    return RunStatus.MEASURED, None


def _offsets(lengths: Sequence[int]) -> list[int]:
    """Return how many items come before each part."""
    return [0, *accumulate(lengths)][:-1]
