"""`orket report`: make the operator report from a summary."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.commands._common import add_log


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--summary", type=Path, required=True, help="sweep_summary.json")
    parser.add_argument("--out-md", type=Path, required=True, help="the report")
    parser.add_argument("--out-scatter", type=Path, required=True, help="its points as JSON")
    parser.add_argument("--out-plot", type=Path, required=True, help="its picture as PNG")
    parser.add_argument(
        "--include-invalid", action="store_true", help="show a frontier with invalid rows, too"
    )
    add_log(parser)


def run(options: argparse.Namespace) -> int:
    """Read, draw, write."""
    raise NotImplementedError
