"""Whether the bank `general` tells the quants of a real model apart, by family and level.

    python tools/quant_ladder.py MODEL.gguf... [--quants F16,Q2_K] [--levels 1] [--tasks 96]

Makes the quants from each file and measures them in one sweep; the same command resumes it. The
file may be quantized already: its F16 holds the same weights, and is the reference by construction.
Exits with 1 if the bank does not discriminate: if no model masters enough of level 1 and loses much
of that with its last quant, or if some model answers much of level 3 in too many families.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from orket_lib.analysis.verdict.judged_tasks import MASTERED
from orket_lib.artifacts.io import read_model, write_json
from orket_lib.artifacts.views.run_report import RunReport, TestRun
from orket_lib.artifacts.views.summary import Summary
from orket_lib.vocabulary.slugs import slugs
from orket_lib.vocabulary.statuses import QuantVerdict

QUANTS = "F16,Q8_0,Q6_K,Q5_K_M,Q4_K_M,Q3_K_M,Q2_K"
FAMILIES_MASTERED, TASKS_MASTERED, LEAST_LOSS = 6, 60, 0.1
FAMILIES_WITH_ROOM, ROOM = 12, 0.2
Ladder = Mapping[str, Sequence[TestRun]]  # the graded runs of each quant, most bits first
Kind = tuple[str, int]  # family and level


def main() -> int:
    """Sweep, and print the table of each model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=Path, help="GGUF files in one folder")
    parser.add_argument("--quants", default=QUANTS, help="most bits first; default: %(default)s")
    parser.add_argument("--levels", default="1,2,3", help="default: %(default)s")
    parser.add_argument("--tasks", type=int, default=0, help="the first so many; default: all")
    parser.add_argument("--least-mastered", type=int, default=TASKS_MASTERED, metavar="TASKS")
    parser.add_argument("--quantize-binary", default="llama-quantize", metavar="PROGRAM")
    options = parser.parse_args()
    config = options.models[0].parent / "ladder.json"
    write_json(config, settings(options))
    sweep = [sys.executable, "-m", "snakemake", "report", "--configfile", str(config)]
    if subprocess.run(sweep, check=False).returncode:
        return 1
    results = Path("results", config.stem)
    folders = slugs(path.stem for path in options.models)
    ladders: dict[str, Ladder] = {}
    lost = set()
    for session in read_model(results / "quant_sweep/sweep_summary.json", Summary).sessions:
        model = session.model_id
        cells = results / "cells" / folders[model]
        ladders[model] = {
            one.quant_tag: first_runs(read_model(cells / one.quant_tag / "run.json", RunReport))
            for one in session.verdicts
        }
        print(f"\n{model}\n", *table(ladders[model]), "", sep="\n")
        for one in session.verdicts:
            print(f"{one.quant_tag}: {one.verdict}, P = {one.probability}, tasks: {one.tasks}")
        if session.verdicts[-1].verdict is QuantVerdict.LOST:
            lost.add(model)
    weak = list(weaknesses(ladders, lost, options.least_mastered))
    print(*weak, sep="\n")
    return 1 if weak else 0


def first_runs(report: RunReport) -> list[TestRun]:
    """Return one run of each task: the baseline repeats some, for its noise floor."""
    return [run for run in report.test_runs if run.run_index == 0]


def settings(options: argparse.Namespace) -> dict[str, object]:
    """Return the config of the sweep. Its speeds are no evidence, so no canary waits for calm."""
    folder = options.models[0].resolve().parent.as_posix()
    return {
        "models": [path.stem for path in options.models],
        "quants": options.quants.split(","),
        "artifact_template": f"{folder}/{{model}}-{{quant}}.gguf",
        "quantize_base": f"{folder}/{{model}}.gguf",
        "quantize_allow_requantize": True,
        "quantize_binary": options.quantize_binary,
        "task_bank": "general",
        "task_tiers": [int(level) for level in options.levels.split(",")],
        "task_limit": options.tasks,
        "runs_per_quant": 1,
        "probe_runs": 1,
        "n_ctx": 2048,
        "max_output_tokens": 96,
        "task_timeout_sec": 600,
        "seed": 7,
        "execution_lane": "ci",
        "canary_runs": 0,
        "include_invalid": True,
    }


