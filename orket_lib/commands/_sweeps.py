"""Sweeps of this folder, by the names that people type."""

from __future__ import annotations

from pathlib import Path

from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.validation import nearest

_SUMMARY = Path("quant_sweep", "sweep_summary.json")
SWEEP = "a sweep: its name, its config, its folder in results/, or its sweep_summary.json"


def summary_of(named: str | None) -> Path:
    """Return the summary of a sweep (see `SWEEP`); that of the last one, if none is named.

    Raises:
        ArtifactError: There is none.
    """
    given = Path(named or "")
    if given.is_file() and given.name == _SUMMARY.name:
        return given
    if named and (given / _SUMMARY).is_file():
        return given / _SUMMARY
    results = Path("results")
    found = sorted(results.glob(f"*/{_SUMMARY.as_posix()}"), key=lambda it: it.stat().st_mtime)
    if not found:
        raise ArtifactError(
            f"{f'{named}: ' if named else ''}no sweep in this folder has a result: results/ is "
            "missing or empty; `orket status` shows what is measured"
        )
    if named is None:
        return found[-1]
    name = given.stem if given.suffix in (".yaml", ".yml", ".json") else named
    path = results / name / _SUMMARY
    if not path.is_file():
        names = [it.parents[1].name for it in found]
        raise ArtifactError(
            f"{path.as_posix()}: there is no such file{nearest(name, names)}; "
            f"sweeps with a result: {', '.join(sorted(names))}"
        )
    return path
