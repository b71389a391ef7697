"""Config files and `--config` as options of a command, read as Snakemake reads them."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.config.loading.files import read_overrides
from orket_lib.config.shipped import located
from orket_lib.sweep.cells import Sweep
from orket_lib.sweep.load import load_sweep

DEFAULT_CONFIG = Path("config/config.yaml")


def add_config_options(
    parser: argparse.ArgumentParser, without: str = f"default: {DEFAULT_CONFIG.as_posix()}"
) -> None:
    """Add the config files and `--config`.

    Args:
        parser: Of the command.
        without: What is done without a config.
    """
    parser.add_argument(
        "configs",
        nargs="*",
        type=Path,
        help=f"config files, later ones win ({without})",
    )
    parser.add_argument(
        "--config",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="wins over files; takes every word that follows, so files come before it",
    )


def sweep_of(options: argparse.Namespace) -> Sweep:
    """Return the sweep that the options name, writing nothing.

    Raises:
        ConfigError: With all problems.
    """
    files = options.configs or [located(DEFAULT_CONFIG)]
    return load_sweep(files, read_overrides(options.config), remember=False)
