"""Measurements in the store that this machine made under another name than today's.

A fingerprint changes when a newer version tells apart machines that had one name, or when a
container or job limits the CPUs. Such measurements are kept and not used, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.stores.parts import CellStore
from orket_lib.telemetry.fingerprint import older_fingerprints, without_limit


def measured_under_other_names(
    specs: Sequence[RunSpec], storage: Path = Path("storage")
) -> Iterator[str]:
    """Yield a warning for each other name under which cells of a sweep were measured here.

    Args:
        specs: Of the cells, for this machine.
        storage: Folder of the store.
    """
    for name in older_fingerprints():
        count = _measured_as(specs, name, storage)
        if count:
            yield (
                f"machine: {count} of {len(specs)} cells were measured under this machine's older "
                f"name, which other machines have, too; they are kept, and not used. To go on with "
                f'them: --config machine="{name}"'
            )
    whole = without_limit()
    if whole is not None and (count := _measured_as(specs, whole, storage)):
        yield (
            f"machine: {count} of {len(specs)} cells were measured here with all CPUs ({whole}); "
            f"they are kept, and not used under this container's or job's limit of CPUs"
        )


def _measured_as(specs: Sequence[RunSpec], machine: str, storage: Path) -> int:
    """Return how many cells have measurements under another name, and none under this one."""
    return sum(
        bool(_store(spec.model_copy(update={"machine": machine}), storage).parts())
        for spec in specs
        if not _store(spec, storage).parts()
    )


def _store(spec: RunSpec, storage: Path) -> CellStore:
    return CellStore(storage / spec.folder)
