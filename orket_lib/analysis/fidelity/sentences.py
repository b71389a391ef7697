"""Fidelity in words: as an order of the quants, as a warning, and as the next step."""

from __future__ import annotations

from collections.abc import Collection

from orket_lib.analysis.fidelity.evidence import Evidence
from orket_lib.artifacts.views.fidelity import Agreement
from orket_lib.vocabulary.statuses import FidelityMode
from orket_lib.vocabulary.text import listed

_MOST = 0.5  # below this share of the baseline's answers, most have changed
_NEXT = ", or run the same command with `--config fidelity="


def in_order(evidence: Evidence) -> str:
    """Return the quants in the order of their fidelity; `""` if it is unknown."""
    groups = evidence.groups
    if not groups:
        return ""
    baseline = groups[0][0].baseline_quant
    if evidence.divergences:
        return _by_divergence(evidence, baseline)
    counts = [
        (item.quant_tag, item.agreement.same_answers, item.agreement.tasks)
        for group in groups
        for item in group
    ]
    (first, same, tasks), *others = counts
    named = [f"{first} ({same} of {tasks} are the same)"]
    named += [f"{quant} ({same} of {tasks})" for quant, same, tasks in others]
    alike = [
        f" Answers can't tell {listed([item.quant_tag for item in group])} apart."
        for group in groups
        if group[1:]
    ]
    return (
        f"By agreement with {baseline}'s answers, most first: {', '.join(named)}"
        f"{_floor(evidence, baseline)}.{''.join(alike)}"
    )


def right_but_different(evidence: Evidence, good: Collection[str]) -> str:
    """Return a warning on quants whose quality is good, and whose answers have mostly changed.

    Args:
        evidence: On all quants of a model.
        good: Those that are kept or picked.
    """
    changed = [
        item
        for item in evidence.found
        if item.quant_tag in good
        and item.quant_tag != item.baseline_quant
        and _mostly_changed(item.agreement)
    ]
    if not changed:
        return ""
    counts = [
        f"{it.agreement.same_answers} of {it.agreement.tasks} answers of {it.quant_tag}"
        for it in changed
    ]
    baseline = changed[0].baseline_quant
    return (
        f"Right, but different: {' and '.join(counts)} are the same as {baseline}'s"
        f"{_floor(evidence, baseline)}."
    )


def tells_more(evidence: Evidence) -> str:
    """Return what orders the quants where neither tasks nor answers do; `""` if they do."""
    match evidence.mode:
        case FidelityMode.OFF:
            return f"{_NEXT}agreement`: it orders the quants by their answers"
        case FidelityMode.AGREEMENT if evidence.indistinct:
            return f"{_NEXT}kld`: it also compares the probabilities of tokens"
    return ""


def _by_divergence(evidence: Evidence, baseline: str) -> str:
    means = {quant: it.mean for quant, it in evidence.divergences.items() if it.mean is not None}
    named = [
        f"{item.quant_tag} ({means[item.quant_tag]:.2g})"
        for group in evidence.groups
        for item in group
    ]
    floor = f"; {baseline} itself, again: {means[baseline]:.2g}" if baseline in means else ""
    alike = [f" The intervals of {one} and {other} overlap." for one, other in evidence.overlapping]
    return (
        f"By KL divergence from {baseline}'s probabilities, least first: "
        f"{', '.join(named)}{floor}.{''.join(alike)}"
    )


def _mostly_changed(agreement: Agreement) -> bool:
    rate = agreement.same_answer_rate
    return rate is not None and rate < _MOST


def _floor(evidence: Evidence, baseline: str) -> str:
    """Return how many of its own answers the baseline repeats, if that is known."""
    floor = evidence.noise_floor
    if floor is None or floor.same_answer_rate is None:
        return ""
    return f"; {baseline} itself repeats {floor.same_answers} of {floor.tasks}"
