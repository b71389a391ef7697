"""Config files and `--config` as options of a command, merged as Snakemake merges them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from orket_lib.commands._wants import add_want, read_wants
from orket_lib.config.loading.files import read_overrides
from orket_lib.config.loading.messages import exactly
from orket_lib.config.shipped import located
from orket_lib.sweep.cells import Sweep
from orket_lib.sweep.load import load_sweep
from orket_lib.vocabulary.errors import ConfigError

DEFAULT_CONFIG = Path("config/config.yaml")


def add_config_options(
    parser: argparse.ArgumentParser, without: str = f"default: {DEFAULT_CONFIG.as_posix()}"
) -> None:
    """Add the config files and `--config`.

    Args:
        parser: Parser of the command.
        without: Help text for a call without a config.
    """
    parser.add_argument(
        "configs",
        nargs="*",
        type=located,
        help=f"config files, also shipped ones; a later one overrides an earlier one ({without})",
    )
    add_settings(parser)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add `--config` and `--want`, which `settings_of` joins."""
    parser.add_argument(
        "--config",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="override keys of the files; takes every following word, so put the files first",
    )
    add_want(parser)


def settings_of(options: argparse.Namespace) -> list[str]:
    """Return the settings of the command line as after `--config`, which Snakemake takes.

    Raises:
        ConfigError: A want is wrong, or given in both ways.
    """
    settings: list[str] = options.config
    wants = _wants(options)
    pairs = (f"{name}: {exactly(limit)}" for name, limit in wants.items())
    return [*settings, f"wants={{{', '.join(pairs)}}}"] if wants else settings


def overrides_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the same settings by key.

    Raises:
        ConfigError: As `settings_of`; or a setting has no `=`.
    """
    wants = _wants(options)
    return read_overrides(options.config) | ({"wants": wants} if wants else {})


def _wants(options: argparse.Namespace) -> dict[str, float]:
    if options.want and any(text.startswith("wants=") for text in options.config):
        raise ConfigError(["--want, --config wants: give all wants in one of the two ways"])
    return {str(name): limit for name, limit in read_wants(options.want).items()}


def sweep_of(options: argparse.Namespace) -> Sweep:
    """Return the sweep that the options name, without writing anything.

    Raises:
        ConfigError: With all problems.
    """
    files = options.configs or [located(DEFAULT_CONFIG)]
    return load_sweep(files, overrides_of(options), remember=False)
