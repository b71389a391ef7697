"""`orket sweep`: measure, and end with the verdict. Snakemake does the work."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orket_lib.commands._common import tell
from orket_lib.commands._configs import DEFAULT_CONFIG, overrides_of, settings_of
from orket_lib.commands.sweeps._named import (
    add_what,
    refuse_read_only,
    suggested,
    text_and_path,
    write,
)
from orket_lib.config.loading.files import read_overrides, read_sources
from orket_lib.config.loading.parse import draft
from orket_lib.config.shipped import located, shipped, workflow_file
from orket_lib.doctor.held import Held, held
from orket_lib.doctor.targets import Target, target_of
from orket_lib.providers.registry import unload_all
from orket_lib.vocabulary.errors import ConfigError, Refused
from orket_lib.workflow.job_environment import become_snakemake

EXAMPLES = (
    "orket sweep --reference --quick --yes",
    "orket sweep ~/models --quick",
    "orket sweep my.yaml --want decode_tps=30 --want memory_gib=16 --want context=16384",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_what(parser, ", config files")
    add = parser.add_argument
    add("--reference", action="store_true", help="sweep the reference model, which is included")
    add(
        "--yes",
        action="store_true",
        help="don't ask: measure, and unload what other servers hold in memory",
    )


def run(options: argparse.Namespace) -> int:
    """Run Snakemake with our Snakefile in the current folder."""
    words = [(word, target_of(word)) for word in options.what]
    configs = [located(word) for word, target in words if target is None]
    targets = [target for _, target in words if target]
    if options.reference and options.what:
        raise ConfigError(["--reference: not allowed together with anything else to sweep"])
    if configs and targets:
        raise ConfigError(
            [f"{configs[0]}: a config names its models itself; add settings with --config"]
        )
    refuse_read_only()
    settings = [*settings_of(options), *(["quick=true"] if options.quick else [])]
    overrides = read_overrides(settings)
    if not configs and not options.reference:
        configs = [_written(options, targets, overrides_of(options))]
    # Snakemake ends in a traceback where a file is missing, and runs one that is a template.
    drafted = draft(read_sources(configs or [shipped() / DEFAULT_CONFIG], overrides))
    if drafted.problems:
        raise ConfigError(drafted.problems)
    for found in held(drafted.config):
        _offer_to_unload(found, options.yes)
    arguments = ["-s", str(workflow_file())]
    arguments += ["--configfile", *map(str, configs)] if configs else []
    arguments += ["--config", *settings] if settings else []
    return become_snakemake(arguments)


def _written(
    options: argparse.Namespace, targets: list[Target], settings: Mapping[str, Any]
) -> Path:
    """Write the config of what was named, and return its path.

    Without anything named it is the doctor's suggestion, which is shown first.

    Raises:
        Refused: There is nothing to suggest, or it was declined.
    """
    text, path, exists = text_and_path(suggested(options, targets, settings))
    if not targets:
        tell(f"{text}\nThis is {path}. Ctrl-C stops, and the same command goes on.")
        if not options.yes and not _agreed("Measure this? [Y/n] "):
            raise Refused("nothing was measured; to do it, type: orket sweep --yes")
    write(text, path, exists)
    return path


def _offer_to_unload(found: Held, yes: bool) -> None:
    """Name models that a server holds in memory, and unload them if that is agreed to."""
    tell(str(found))
    if not found.can_unload or not (yes or _agreed("Unload it? [Y/n] ")):
        tell(found.by_hand)
        return
    unload_all(found.provider, found.base_url, found.api_key)
    tell("unloaded")


def _agreed(question: str) -> bool:
    """Ask at the terminal; without one, the answer is no."""
    if not sys.stdin.isatty():
        return False
    print(question, end="", file=sys.stderr, flush=True)  # noqa: T201
    return input().strip().lower() in ("", "y", "yes")
