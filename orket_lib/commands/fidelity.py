"""`orket fidelity`: compare the answers of two sweeps or cells, right or wrong."""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

from orket_lib.analysis.fidelity.of_reports import compare_cells
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.printed.fidelity import FidelityComparison
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.commands._common import print_json, print_text
from orket_lib.report.fidelity import comparison_text
from orket_lib.tasks.answers import comparable
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.quants import nominal_bits
from orket_lib.workflow.receipts import taken_parts

_ALLOWED = (
    "a sweep (its name, its folder in results/, or its sweep_summary.json), or a cell (its folder "
    "in results/SWEEP/cells/, or its run.json)"
)
_REPORT, _SUMMARY = "run.json", "sweep_summary.json"

Cells = dict[tuple[str, str], list[RunReport]]  # by model and quant


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("a", metavar="A", help=f"what is compared with: {_ALLOWED}")
    parser.add_argument("b", metavar="B", help="the same; two cells may be of different quants")
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(options: argparse.Namespace) -> int:
    """Print how far the answers of B are those of A."""
    a, b = _cells_of(options.a), _cells_of(options.b)
    names = {name: name for name in b if name in a}
    if len(a) == len(b) == 1:
        names = dict(zip(b, a, strict=True))
    if not names:
        raise ArtifactError(
            f"no cell is in both: {options.a} has {_listed(set(a))}; "
            f"{options.b} has {_listed(set(b))}. Name two cells to compare different ones"
        )
    found = FidelityComparison(
        a=options.a,
        b=options.b,
        cells=[compare_cells(a[theirs], b[name], comparable) for name, theirs in names.items()],
        only_a=_sorted(set(a) - set(names.values())),
        only_b=_sorted(set(b) - set(names)),
    )
    if options.json:
        print_json(found)
    else:
        print_text(comparison_text(found))
    return 0


def _cells_of(named: str) -> Cells:
    """Return the run reports of a sweep or cell.

    Raises:
        ArtifactError: There are none, or one was made from other measurements than its receipt
            lists (T22).
    """
    given = Path(named).parent.parent if Path(named).name == _SUMMARY else Path(named)
    place = given if given.exists() else Path("results", named)
    cells = place / "cells"
    files = [place] if place.is_file() else (cells if cells.is_dir() else place).rglob(_REPORT)
    found: Cells = defaultdict(list)
    for path in files:
        report = read_model(path, RunReport)
        taken = taken_parts(path.with_name("receipt.json"))
        if taken not in (None, tuple(part.sha256 for part in report.parts)):
            raise ArtifactError(
                f"{path}: made from other measurements than its receipt lists; make it again with "
                "`snakemake`"
            )
        found[report.spec.model_id, report.spec.quant_tag].append(report)
    if not found:
        raise ArtifactError(f"{named}: no {_REPORT} there; allowed is {_ALLOWED}")
    most_bits_first = sorted(found, key=lambda name: (name[0], -(nominal_bits(name[1]) or 0.0)))
    return {name: sorted(found[name], key=lambda it: it.measured_at) for name in most_bits_first}


def _sorted(cells: set[tuple[str, str]]) -> list[str]:
    return sorted(map(" ".join, cells))


def _listed(cells: set[tuple[str, str]]) -> str:
    return ", ".join(_sorted(cells))
