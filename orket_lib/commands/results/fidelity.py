"""`orket fidelity`: compare two sweeps, cells, or measurements of probabilities."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from orket_lib.analysis.fidelity.kld_of_model import quant_divergence
from orket_lib.analysis.fidelity.of_reports import compare_cells
from orket_lib.artifacts.base import Record
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.measurements.next_tokens import NextTokens
from orket_lib.artifacts.printed.fidelity import FidelityComparison
from orket_lib.artifacts.views.kld import AskedQuant, QuantDivergence
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.commands._common import print_json, print_text
from orket_lib.report.fidelity import comparison_text, divergence_text
from orket_lib.tasks.answers import comparable
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.quants import nominal_bits
from orket_lib.workflow.receipts import taken_parts

_ALLOWED = (
    "a sweep (its name, its folder in results/, or its sweep_summary.json), or a cell (its folder "
    "in results/SWEEP/cells/, or its run.json); two next_tokens.json in storage/next_tokens/ are "
    "compared by their probabilities"
)
_REPORT, _SUMMARY, _PROBABILITIES = "run.json", "sweep_summary.json", "next_tokens.json"

R = TypeVar("R", bound=Record)
Cells = dict[tuple[str, str], list[RunReport]]  # by model and quant


EXAMPLES = (
    "orket fidelity mine other",
    "orket fidelity results/mine/cells/nano/F16 results/mine/cells/nano/Q4_K_M",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("a", metavar="A", help=f"what is compared with: {_ALLOWED}")
    parser.add_argument("b", metavar="B", help="the same; two cells may be of different quants")
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(options: argparse.Namespace) -> int:
    """Print how far the answers of B are those of A, or its probabilities."""
    if Path(options.a).name == Path(options.b).name == _PROBABILITIES:
        _show(options, _divergence(options.a, options.b), divergence_text)
        return 0
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
    _show(options, found, comparison_text)
    return 0


def _show(options: argparse.Namespace, found: R, text: Callable[[R], str]) -> None:
    if options.json:
        print_json(found)
    else:
        print_text(text(found))


def _divergence(a: str, b: str) -> QuantDivergence:
    one, other = (read_model(Path(path), NextTokens) for path in (a, b))
    asked = AskedQuant(
        quant_tag=other.quant_tag, status=other.status, status_reason=other.status_reason
    )
    return quant_divergence(one, other, asked)


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
