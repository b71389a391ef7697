"""The tables of docs/PERFORMANCE.md, as Markdown: what a sweep, its views and its requests cost."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

sys.path += [str(Path(__file__).resolve().parents[2] / "tests" / it) for it in ("", "workflow")]

from clients import clients
from scale import fixed_cost, planning, views
from tables import Table

_PARTS: dict[str, Callable[[argparse.Namespace], Table]] = {
    "clients": lambda it: clients(
        *((20, 120) if it.small else (100, 1100)), it.guidellm, it.aiperf
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
    add("--aiperf", type=Path, metavar="PROGRAM", help="AIPerf, to compare with")


def run(options: argparse.Namespace) -> int:
    """Print each table as soon as it is measured."""
    for part in options.parts:
        print(_PARTS[part](options).markdown(), flush=True)
    return 0
