"""The decision in words: what to run, how certain that is, and what to do for more certainty."""

from __future__ import annotations

from orket_lib.analysis.fidelity.evidence import Evidence
from orket_lib.analysis.fidelity.sentences import in_order, right_but_different
from orket_lib.analysis.verdict.caveats import BaselineFails
from orket_lib.analysis.verdict.judged_tasks import FEWEST_TASKS
from orket_lib.analysis.verdict.next_step import misses, undecided, what_fits_is_lost
from orket_lib.analysis.verdict.quants import NOT_ORDERED_BY_TASKS, VerdictPolicy, Verdicts
from orket_lib.analysis.verdict.wants import TIMES
from orket_lib.artifacts.views.verdict import Verdict
from orket_lib.vocabulary.statuses import (
    MEANINGS,
    DecisionStatus,
    Prefer,
    QuantVerdict,
    WantStatus,
)
from orket_lib.vocabulary.text import listed
from orket_lib.vocabulary.units import counted

_NOT_CHOSEN = (DecisionStatus.ONE_QUANT, DecisionStatus.TASKS_TOO_EASY)
_NOTHING_JUDGED = (
    DecisionStatus.TASKS_TOO_HARD,
    DecisionStatus.TASKS_NOT_GRADED,
    DecisionStatus.ONE_QUANT,
)

_ONLY_THE_EASIEST = (
    "That is of the easiest tasks, the only ones asked; harder ones may show a loss."
)


def sentence(
    model_id: str,
    verdicts: Verdicts,
    evidence: Evidence,
    policy: VerdictPolicy,
    first: str = "",
    fails: BaselineFails | None = None,
    easiest: bool = False,
) -> str:
    """Return the decision on a model in a few sentences.

    Args:
        model_id: The model.
        verdicts: On its quants.
        evidence: Their fidelity.
        policy: Threshold and preference.
        first: What is to be said first of its times, see `caveats.disturbed_times`.
        fails: How the baseline mostly fails.
        easiest: Whether only the easiest tasks were asked, to which alone every P then applies.
    """
    unordered = verdicts.pick.status in NOT_ORDERED_BY_TASKS
    parts = [
        _stand_in(verdicts),
        _claim(verdicts, policy, first != "", fails),
        _ONLY_THE_EASIEST if easiest and verdicts.pick.quant else "",
        _missed(verdicts),
        in_order(evidence) if unordered else "",
        *_neighbours(verdicts),
        *_absent(verdicts),
        _hangs(verdicts),
        "" if unordered else right_but_different(evidence, verdicts.kept_or_picked),
    ]
    text = " ".join(part for part in parts if part)
    return f"{model_id}: {first} {text[:1].upper()}{text[1:]}" if first else f"{model_id}: {text}"


def _stand_in(verdicts: Verdicts) -> str:
    replaced, used = verdicts.baseline.replaces, verdicts.baseline.used
    if replaced is None or used is None:
        return ""
    return (
        f"{replaced.quant} can't be the baseline ({replaced.reason}); compared with {used.quant}:"
    )


def _claim(
    verdicts: Verdicts, policy: VerdictPolicy, times_said: bool, fails: BaselineFails | None
) -> str:
    chosen, keeps = verdicts.pick, f"keeps at least {policy.threshold:.0%}"
    base = verdicts.baseline.used.quant if verdicts.baseline.used else ""
    found = next((item for item in verdicts.verdicts if item.quant_tag == chosen.quant), None)
    match chosen.status:
        case DecisionStatus.NOTHING_MEASURED:
            return "no recommendation, because no quant has answers to judge."
        case DecisionStatus.BASELINE_NOT_MEASURED:
            waiting = verdicts.baseline.waits_for
            assert waiting is not None
            return (
                f"no recommendation yet, because {waiting.quant} could not be measured "
                f"({waiting.reason}). Rerun the same command to try again."
            )
        case DecisionStatus.ONE_QUANT:
            return f"{chosen.quant} is the only quant measured; there is nothing to choose from."
        case DecisionStatus.TASKS_TOO_HARD:
            assert verdicts.judging is not None
            asked = sum(item.tasks for item in verdicts.judging.strata)
            can_do = len(verdicts.judging.counted)
            if asked < FEWEST_TASKS and can_do == asked:
                return (
                    f"{counted(asked, 'task')}, too few; a verdict needs at least {FEWEST_TASKS}."
                )
            if fails:
                return f"no verdict yet: {fails} ({MEANINGS[fails.failure]})."
            are = "too few and too hard" if asked < FEWEST_TASKS else "too hard"
            return (
                f"these tasks are {are}: {base} can do {can_do} of {asked}, and a verdict needs "
                f"{FEWEST_TASKS}."
            )
        case DecisionStatus.TASKS_NOT_GRADED:
            return "quality is not judged, because no task has an expected answer."
        case DecisionStatus.TASKS_TOO_EASY:
            return (
                "these tasks can't tell the quants apart: every one answers at least 98% of them."
            )
        case DecisionStatus.NOTHING_FITS:
            return "no quant meets all limits: " + "; ".join(misses(verdicts.verdicts)) + "."
        case DecisionStatus.UNDECIDED:
            if what_fits_is_lost(verdicts):
                missed = "; ".join(misses(verdicts.verdicts))
                return f"no quant that meets all limits {keeps} of {base}'s adherence ({missed})."
            return f"these tasks don't show yet which quant {keeps} of {base}'s adherence."
    assert found is not None
    if policy.prefer is Prefer.BEST:
        claim = f"run {chosen.quant}, the largest quant that meets all limits"
    elif found.reason == "BASELINE":
        absent = any(item.verdict is QuantVerdict.NOT_MEASURED for item in verdicts.verdicts)
        which = " that was measured" if absent else ""
        if misses(verdicts.verdicts):
            which = " that meets all limits"
        claim = f"run {chosen.quant}: no smaller quant{which} {keeps} of its adherence"
    else:
        claim = (
            f"run {chosen.quant}, the smallest quant that is proved to keep at least "
            f"{policy.threshold:.0%} of {base}'s adherence"
        )
        if chosen.status is DecisionStatus.LIKELY:
            claim = f"probably {chosen.quant}: it {keeps} of {base}'s adherence"
    evidence = _evidence(chosen.probability, found)
    shown = f" ({evidence})" if evidence else ""
    return f"{claim}{shown}{_unproved_wants(found, times_said)}."


