"""`orket plan`: show what a sweep would do, without doing it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.commands._common import print_json, tell
from orket_lib.vocabulary.errors import ConfigError

if TYPE_CHECKING:
    from orket_lib.config.resolve import Sweep

_DEFAULT = Path("config/config.yaml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "configs", nargs="*", type=Path, help=f"config files, later ones win (default: {_DEFAULT})"
    )
    parser.add_argument(
        "--config", action="append", default=[], metavar="KEY=VALUE", help="wins over files"
    )
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")


def run(options: argparse.Namespace) -> int:
    """Resolve the config and print its plan."""
    import yaml

    from orket_lib.config.loading import read_config_files
    from orket_lib.config.workspace import load_sweep

    files = options.configs or [_DEFAULT]
    raw = read_config_files(files)
    for pair in options.config:
        key, sign, value = pair.partition("=")
        if not sign:
            raise ConfigError([f"--config {pair}: not of the form key=value"])
        raw[key] = yaml.safe_load(value)
    show_plan(load_sweep(raw, files, remember=False), options.json)
    return 0


def show_plan(sweep: Sweep, as_json: bool = False) -> None:
    """Print a sweep's plan: for a person on standard error, or as JSON on standard output."""
    from orket_lib.config.checkout import checkout_state
    from orket_lib.config.planning import make_plan
    from orket_lib.report.plan import plan_text

    plan = make_plan(sweep, *checkout_state())
    if as_json:
        print_json(plan)
    else:
        tell(plan_text(plan))
