"""`orket retry`: measure one cell of a sweep again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from orket_lib.commands._common import tell
from orket_lib.commands._configs import add_config_options, settings_of, sweep_of
from orket_lib.sweep.cells import Cell
from orket_lib.vocabulary.errors import ConfigError
from orket_lib.vocabulary.validation import nearest
from orket_lib.workflow.job_environment import run_snakemake, typed_snakemake

EXAMPLES = ("orket retry Q4_K_M my.yaml", "orket retry qwen2.5-7b/Q4_K_M my.yaml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("cell", metavar="CELL", help="a quant, or MODEL/QUANT")
    add_config_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print and run the command that measures the cell, and what the sweep lacks, again."""
    sweep = sweep_of(options)
    cell = _cell(options.cell, sweep.cells)
    arguments = ["-R", *cell.receipts(sweep.results)]
    arguments += ["--configfile", *map(str, options.configs)] if options.configs else []
    settings = settings_of(options)
    arguments += ["--config", *settings] if settings else []
    tell(typed_snakemake(arguments))
    return run_snakemake(arguments)


def _cell(name: str, cells: Sequence[Cell]) -> Cell:
    """Return the cell of this name.

    Raises:
        ConfigError: There is none, or more than one.
    """
    by_name = {f"{cell.model_id}/{cell.quant_tag}": cell for cell in cells}
    found = [it for full, it in by_name.items() if name in (full, it.quant_tag)]
    if len(found) == 1:
        return found[0]
    why = "several models have this quant" if found else f"no such cell{nearest(name, by_name)}"
    raise ConfigError([f"{name}: {why}; cells: {', '.join(by_name)}"])
