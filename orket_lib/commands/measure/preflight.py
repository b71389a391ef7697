"""`orket preflight`: check that everything a sweep needs is there."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.views.preflight import Needs, Preflight
from orket_lib.commands._common import add_out, stamp, tell
from orket_lib.preflight.checks import check_all

EXAMPLES = ("orket preflight --needs results/mine/policy/needs.json --out preflight.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--needs", type=Path, required=True, help="what the sweep needs (JSON)")
    add_out(parser, "verdict; written even if it fails")


def run(options: argparse.Namespace) -> int:
    """Check, and write the verdict."""
    checks = check_all(read_model(options.needs, Needs), Path.cwd())
    verdict = Preflight(**stamp([options.needs]), passed=all(c.ok for c in checks), checks=checks)
    write_model(options.out, verdict)
    for check in checks:
        if check.warning or not check.ok:
            kind = "" if not check.ok else "warning: "
            tell(f"preflight: {kind}{check.name}: {check.detail}")
    return 0
