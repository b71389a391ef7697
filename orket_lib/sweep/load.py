"""Resolving a config in the current folder: the door that the Snakefile and `orket` share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from orket_lib.config.loading.files import read_sources
from orket_lib.config.loading.parse import draft
from orket_lib.sweep.cells import Sweep, resolve
from orket_lib.sweep.hash_cache import HashCache
from orket_lib.sweep.references import look_around
from orket_lib.telemetry.fingerprint import hardware_fingerprint
from orket_lib.vocabulary.errors import ConfigError

_HASHES = Path("storage/artifact_hashes.json")


def load_sweep(files: Sequence[str | Path], overrides: Mapping[str, Any], remember: bool) -> Sweep:
    """Return the sweep that config files and command line mean.

    Args:
        files: Config files, later ones win; the last one names the sweep.
        overrides: What `--config` says; wins over files.
        remember: Keep new file hashes; a dry run must not write anything.

    Raises:
        ConfigError: With all problems.
    """
    drafted = draft(read_sources(files, overrides))
    hashes = HashCache(_HASHES)
    machine = hardware_fingerprint()
    if drafted.problems:
        found = look_around(drafted.config, hashes, machine, drafted.bad)
        raise ConfigError([*drafted.problems, *found.problems])
    sweep = resolve(drafted.config, hashes, machine)
    if remember:
        hashes.save()
    return replace(sweep, warnings=drafted.warnings + sweep.warnings)