def table(ladder: Ladder) -> Iterator[str]:
    """Yield a Markdown table: percent right, tasks lost and won against the first quant, s."""
    first, *others = ladder
    yield f"| family | level | tasks | {first} | {' | '.join(others)} | s |"
    yield f"|---|{'--:|' * (len(ladder) + 3)}"
    levels = sorted({level for _, level in kinds(ladder)})
    parts = [(*kind, of_kind(ladder, *kind)) for kind in kinds(ladder)]
    parts += [("all", level, of_kind(ladder, None, level)) for level in levels]
    for family, level, part in parts:
        runs = [run for quant in part.values() for run in quant]
        seconds = statistics.fmean(run.telemetry.total_latency or 0.0 for run in runs)
        cells = [f"{100 * mean(part[first]):.0f}"]
        cells += [_against(part[first], part[quant]) for quant in others]
        shown = " | ".join(cells)
        yield f"| {family} | {level} | {len(part[first])} | {shown} | {seconds:.1f} |"


def kinds(ladder: Ladder) -> list[Kind]:
    """Return the families and levels that were asked."""
    return sorted({(run.family, run.tier) for runs in ladder.values() for run in runs})


def of_kind(ladder: Ladder, family: str | None, level: int) -> Ladder:
    """Return the runs of a level, and of one family if it is given."""
    return {
        quant: [run for run in runs if run.tier == level and family in (None, run.family)]
        for quant, runs in ladder.items()
    }


def mean(runs: Sequence[TestRun]) -> float:
    """Return the mean score."""
    return statistics.fmean(map(_score, runs))


def weaknesses(ladders: Mapping[str, Ladder], lost: set[str], least_tasks: int) -> Iterator[str]:
    """Yield how the bank fails to discriminate, as far as the levels that were asked can show it.

    Args:
        ladders: By model.
        lost: Models whose last quant is LOST.
        least_tasks: Number that some model has to master in level 1.
    """
    asked = {kind for ladder in ladders.values() for kind in kinds(ladder)}
    if any(level == 1 for _, level in asked) and not any(
        _falls(ladder, model in lost, least_tasks) for model, ladder in ladders.items()
    ):
        yield (
            f"level 1: no model masters {FAMILIES_MASTERED} families with {least_tasks} tasks and "
            f"loses {LEAST_LOSS:.0%} of them with its last quant"
        )
    hard = [family for family, level in asked if level == 3]
    full = [
        family
        for family in hard
        if any(
            mean(next(iter(of_kind(ladder, family, 3).values()))) > ROOM
            for ladder in ladders.values()
        )
    ]
    if hard and len(hard) - len(full) < FAMILIES_WITH_ROOM:
        yield f"level 3: more than {ROOM:.0%} right in {', '.join(sorted(full))}"


def _falls(ladder: Ladder, is_lost: bool, least_tasks: int) -> bool:
    """Return whether the first quant masters enough of level 1, and the last one loses it."""
    first, *_, last = ladder
    parts = [of_kind(ladder, *kind) for kind in kinds(ladder) if kind[1] == 1]
    mastered = [part for part in parts if mean(part[first]) >= MASTERED]
    before, after = ([run for part in mastered for run in part[tag]] for tag in (first, last))
    if len(mastered) < FAMILIES_MASTERED or len(before) < least_tasks:
        return False
    return is_lost or mean(before) - mean(after) >= LEAST_LOSS


def _against(first: Sequence[TestRun], runs: Sequence[TestRun]) -> str:
    """Return percent right, with the tasks lost and won against the first quant."""
    before = {run.test_id: _score(run) for run in first}
    changes = [_score(run) - before[run.test_id] for run in runs]
    lost, won = sum(one < 0 for one in changes), sum(one > 0 for one in changes)
    return f"{100 * mean(runs):.0f} (-{lost} +{won})"


def _score(run: TestRun) -> float:
    return run.telemetry.adherence_score or 0.0


if __name__ == "__main__":
    sys.exit(main())
