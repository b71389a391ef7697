"""Loading a sweep in the current folder, for the Snakefile and `orket`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from orket_lib.config.loading.files import read_sources
from orket_lib.config.loading.parse import draft
from orket_lib.sweep.cells import Sweep, resolve
from orket_lib.sweep.hash_cache import HashCache
from orket_lib.sweep.references import find_references
from orket_lib.sweep.servers import KnownServers
from orket_lib.sweep.task_bank import keep_bank
from orket_lib.telemetry.fingerprint import hardware_fingerprint
from orket_lib.vocabulary.errors import ConfigError

_HASHES = Path("storage/artifact_hashes.json")


def load_sweep(
    files: Sequence[str | Path],
    overrides: Mapping[str, Any],
    remember: bool,
    ask_servers: bool = True,
) -> Sweep:
    """Return the sweep of config files and command line.

    Args:
        files: Config files; later ones win, and the last one names the sweep.
        overrides: Settings of `--config`; they win over files.
        remember: Save new file hashes, and what servers say; a dry run must not write anything.
        ask_servers: Ask running servers what they are; a job takes the answers that its sweep got.

    Raises:
        ConfigError: All problems.
    """
    drafted = draft(read_sources(files, overrides))
    hashes = HashCache(_HASHES)
    machine = hardware_fingerprint()
    if drafted.problems:
        found = find_references(drafted.config, hashes, machine, drafted.bad)
        raise ConfigError([*drafted.problems, *found.problems])
    servers = KnownServers(ask=ask_servers)
    sweep = resolve(drafted.config, hashes, machine, servers)
    if remember:
        hashes.save()
        servers.save()
        keep_bank(sweep.config, sweep.bank)
    return replace(sweep, warnings=drafted.warnings + sweep.warnings)
