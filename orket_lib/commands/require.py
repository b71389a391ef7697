"""`orket require`: fail, with the reasons, if a verdict did not pass."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.commands._common import add_log


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--canary", type=Path, help="verdict of the canary")
    parser.add_argument("--preflight", type=Path, help="verdict of the preflight")
    add_log(parser)


def run(options: argparse.Namespace) -> int:
    """Pass, or refuse with the verdict's reasons."""
    from orket_lib.artifacts.canary import CanaryVerdict
    from orket_lib.artifacts.io import read_model
    from orket_lib.artifacts.preflight import Preflight
    from orket_lib.measure.gates import require_canary, require_preflight

    if options.preflight:
        require_preflight(read_model(options.preflight, Preflight))
    if options.canary:
        require_canary(read_model(options.canary, CanaryVerdict))
    return 0
