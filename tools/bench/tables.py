"""A table of docs/PERFORMANCE.md, as Markdown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """What one part of the bench found.

    Attributes:
        title: What was measured.
        columns: Their heads.
        rows: Cells, as text.
        notes: What must be known to read it, one sentence each; also what was left out, and why.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """Return heading, table and notes."""
        rows = [self.columns, ("---",) * len(self.columns), *self.rows]
        drawn = "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows)
        blocks = [f"### {self.title}", *([drawn] if self.rows else []), *self.notes]
        return "\n\n".join(blocks) + "\n"


def times(value: float, of: float) -> str:
    """Return how many times another value a value is."""
    return f"{value / of:.2f} x" if of > 0 else "-"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
