"""Config files and `--config` as options of a command, read as Snakemake reads them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.vocabulary.errors import ConfigError

if TYPE_CHECKING:
    from orket_lib.config.resolve import Sweep

DEFAULT_CONFIG = Path("config/config.yaml")


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add the config files and `--config`."""
    parser.add_argument(
        "configs",
        nargs="*",
        type=Path,
        help=f"config files, later ones win (default: {DEFAULT_CONFIG.as_posix()})",
    )
    parser.add_argument(
        "--config", action="append", default=[], metavar="KEY=VALUE", help="wins over files"
    )


def sweep_of(options: argparse.Namespace) -> Sweep:
    """Return the sweep that the options name, writing nothing.

    Raises:
        ConfigError: With all problems.
    """
    import yaml

    from orket_lib.config.loading import read_config_files
    from orket_lib.config.workspace import load_sweep

    files = options.configs or [DEFAULT_CONFIG]
    raw = read_config_files(files)
    for pair in options.config:
        key, sign, value = pair.partition("=")
        if not sign:
            raise ConfigError([f"--config {pair}: not of the form key=value"])
        raw[key] = yaml.safe_load(value)
    return load_sweep(raw, files, remember=False)
