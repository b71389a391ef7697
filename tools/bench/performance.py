"""The tables of docs/PERFORMANCE.md, as Markdown: what a sweep, its views and its requests cost."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

sys.path += [str(Path(__file__).resolve().parents[2] / "tests" / it) for it in ("", "workflow")]

from clients import clients
from decode import decode
from rivals import rivals
from scale import fixed_cost, planning, views
from tables import Table

from orket_lib.config.shipped import located

_QUANTS = ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")
_MODELS = [located(f"models/orket-nano/orket-nano-{it}.gguf") for it in _QUANTS]
_PARTS: dict[str, Callable[[argparse.Namespace], Table]] = {
    "clients": lambda it: clients(
        *((20, 120) if it.small else (100, 1100)), it.guidellm, it.aiperf
    ),
    "decode": lambda it: decode(it.model[:3], it.llama, 6 if it.small else 12),
    "verdict": lambda it: rivals(
        it.model, 6 if it.small else 20, it.llama, it.quantdiff, it.fituna
    ),
    "fixed": lambda it: fixed_cost(),
    "planning": lambda it: planning((100, 1000) if it.small else (1000, 10_000)),
    "views": lambda it: views(*([(100, 1000)] * 2 if it.small else [(1000, 10_000)] * 2)),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the subject."""
    add = parser.add_argument
    add("--parts", nargs="+", choices=_PARTS, default=list(_PARTS), help="default: all")
    add("--small", action="store_true", help="a tenth of the numbers, to try it")
    add("--guidellm", type=Path, metavar="PROGRAM", help="GuideLLM, to compare with")
    add("--quantdiff", type=Path, metavar="PROGRAM", help="quantdiff, to compare with")
    add("--fituna", type=Path, metavar="PROGRAM", help="fituna, to compare with")
    add("--llama", type=Path, metavar="FOLDER", help="with llama-bench and llama-server")
    add("--model", type=Path, nargs="+", default=_MODELS, help="GGUF files, the largest first")
    add("--aiperf", type=Path, metavar="PROGRAM", help="AIPerf, to compare with")


def run(options: argparse.Namespace) -> int:
    """Print each table as soon as it is measured."""
    for part in options.parts:
        print(_PARTS[part](options).markdown(), flush=True)
    return 0
