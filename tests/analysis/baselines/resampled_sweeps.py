"""Sweeps resampled from real ones, with a regression planted in them or none.

Run as a program it prints how many of 50 sweeps are flagged, for hosts that drift little or much
from one sweep to the next, and for the machine that the real sweeps were measured on.

What is real: every latency of every run and every probe, with the task and the sweep that they
belong to. A quiet host's sweeps are put together from runs of clean sweeps, each sweep's own level
taken out and a drift of a known size put in; this machine's sweeps are real ones as a whole, with
the runs of each task drawn again, so that their drift is the one that was there.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy

sys.path.append(str(Path(__file__).resolve().parents[2]))

import builders

from orket_lib.analysis.baselines.records import baselines_of
from orket_lib.analysis.baselines.regression import CellNow, Judged, judge_sweep
from orket_lib.artifacts.baseline import Baseline
from orket_lib.artifacts.views.run_report import RunReport, TestRun
from orket_lib.vocabulary.statuses import Lane, Outcome

REAL = Path(__file__).resolve().parents[2] / "fixtures" / "regression" / "nano_sweeps.json"
QUANTS = ("Q8_0", "Q4_K_M")
SWEEPS = 50
BASELINES = 10  # what retention keeps
_START = datetime(2026, 1, 1, tzinfo=UTC)
_TIMES = ("ttft_ms", "prefill_seconds", "decode_seconds")

Probes = Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class Plant:
    """What is made worse in the sweep that is judged."""

    slowdown: float = 1.0
    lost: int = 0


@dataclass(frozen=True)
class Flagged:
    """How many of the sweeps had a finding."""

    speed: int = 0
    adherence: int = 0
    any: int = 0


@dataclass
class RealSweeps:
    """The real measurements of one quant."""

    quant: str
    sweeps: list[dict[str, Any]]
    clean: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.clean = [sweep for sweep in self.sweeps if sweep["clean"]]

    def quiet(self, random: numpy.random.Generator, drift: float) -> Sample:
        """Return a sweep of a quiet host that drifts by so much (relative, standard deviation)."""
        factor = math.exp(random.normal(0, drift))
        latency = {
            task: factor * _drawn(random, _levelled(self.clean, task)) for task in self._tasks()
        }
        pool = [probe for sweep in self.clean for probe in _levelled_probes(sweep)]
        probes = [pool[index] for index in random.integers(len(pool), size=5)]
        level = _probe_level(self.clean[0])
        return Sample(latency, [_slower(probe, factor * level) for probe in probes], self.clean[0])

    def real(self, random: numpy.random.Generator) -> Sample:
        """Return a real sweep, the runs of each task and the probes drawn again."""
        sweep = self.sweeps[random.integers(len(self.sweeps))]
        latency = {
            task: _drawn(random, numpy.array(values))
            for task, values in sweep["total_latency"].items()
        }
        probes = [sweep["probes"][index] for index in random.integers(5, size=5)]
        return Sample(latency, probes, sweep)

    def _tasks(self) -> Iterable[str]:
        by_task: dict[str, list[float]] = self.clean[0]["total_latency"]
        return by_task


@dataclass(frozen=True)
class Sample:
    """A resampled sweep of one quant."""

    latency: Mapping[str, Sequence[float]]
    probes: Probes
    source: Mapping[str, Any]


def real_sweeps() -> list[RealSweeps]:
    """Return the real sweeps of each quant."""
    sweeps = json.loads(REAL.read_text(encoding="utf-8"))["sweeps"]
    return [
        RealSweeps(quant, [sweep for sweep in sweeps if sweep["quant"] == quant])
        for quant in QUANTS
    ]


def flagged(plant: Plant, drift: float | None, sweeps: int = SWEEPS, seed: int = 1) -> Flagged:
    """Return how many resampled sweeps are found to have regressed.

    Args:
        plant: What is made worse.
        drift: Of a quiet host; None is the real machine's.
        sweeps: How many are judged, each with baselines of its own.
        seed: Of the drawing.
    """
    random = numpy.random.default_rng(seed)
    cells = real_sweeps()
    found = [_judge(cells, random, plant, drift) for _ in range(sweeps)]
    worse = [
        {
            item.metric
            for cell in judged.cells
            for item in cell.metrics
            if item.verdict == "REGRESSED"
        }
        for judged in found
    ]
    return Flagged(
        speed=sum(bool(names - {"adherence_score", "peak_memory_rss"}) for names in worse),
        adherence=sum("adherence_score" in names for names in worse),
        any=sum(judged.verdict == "FAIL" for judged in found),
    )


def _judge(
    cells: Sequence[RealSweeps], random: numpy.random.Generator, plant: Plant, drift: float | None
) -> Judged:
    histories: dict[str, list[Baseline]] = {}
    now = []
    for cell in cells:
        for index in range(BASELINES + 1):
            sample = cell.real(random) if drift is None else cell.quiet(random, drift)
            planted = plant if index == BASELINES else Plant()
            report = _report(cell.quant, index, sample, planted, random)
            records = baselines_of(report, dict.fromkeys(sample.latency, "revision"), clean=True)
            if index == BASELINES:
                now.append(CellNow("orket-nano", cell.quant, records))
            else:
                for test_id, record in records.items():
                    histories.setdefault(test_id, []).append(record)
    return judge_sweep(now, histories, Lane.LAB)


_RUN = builders.run()
_PROBE = builders.probe()


def _report(
    quant: str, index: int, sample: Sample, plant: Plant, random: numpy.random.Generator
) -> RunReport:
    """Return the run report of a sample."""
    names = list(sample.latency)
    lost = {names[place] for place in random.choice(len(names), plant.lost, replace=False)}
    runs = tuple(
        _run(test_id, run_index, plant.slowdown * float(seconds), sample, test_id in lost)
        for test_id, values in sample.latency.items()
        for run_index, seconds in enumerate(values)
    )
    probes = tuple(
        _PROBE.model_copy(update=dict(_slower(probe, plant.slowdown))) for probe in sample.probes
    )
    moment = (_START + timedelta(days=index)).isoformat()
    report = builders.report(spec=builders.spec(model_id="orket-nano", quant_tag=quant))
    return report.model_copy(update={"measured_at": moment, "test_runs": runs, "probes": probes})


def _run(test_id: str, run_index: int, seconds: float, sample: Sample, lost: bool) -> TestRun:
    telemetry = _RUN.telemetry.model_copy(
        update={
            "total_latency": seconds,
            "adherence_score": 0.0 if lost else 1.0,
            "peak_memory_rss": sample.source["peak_memory_rss"],
        }
    )
    outcome = Outcome.FAIL if lost else Outcome.PASS
    update = {
        "test_id": test_id,
        "run_index": run_index,
        "telemetry": telemetry,
        "outcome": outcome,
    }
    return _RUN.model_copy(update=update)


def _drawn(random: numpy.random.Generator, values: Any) -> Any:
    return random.choice(values, 3)


def _levelled(sweeps: Sequence[Mapping[str, Any]], task: str) -> Any:
    """Return a task's runs of all sweeps, as if all had the level of the first one."""
    first = _level(sweeps[0])
    return numpy.concatenate(
        [numpy.array(sweep["total_latency"][task]) * (first / _level(sweep)) for sweep in sweeps]
    )


