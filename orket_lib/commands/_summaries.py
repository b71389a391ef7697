"""Find the summary that is named; read it, and refuse one that contradicts itself."""

from __future__ import annotations

import argparse
from pathlib import Path

from orket_lib.analysis.contradictions import contradictions
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.views.summary import Summary
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.text import printable
from orket_lib.vocabulary.validation import nearest

_SUMMARY = Path("quant_sweep", "sweep_summary.json")
SWEEP = "a sweep: its name, its config, its folder in results/, or its sweep_summary.json"
_LONGEST = 400


def add_sweep(parser: argparse.ArgumentParser) -> None:
    """Add the argument that `summary_of` takes."""
    parser.add_argument("sweep", nargs="?", help=f"{SWEEP}; default: the last one")


def read_summary(path: Path) -> Summary:
    """Return a summary.

    Raises:
        ArtifactError: It is missing, damaged, or contradicts itself; each contradiction is named.
    """
    summary = read_model(path, Summary)
    found = contradictions(summary)
    if found:
        listed = "\n".join(f"  {printable(line, _LONGEST)}" for line in found)
        raise ArtifactError(
            f"{path}: contradicts itself:\n{listed}\n"
            "Don't edit summaries: delete the file, and its sweep makes it again without measuring."
        )
    return summary


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
