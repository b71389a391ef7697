"""Whether the bank `general` tells the quants of a real model apart, by family and level.

    python tools/quant_ladder.py MODEL.gguf... [--quants F16,Q2_K] [--levels 1] [--tasks 96]

Makes the quants from each file and asks them all tasks of level 1, and the first quant those of
the higher levels; the same command resumes it. The file may be quantized already: its F16 holds the
same weights, and is the reference by construction. Exits with 1 if the bank does not discriminate:
if no model masters enough of level 1 and loses much of that with its last quant, if all models fail
or pass a family of level 1 entirely, or if some model answers much of level 3 in too many families.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orket_lib.analysis.verdict.judged_tasks import MASTERED
from orket_lib.artifacts.io import read_model, write_json
from orket_lib.artifacts.views.run_report import RunReport, TestRun
from orket_lib.artifacts.views.summary import Summary
from orket_lib.vocabulary.slugs import slugs
from orket_lib.vocabulary.statuses import QuantVerdict

QUANTS = "F16,Q4_K_M,Q2_K"
FAMILIES_MASTERED, TASKS_MASTERED, LEAST_LOSS = 6, 60, 0.1
FAMILIES_WITH_ROOM, ROOM = 12, 0.2
Ladder = Mapping[str, Sequence[TestRun]]  # the graded runs of each quant, most bits first
Kind = tuple[str, int]  # family and level


def main() -> int:
    """Sweep, and print the tables of each model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=Path, help="GGUF files in one folder")
    parser.add_argument(
        "--quants", default=QUANTS, help="of level 1, most bits first; default: %(default)s"
    )
    parser.add_argument(
        "--levels",
        default="1,2,3",
        help="all above 1 ask the first quant only; default: %(default)s",
    )
    parser.add_argument("--tasks", type=int, default=0, help="the first so many; default: all")
    parser.add_argument("--least-mastered", type=int, default=TASKS_MASTERED, metavar="TASKS")
    parser.add_argument("--quantize-binary", default="llama-quantize", metavar="PROGRAM")
    options = parser.parse_args()
    quants, levels = options.quants.split(","), sorted(map(int, options.levels.split(",")))
    weak: list[str] = []
    if 1 in levels:
        sessions = sweep(options, "ladder", quants, [1])
        if sessions is None:
            return 1
        weak += first_level_weaknesses(sessions, options.least_mastered)
    if above := [level for level in levels if level > 1]:
        sessions = sweep(options, "ladder-above", quants[:1], above)
        if sessions is None:
            return 1
        weak += third_level_weaknesses([session.ladder for session in sessions])
    print(*weak, sep="\n")
    return 1 if weak else 0


@dataclass(frozen=True)
class Asked:
    """What became of a model.

    Attributes:
        ladder: Its graded runs.
        is_lost: Whether its last quant is LOST.
    """

    ladder: Ladder
    is_lost: bool


def sweep(
    options: argparse.Namespace, name: str, quants: Sequence[str], levels: Sequence[int]
) -> list[Asked] | None:
    """Measure all models, and print a table of each; None if the sweep failed."""
    config = options.models[0].parent / f"{name}.json"
    write_json(config, settings(options, quants, levels))
    command = [sys.executable, "-m", "snakemake", "report", "--configfile", str(config)]
    if subprocess.run(command, check=False).returncode:
        return None
    results, found = Path("results", name), []
    folders = slugs(path.stem for path in options.models)
    for session in read_model(results / "quant_sweep/sweep_summary.json", Summary).sessions:
        cells = results / "cells" / folders[session.model_id]
        ladder = {
            one.quant_tag: first_runs(read_model(cells / one.quant_tag / "run.json", RunReport))
            for one in session.verdicts
        }
        print(f"\n{session.model_id}\n", *table(ladder), "", sep="\n")
        for one in session.verdicts[1:]:
            print(f"{one.quant_tag}: {one.verdict}, P = {one.probability}, tasks: {one.tasks}")
        lost = session.verdicts[-1].verdict is QuantVerdict.LOST
        found.append(Asked(ladder, lost))
    return found


def first_runs(report: RunReport) -> list[TestRun]:
    """Return one run of each task: the baseline repeats some, for its noise floor."""
    return [run for run in report.test_runs if run.run_index == 0]


def settings(
    options: argparse.Namespace, quants: Sequence[str], levels: Sequence[int]
) -> dict[str, object]:
    """Return the config of the sweep. Its speeds are no evidence, so no canary waits for calm."""
    folder = options.models[0].resolve().parent.as_posix()
    return {
        "models": [path.stem for path in options.models],
        "quants": list(quants),
        "artifact_template": f"{folder}/{{model}}-{{quant}}.gguf",
        "quantize_base": f"{folder}/{{model}}.gguf",
        "quantize_allow_requantize": True,
        "quantize_binary": options.quantize_binary,
        "task_bank": "general",
        "task_tiers": list(levels),
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
    yield f"| {' | '.join(('family', 'level', 'tasks', *ladder, 's'))} |"
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


def first_level_weaknesses(models: Sequence[Asked], least_tasks: int) -> Iterator[str]:
    """Yield how level 1 fails to tell quants apart.

    Args:
        models: What became of each.
        least_tasks: Number that some model has to master.
    """
    quants = len(models[0].ladder)
    if quants > 1 and not any(_falls(it.ladder, it.is_lost, least_tasks) for it in models):
        yield (
            f"level 1: no model masters {FAMILIES_MASTERED} families with {least_tasks} tasks and "
            f"loses {LEAST_LOSS:.0%} of them with its last quant"
        )
    for share, said in ((0.0, "no task"), (1.0, "every task")):
        alike = [
            family
            for family, _ in kinds(models[0].ladder)
            if len(models) > 1
            and all(_first_mean(of_kind(it.ladder, family, 1)) == share for it in models)
        ]
        if alike:
            yield f"level 1: all models answer {said} of {', '.join(alike)}"


def third_level_weaknesses(ladders: Sequence[Ladder]) -> Iterator[str]:
    """Yield how level 3 leaves too little room for larger models, if it was asked."""
    hard = [family for family, level in kinds(ladders[0]) if level == 3]
    full = [
        family
        for family in hard
        if any(_first_mean(of_kind(ladder, family, 3)) > ROOM for ladder in ladders)
    ]
    if hard and len(hard) - len(full) < FAMILIES_WITH_ROOM:
        yield f"level 3: more than {ROOM:.0%} right in {', '.join(full)}"


def _first_mean(ladder: Ladder) -> float:
    """Return the mean score of the first quant; NaN if a model was not asked."""
    runs = next(iter(ladder.values()))
    return mean(runs) if runs else float("nan")


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
