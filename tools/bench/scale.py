"""What planning and views cost as sweeps get larger, and what a sweep costs besides asking."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from builders import metrics, no_canary, report, row, run
from large_sweeps import large_sweep, pretend_measured
from programs import ORKET, SNAKEMAKE, Cost, cost
from sweep_workspace import Workspace
from tables import Table, times

from orket_lib.analysis.rows.aggregates import task_scores
from orket_lib.analysis.rows.answer_failures import Limits
from orket_lib.artifacts.io import read_json, write_json, write_model
from orket_lib.artifacts.row_settings import RowPolicy, RowSettings
from orket_lib.artifacts.views.row import TaskScore
from orket_lib.config.loading.parse import parse
from orket_lib.vocabulary.quants import NOMINAL_BITS
from orket_lib.vocabulary.statuses import Lane, VramProfile

_SEVEN = ["F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K"]
_QUANTS = list(NOMINAL_BITS)[:10]
_TASKS = 20  # of each of the many rows
_FLIPS = 0.01  # share of the answers that a quant changes for each place below the baseline
_POLICY = RowPolicy(
    max_missing_telemetry_rate=0.0,
    max_orchestration_overhead_ratio=0.9,
    max_cpu_saturation_rate=0.0,
    max_system_load_rate=0.0,
)
_LIMIT_S, _LIMIT_MIB = 20.0, 2048.0
# As many jobs as a sweep of so many cells, with as many files each.
_PLAIN = """
rule all:
    input: expand("row/{{cell}}.json", cell=range({cells}))
rule spec:
    output: "spec/{{cell}}.json"
    log: "logs/spec/{{cell}}.log"
    shell: "true"
rule measure:
    input: "spec/{{cell}}.json"
    output: "receipt/{{cell}}.json"
    log: "logs/measure/{{cell}}.log"
    shell: "true"
rule report:
    input: receipt="receipt/{{cell}}.json", spec="spec/{{cell}}.json"
    output: "run/{{cell}}.json"
    log: "logs/report/{{cell}}.log"
    shell: "true"
rule row:
    input: "run/{{cell}}.json"
    output: "row/{{cell}}.json"
    log: "logs/row/{{cell}}.log"
    shell: "true"
"""


def fixed_cost() -> Table:
    """Return what a sweep costs that asks one task once, and a cell more."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        start = cost([*SNAKEMAKE, "--version"], Path(folder))
        for quants in (_SEVEN[:1], _SEVEN):
            place = Path(folder) / str(len(quants))
            place.mkdir()
            workspace = Workspace(place)
            workspace.config |= {"quants": quants, "task_limit": 1, "runs_per_quant": 1}
            workspace.config |= {"probe_runs": 1, "canary": {"runs": 0}}
            command = [*workspace.command(), "--cores", "1"]
            found[len(quants)] = cost(command, workspace.folder)
    one, seven = found[1], found[len(_SEVEN)]
    cell_cpu, cell_wall = (
        (after - before) / (len(_SEVEN) - 1)
        for before, after in ((one.cpu_s, seven.cpu_s), (one.wall_s, seven.wall_s))
    )
    rows = (
        _row("start of Snakemake", start, start),
        _row("a sweep of one cell, one task", one, start),
        _row("a sweep of seven cells", seven, start),
        (
            "each cell more",
            f"{cell_cpu:.1f} s",
            f"{cell_wall:.1f} s",
            "-",
            times(cell_cpu, start.cpu_s),
        ),
    )
    return Table("A sweep, besides its tasks", _head("CPU of a start"), rows)


def planning(sizes: Sequence[int]) -> Table:
    """Return what a dry run costs, due and measured, for some numbers of cells.

    Snakemake's own share is that of a workflow with as many jobs and none of our code.
    """
    found: dict[tuple[str, int], Cost] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            plain = Path(folder) / f"plain-{size}"
            plain.mkdir()
            (plain / "Snakefile").write_text(_PLAIN.format(cells=size), encoding="utf-8")
            quiet = [*SNAKEMAKE, "-n", "--quiet", "all", "--cores", "1"]
            found["Snakemake alone, as many jobs", size] = cost(quiet, plain)
            workspace = large_sweep(Path(folder) / str(size), size)
            command = [*SNAKEMAKE, "-n", "--quiet", "all", "--configfile", "large.yaml"]
            found["dry run", size] = cost(command, workspace.folder)
            pretend_measured(workspace)
            found["dry run, measured", size] = cost(command, workspace.folder)
            config = ["large.yaml"]
            found["orket status", size] = cost([*ORKET, "status", *config], workspace.folder)
    rows = tuple(
        _row(f"{name}, {size:,} cells", it, found[name, sizes[0]])
        for (name, size), it in sorted(found.items())
    )
    notes = (f"{sizes[-1] // sizes[0]} times the cells; more than that would grow faster.",)
    return Table("Planning", _head(f"CPU of {sizes[0]:,}"), rows, notes)