def _level(sweep: Mapping[str, Any]) -> float:
    return math.exp(
        statistics.fmean(math.log(min(values)) for values in sweep["total_latency"].values())
    )


def _levelled_probes(sweep: Mapping[str, Any]) -> Iterator[Mapping[str, float]]:
    level = _probe_level(sweep)
    return (_slower(probe, 1 / level) for probe in sweep["probes"])


def _probe_level(sweep: Mapping[str, Any]) -> float:
    return math.exp(
        statistics.fmean(math.log(probe["decode_seconds"]) for probe in sweep["probes"])
    )


def _slower(probe: Mapping[str, float], factor: float) -> Mapping[str, float]:
    return {**probe, **{name: probe[name] * factor for name in _TIMES}}


def spread_of_real_sweeps() -> dict[str, float]:
    """Return by how much the level of real sweeps differs, by quant (relative, stdev)."""
    return {
        cell.quant: statistics.stdev(math.log(_level(sweep)) for sweep in cell.sweeps)
        for cell in real_sweeps()
    }


def main() -> None:
    """Print the table."""
    print(f"of {SWEEPS} sweeps, each against {BASELINES} baselines: flagged for speed, adherence")  # noqa: T201
    plants = {
        "unchanged": Plant(),
        "10 % slower, 2 tasks lost": Plant(1.1, 2),
        "twice as slow": Plant(2.0),
    }
    drifts: dict[str, float | None] = {
        "drift 1 %": 0.01,
        "drift 2 %": 0.02,
        "as measured here": None,
    }
    for host, drift in drifts.items():
        for name, plant in plants.items():
            found = flagged(plant, drift)
            print(f"{host:18} {name:27} {found.speed:3} {found.adherence:3}")  # noqa: T201
    print(f"real drift between sweeps: {spread_of_real_sweeps()}")  # noqa: T201


if __name__ == "__main__":
    main()
