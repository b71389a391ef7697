"""Records of earlier sweeps as text: a list, and a comparison of two; two sweeps, compared."""

from __future__ import annotations

from orket_lib.artifacts.history import (
    Change,
    HistoryComparison,
    HistoryList,
    HistoryRecord,
    Scalar,
)
from orket_lib.artifacts.printed.comparison import SweepComparison
from orket_lib.report.formatting import cpu_name, figure
from orket_lib.vocabulary.text import printable

_LONGEST = 400


def list_text(found: HistoryList) -> str:
    """Return one line per record, the oldest first."""
    return "\n".join(_line(f"{one.id}  {_described(one)}") for one in found.records)


def comparison_text(comparison: HistoryComparison) -> str:
    """Return the changes between two records, one per line."""
    lines = [
        f"old  {comparison.old.id}  {_described(comparison.old)}",
        f"new  {comparison.new.id}  {_described(comparison.new)}",
        *map(_change, comparison.changes),
        *comparison.notes,
    ]
    if not comparison.changes:
        lines.append("no difference in what both records contain")
    return "\n".join(map(_line, lines))


def sweeps_text(found: SweepComparison) -> str:
    """Return the changes between two sweeps, one per line, and what is left out."""
    lines = [f"A: {found.a}", f"B: {found.b}", *map(_change, found.changes)]
    if not found.changes:
        lines.append("no difference beyond noise")
    if found.within_noise:
        lines.append(f"{found.within_noise} numbers differ by no more than noise")
    return "\n".join(map(_line, [*lines, *found.notes]))


def _described(record: HistoryRecord) -> str:
    machine = cpu_name(record.hardware_fingerprint)
    sweep = record.sweep or "unknown sweep"
    labels = f"{sweep}, {machine}, {record.execution_lane}, {record.vram_profile}"
    verdicts = "; ".join(record.verdicts) or "no model"
    return f"{record.generated_at}  {labels}  {verdicts}"


def _change(change: Change) -> str:
    where = f"  ({', '.join(change.where)})" if change.where else ""
    share = change_share(change.old, change.new)
    values = f"{value_text(change.old)} -> {value_text(change.new)}{f' ({share})' if share else ''}"
    return f"  {change.kind:<9} {change.what}: {values}{where}"


def value_text(value: Scalar) -> str:
    """Return a value in words or figures."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return value if isinstance(value, str) else figure(value)


def change_share(old: Scalar, new: Scalar) -> str:
    """Return the relative change of a number; `""` for anything else."""
    if isinstance(old, bool | str | None) or isinstance(new, bool | str | None) or not old:
        return ""
    return f"{(new - old) / old:+.1%}"


def _line(text: str) -> str:
    return printable(text, _LONGEST)
