"""Read a summary, and refuse one that contradicts itself."""

from __future__ import annotations

from pathlib import Path

from orket_lib.analysis.contradictions import contradictions
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.views.summary import Summary
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.text import printable

_LONGEST = 400


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
