"""Resolving a config in the current folder: the door that the Snakefile and `orket plan` share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orket_lib.config.hashes import HashCache
from orket_lib.config.loading import default_sweep_name, parse
from orket_lib.config.resolve import Sweep, resolve
from orket_lib.telemetry.fingerprint import hardware_fingerprint

_HASHES = Path("storage/artifact_hashes.json")


def load_sweep(raw: Mapping[str, Any], files: Sequence[str | Path], remember: bool) -> Sweep:
    """Return the sweep that a raw config means.

    Args:
        raw: The merged config.
        files: The files that it came from; the last one names a sweep that has no name.
        remember: Keep new file hashes; a dry run must not write anything.

    Raises:
        ConfigError: With all problems.
    """
    named = {"sweep": default_sweep_name(files), **raw} if files else raw
    hashes = HashCache(_HASHES)
    sweep = resolve(parse(named), hashes, hardware_fingerprint())
    if remember:
        hashes.save()
    return sweep
