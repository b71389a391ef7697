"""Agreement with the baseline's answers in words: as an order of the quants, and as a warning."""

from __future__ import annotations

from orket_lib.analysis.verdict.quants import Verdicts
from orket_lib.artifacts.views.verdict import Agreement, Verdict
from orket_lib.vocabulary.statuses import QuantVerdict

_MOST = 0.5  # below this share of the baseline's answers, most have changed


def by_agreement(verdicts: Verdicts) -> str:
    """Return the quants in the order of their agreement, where the tasks can't order them."""
    ordered = verdicts.by_agreement
    if not ordered:
        return ""
    first, *others = (
        (item.quant_tag, item.agreement.same_answers, item.agreement.tasks)
        for item in ordered
        if item.agreement
    )
    listed = [f"{first[0]} ({first[1]} of {first[2]} are the same)"]
    listed += [f"{quant} ({same} of {tasks})" for quant, same, tasks in others]
    return (
        f"By agreement with {_baseline(verdicts)}'s answers, most first: {', '.join(listed)}"
        f"{_floor(verdicts)}."
    )


def right_but_different(verdicts: Verdicts) -> str:
    """Return a warning on quants that are kept or picked, and whose answers have mostly changed."""
    changed = [
        f"{item.agreement.same_answers} of {item.agreement.tasks} answers of {item.quant_tag}"
        for item in verdicts.verdicts
        if item.agreement and _kept_or_picked(item, verdicts) and _mostly_changed(item.agreement)
    ]
    if not changed or verdicts.by_agreement:  # the order says how many are the same
        return ""
    return (
        f"Right, but different: {' and '.join(changed)} are the same as {_baseline(verdicts)}'s"
        f"{_floor(verdicts)}."
    )


def _kept_or_picked(item: Verdict, verdicts: Verdicts) -> bool:
    return item.verdict is QuantVerdict.KEPT or item.quant_tag == verdicts.pick.quant


def _mostly_changed(agreement: Agreement) -> bool:
    rate = agreement.same_answer_rate
    return rate is not None and rate < _MOST


def _baseline(verdicts: Verdicts) -> str:
    return verdicts.baseline.used.quant if verdicts.baseline.used else "the baseline"


def _floor(verdicts: Verdicts) -> str:
    """Return how many of its own answers the baseline repeats, if that is known."""
    floor = verdicts.noise_floor
    if floor is None or floor.same_answer_rate is None:
        return ""
    return f"; {_baseline(verdicts)} itself repeats {floor.same_answers} of {floor.tasks}"
