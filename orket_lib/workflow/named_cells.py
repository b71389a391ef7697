"""Targets of cells that the sweep doesn't have, found before any rule is asked for them.

A file of an earlier config may lie below results/, and be named as a target. Snakemake would ask
its rule for a cell that the config no longer has, and end with the traceback of a lookup.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from orket_lib.vocabulary.errors import Refused

_OF_CELLS = ("cells", "quant_sweep")
_OF_MODELS = ("context_sweep", "thermal")
_SUFFIXES = ("_hardware_sidecar.json", ".json")


def refuse_unknown_cells(
    arguments: Iterable[str], results: str, cells: Iterable[tuple[str, str]]
) -> None:
    """Refuse a call that names a file of a cell which is not one of the sweep's.

    Args:
        arguments: Of this call of Snakemake; whatever lies below `results` is taken for a file.
        results: Folder of the sweep's views.
        cells: Folders of the sweep's cells: model and quant.

    Raises:
        Refused: Naming the file and the cells that there are.
    """
    known = sorted(set(cells))
    for argument in arguments:
        named = _cell_of(argument, results)
        if named and not any(cell[: len(named)] == named for cell in known):
            there = ", ".join("/".join(cell) for cell in known)
            raise Refused(f"{argument}: this sweep has no {'/'.join(named)}; it has {there}")


def _cell_of(argument: str, results: str) -> tuple[str, ...]:
    """Return the model, or the model and quant, that a path names; nothing for other paths."""
    path = PurePosixPath(argument.replace("\\", "/"))
    if not path.is_relative_to(results):
        return ()
    room, *parts = path.relative_to(results).parts or ("",)
    if room == "quant_sweep" and parts[:1] == ["sidecar"]:
        parts = parts[1:]
    if room in _OF_MODELS and len(parts) > 1:
        return (parts[0],)
    if room not in _OF_CELLS or len(parts) < 2:
        return ()
    model, quant = parts[:2]
    for suffix in _SUFFIXES if room == "quant_sweep" else ():
        quant = quant.removesuffix(suffix)
    return model, quant
