"""Two sweeps compared, as a page."""

from __future__ import annotations

from collections.abc import Sequence

from orket_lib.artifacts.history import Change, ChangeKind
from orket_lib.artifacts.printed.comparison import SweepComparison
from orket_lib.report.history import change_share, value_text
from orket_lib.report.page.shell import rendered

# What people look for comes first.
_HEADINGS: dict[ChangeKind, str] = {
    "verdict": "Verdicts",
    "numbers": "Numbers beyond noise",
    "validity": "What counts",
    "rows": "Quants",
    "artifact": "Files",
    "settings": "Settings",
    "build": "Builds",
    "driver": "Drivers",
    "machine": "Machine",
}
_COLUMNS = ("What", "A", "B", "Change", "Where")
_MOST_PLACES = 8


def render_comparison(found: SweepComparison) -> str:
    """Return the page of a comparison."""
    parts = [
        (kind, heading, *_table([change for change in found.changes if change.kind == kind]))
        for kind, heading in _HEADINGS.items()
    ]
    number = len(found.changes)
    return rendered(
        "comparison.html.j2",
        found=found,
        parts=[part for part in parts if part[3]],
        differences=f"{number or 'No'} difference{'' if number == 1 else 's'} beyond noise",
    )


def _table(changes: Sequence[Change]) -> tuple[list[str], list[list[str]]]:
    """Return heads and rows of changes, without columns that are empty."""
    rows = [
        (
            change.what.replace("_", " "),
            value_text(change.old),
            value_text(change.new),
            change_share(change.old, change.new),
            _places(change.where),
        )
        for change in changes
    ]
    kept = [place for place in range(len(_COLUMNS)) if any(row[place] for row in rows)]
    return [_COLUMNS[place] for place in kept], [[row[place] for place in kept] for row in rows]


def _places(where: tuple[str, ...]) -> str:
    shown = ", ".join(where[:_MOST_PLACES])
    more = len(where) - _MOST_PLACES
    return f"{shown} and {more} more" if more > 0 else shown