def views(runs: Sequence[int], rows: Sequence[int]) -> Table:
    """Return what one row of many runs costs, and a summary and report of many rows."""
    found: dict[str, tuple[Cost, Cost]] = {}
    with tempfile.TemporaryDirectory() as folder:
        costs = [_row_cost(Path(folder), count) for count in runs]
        for count, it in zip(runs, costs, strict=True):
            found[f"a row of {count:,} runs"] = it, costs[0]
        many = [_summary_costs(Path(folder) / str(count), count) for count in rows]
    for count, made in zip(rows, many, strict=True):
        for name, first in many[0].items():
            found[f"{name} of {count:,} rows"] = made[name], first
    drawn = tuple(_row(name, it, first) for name, (it, first) in found.items())
    note = (
        f"A row of {_TASKS} tasks each. The report is to take at most {_LIMIT_S:g} s and "
        f"{_LIMIT_MIB:g} MiB at 10,000 rows."
    )
    return Table("Views", _head("CPU of the smaller"), drawn, (note,))


def _head(of: str) -> tuple[str, ...]:
    return ("what", "CPU", "time", "peak memory", f"against the {of}")


def _row(name: str, it: Cost, of: Cost) -> tuple[str, ...]:
    return (
        name,
        f"{it.cpu_s:.1f} s",
        f"{it.wall_s:.1f} s",
        f"{it.peak_mib:.0f} MiB",
        times(it.cpu_s, of.cpu_s),
    )


def _row_cost(folder: Path, count: int) -> Cost:
    made = report(test_runs=tuple(run(index + 1) for index in range(count)))
    write_model(folder / "run.json", made)
    settings = RowSettings(
        policy=_POLICY,
        execution_lane=Lane.LAB,
        vram_profile=VramProfile.SAFE,
        provenance_ref="bench",
        quant_bits={},
    )
    write_model(folder / "settings.json", settings)
    command = [*ORKET, "row", "--report", "run.json", "--settings", "settings.json"]
    return cost([*command, "--out", "row.json"], folder)


def _summary_costs(folder: Path, count: int) -> Mapping[str, Cost]:
    folder.mkdir()
    models = [f"model-{number:04d}" for number in range(count // len(_QUANTS))]
    config = parse({"sweep": "s", "models": models, "quants": _QUANTS, "execution_lane": "lab"})
    write_json(folder / "matrix.json", config.model_dump(mode="json"))
    write_model(folder / "canary.json", no_canary())
    _write_rows(folder, models)
    command = [*ORKET, "summary", "--matrix", "matrix.json", "--canary", "canary.json"]
    summary = cost([*command, "--out", "s.json"], folder)
    outputs = ["--out-md", "r.md", "--out-html", "r.html", "--out-table", "r.csv"]
    outputs += ["--out-scatter", "r.json"]
    return {
        "summary": summary,
        "report": cost([*ORKET, "report", "--summary", "s.json", *outputs], folder),
    }


def _write_rows(folder: Path, models: Sequence[str]) -> None:
    """Write rows whose answers differ from model to model, and a little from quant to quant."""
    scores = task_scores([run(number + 1) for number in range(_TASKS)], _limits())
    kept = [read_json(_written(folder, place, scores)) for place in range(len(_QUANTS))]
    dice = random.Random(0)
    for model in models:
        easy = dice.uniform(0.5, 1.0)
        baseline = [dice.random() < easy for _ in scores]
        for place, (tag, content) in enumerate(zip(_QUANTS, kept, strict=True)):
            flips = [dice.random() < _FLIPS * place for _ in scores]
            right = [before != flipped for before, flipped in zip(baseline, flips, strict=True)]
            for score, passed in zip(content["task_scores"], right, strict=True):
                score |= {"passed": passed, "adherence_score": float(passed)}
            content["metrics"] |= {"model_id": model, "adherence_score": fmean(right)}
            write_json(folder / model / f"{tag}.json", content)


def _written(folder: Path, place: int, scores: tuple[TaskScore, ...]) -> Path:
    path = folder / "row.json"
    write_model(path, row(metrics(_QUANTS[place], 16.0 - place), scores))
    return path


def _limits() -> Limits:
    return Limits.of(report())