def _evidence(probability: float | None, found: Verdict) -> str:
    sure = "" if probability is None else f"P {chance(probability)}"
    if found.reason == "BASELINE":
        return sure
    flips = f"of {found.tasks} tasks {lost_tasks(found)} lost, {found.won:g} won"
    return f"{sure}; {flips}" if sure else flips


def lost_tasks(found: Verdict) -> str:
    """Return `12 (9 CUT)`: the tasks lost, and those lost for another cause than the quant."""
    kinds = [f"{item.tasks} {item.failure}" for item in found.lost_to]
    return f"{found.lost:g}" + (f" ({', '.join(kinds)})" if kinds else "")


def chance(probability: float) -> str:
    """Return `= 0.93`: two digits, three near 0 and 1, and never exactly 0 or 1."""
    if probability >= 0.9995:
        return "> 0.999"
    if probability < 0.0005:
        return "< 0.001"
    return f"= {probability:.3f}" if not 0.05 < probability < 0.95 else f"= {probability:.2f}"


def _unproved_wants(found: Verdict, times_said: bool) -> str:
    """Return which wants are not proved, and why unless that was said of the times already."""
    open_: dict[tuple[str, str], list[str]] = {}
    for item in found.wants:
        if item.status is not WantStatus.MET:
            known = times_said and item.want in TIMES
            key = item.status.value, "" if known else item.because or ""
            open_.setdefault(key, []).append(item.want)
    return "".join(
        f"; {listed(names)} {'are' if names[1:] else 'is'} {status}"
        + (f", because {because}" if because else "")
        for (status, because), names in open_.items()
    )


def _neighbours(verdicts: Verdicts) -> list[str]:
    """Return sentences on the quants that were not picked."""
    if verdicts.pick.status in _NOTHING_JUDGED:
        return []
    said = []
    for item in undecided(verdicts):
        if item.quant_tag == verdicts.pick.quant:
            continue
        assert item.probability is not None
        more = f", about {counted(item.further_tasks, 'more task')}" if item.further_tasks else ""
        word = (
            f"{item.quant_tag} probably suffices too"
            if item.probability >= 0.5
            else f"{item.quant_tag} is undecided"
        )
        said.append(f"{word} (P {chance(item.probability)}{more}).")
    lost = [item.quant_tag for item in verdicts.verdicts if item.verdict is QuantVerdict.LOST]
    if lost:
        said.append(f"{listed(lost)} {'do' if lost[1:] else 'does'} not keep it.")
    return said


def _absent(verdicts: Verdicts) -> list[str]:
    """Return a sentence for every unmeasured quant that was not mentioned yet."""
    named = (verdicts.baseline.replaces, verdicts.baseline.waits_for)
    quants = {item.quant for item in named if item}
    return [
        f"{item.quant_tag} has no verdict ({item.reason})."
        for item in verdicts.verdicts
        if item.verdict is QuantVerdict.NOT_MEASURED and item.quant_tag not in quants
    ]


def _hangs(verdicts: Verdicts) -> str:
    found = next((v for v in verdicts.verdicts if v.quant_tag == verdicts.pick.quant), None)
    if found is None or found.hangs_on is None:
        return ""
    return f"Without the tasks of {found.hangs_on} the verdict on {found.quant_tag} would change."


def _missed(verdicts: Verdicts) -> str:
    """Return a sentence on the limits missed where the claim has no word on limits."""
    found = misses(verdicts.verdicts) if verdicts.pick.status in _NOT_CHOSEN else []
    return f"Not all limits are met: {'; '.join(found)}." if found else ""
