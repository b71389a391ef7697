"""What the machine ran with while it measured, in the operator report: drivers, clocks, builds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from orket_lib.artifacts.views.summary import ModelSession


def environment_lines(sessions: Sequence[ModelSession]) -> list[tuple[str, str]]:
    """Return (name, value); where rows differ, each value with the rows that have it.

    The server's build stands among them, because it changes as easily.
    """
    by_name: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    measured = [(session, row) for session in sessions for row in session.per_quant if row.platform]
    for session, row in measured:
        found = row.platform | ({"server_build": row.artifact.build} if row.artifact.build else {})
        for name, value in found.items():
            by_name[name][value].append(f"{session.model_id} {row.quant_tag}")
    return [(name, _told(values, len(measured))) for name, values in sorted(by_name.items())]


def _told(values: dict[str, list[str]], rows: int) -> str:
    if len(values) == 1 and all(len(having) == rows for having in values.values()):
        return next(iter(values))
    return "; ".join(f"{value} ({', '.join(having)})" for value, having in values.items())
