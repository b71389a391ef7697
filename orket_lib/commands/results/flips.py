"""`orket flips`: the tasks that each quant lost or won against the baseline, with the answers."""

from __future__ import annotations

import argparse

from orket_lib.artifacts.printed.flips import Flips, ModelFlips
from orket_lib.commands._common import print_json, print_text
from orket_lib.commands._summaries import add_sweep, read_summary, summary_of
from orket_lib.commands.results._flips import flips_of
from orket_lib.report.flips import flips_text
from orket_lib.vocabulary.errors import ArtifactError

EXAMPLES = ("orket flips", "orket flips mine --quant-tag Q4_K_M --answers")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_sweep(parser)
    add = parser.add_argument
    add("--model-id", help="only this model")
    add("--quant-tag", help="only tasks that this quant lost or won")
    add("--family", help="only tasks of this family")
    add("--answers", action="store_true", help="print prompts and answers, too")
    add("--json", action="store_true", help="print as JSON")


def run(options: argparse.Namespace) -> int:
    """Print the flipped tasks."""
    path = summary_of(options.sweep)
    cells = path.parents[1] / "cells"
    every = list(flips_of(read_summary(path), cells))
    if not any(model.quants for model in every):
        raise ArtifactError(
            f"{cells.as_posix()}: no quant can be compared with its baseline; the run reports are "
            "missing, or only one quant was measured"
        )
    quants = dict.fromkeys(quant for model in every for quant in model.quants)
    families = sorted({task.family for model in every for task in model.tasks})
    _check("--model-id", options.model_id, [model.model_id for model in every])
    _check("--quant-tag", options.quant_tag, list(quants))
    _check("--family", options.family, families)
    found = [
        _chosen(model, options.quant_tag, options.family)
        for model in every
        if options.model_id in (None, model.model_id)
    ]
    if options.json:
        print_json(Flips(models=found))
    else:
        print_text("\n".join(flips_text(model, options.answers) for model in found))
    return 0


def _check(option: str, value: str | None, allowed: list[str]) -> None:
    if value is not None and value not in allowed:
        named = ", ".join(allowed) or "nothing"
        raise ArtifactError(f"{option} {value}: not there; this sweep has {named}")


def _chosen(model: ModelFlips, quant: str | None, family: str | None) -> ModelFlips:
    tasks = [
        task
        for task in model.tasks
        if family in (None, task.family) and (quant is None or quant in (*task.lost, *task.won))
    ]
    return model.model_copy(
        update={"tasks": tuple(tasks), "quants": (quant,) if quant else model.quants}
    )
