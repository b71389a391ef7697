"""The numbers that a report does not have, each with the reason that the summary gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from orket_lib.artifacts.views.summary import ModelSession, Summary, SummaryRow
from orket_lib.vocabulary.null_reasons import meaning_of

_NOT_ASKED_FOR = ("NO_KLD", "FIDELITY_OFF")  # not requested by the config

_ALL = "all quants"


@dataclass(frozen=True)
class Missing:
    """Fields that are null for one reason.

    Attributes:
        where: Model and quants, or the part of the summary.
        fields: Their names in the summary.
        reason: The code.
        meaning: What the code means, `""` for one that speaks for itself.
    """

    where: str
    fields: str
    reason: str
    meaning: str


def missing_numbers(summary: Summary) -> list[Missing]:
    """Return everything that is null in a summary, fields of one reason together."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for session in summary.sessions:
        for quants, names, reason in _of_session(session):
            places[names, reason].append(f"{session.model_id} {quants}")
    everywhere = [f"{session.model_id} {_ALL}" for session in summary.sessions]
    found = [
        _missing(where, names, reason)
        for (names, reason), of in places.items()
        for where in ([f"all models, {_ALL}"] if len(of) > 1 and of == everywhere else of)
    ]
    kpis = summary.stability_kpis.null_reasons
    found += [_missing("stability KPIs", name, reason) for name, reason in kpis.items()]
    canary = summary.canary.null_reasons
    found += [_missing("canary", name, reason) for name, reason in canary.items()]
    return found


def _of_session(session: ModelSession) -> Iterator[tuple[str, str, str]]:
    """Yield quants, the names of what they lack, and the reason."""
    tags: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in session.per_quant:
        for name, reason in dict.fromkeys(_nulls(row, session)):
            tags[name, reason].append(row.quant_tag)
    together: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (name, reason), listed in tags.items():
        everywhere = len(listed) == len(session.per_quant) > 1
        together[reason, _ALL if everywhere else ", ".join(listed)].append(name)
    for (reason, quants), names in together.items():
        yield quants, ", ".join(names), reason


def _nulls(row: SummaryRow, session: ModelSession) -> Iterator[tuple[str, str]]:
    for name in SummaryRow.readings():
        reason = row.null_reasons.get(name)
        if reason and reason not in _NOT_ASKED_FOR:
            yield name, reason
    for reason, tasks in row.not_asked.items():
        yield f"score of {tasks} {'task' if tasks == 1 else 'tasks'}", reason
    if row.sidecar:
        for name in row.sidecar.readings():
            if name in row.sidecar.null_reasons:
                yield f"sidecar {name}", row.sidecar.null_reasons[name]
    if row.energy:
        for name, reason in row.energy.null_reasons.items():
            yield f"energy {name}", reason
    for gpu in row.gpus:
        for name, reason in gpu.null_reasons.items():
            yield f"GPU {gpu.index} {name}", reason
    for vendor, reason in row.gpus_absent.items():
        yield f"GPUs of {vendor}", reason
    if session.baseline_quant is None:
        yield "vs baseline", "NO_VALID_BASELINE"
    elif row.adherence_score is None:
        yield "vs baseline", row.null_reasons["adherence_score"]


def _missing(where: str, fields: str, reason: str) -> Missing:
    return Missing(where, fields, reason, meaning_of(reason))
