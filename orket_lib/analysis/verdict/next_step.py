"""What to do after a sweep for a clearer result, and which quants are still open."""

from __future__ import annotations

from collections.abc import Sequence

from orket_lib.analysis.fidelity.evidence import Evidence
from orket_lib.analysis.fidelity.sentences import tells_more
from orket_lib.analysis.verdict.caveats import BaselineFails
from orket_lib.analysis.verdict.quants import NOT_ORDERED_BY_TASKS, Verdicts
from orket_lib.artifacts.views.verdict import Verdict
from orket_lib.vocabulary.statuses import (
    ADVICE,
    DecisionStatus,
    DropReason,
    QuantVerdict,
    WantName,
    WantStatus,
)
from orket_lib.vocabulary.text import listed
from orket_lib.vocabulary.units import counted

_MORE_BUDGET = "raise `budget:`, and run the same command: it continues where the budget ended"
# A quick sweep asks too few tasks to know that the others are no better.
_MORE_TASKS_HELP = (
    DecisionStatus.TASKS_TOO_HARD,
    DecisionStatus.TASKS_TOO_EASY,
    DecisionStatus.UNDECIDED,
)


def next_step(
    verdicts: Verdicts,
    evidence: Evidence,
    fails: BaselineFails | None = None,
    quick: bool = False,
) -> str | None:
    """Return what to do next; None if nothing is open.

    Args:
        verdicts: On the quants of a model.
        evidence: Their fidelity.
        fails: How the baseline mostly fails.
        quick: Whether only a few of the tasks were asked.
    """
    status = verdicts.pick.status
    if verdicts.to_be_tried:
        return f"rerun the same command: it measures {listed(verdicts.to_be_tried)} again"
    if status is DecisionStatus.NOTHING_MEASURED:
        return "see why each quant failed, and fix the config"
    if fails:
        return f"{ADVICE[fails.failure]}, and run the same command: {fails}"
    if quick and (status in _MORE_TASKS_HELP or undecided(verdicts)):
        return "run the same command without `quick`: it asks all tasks, and keeps these answers"
    if status is DecisionStatus.ONE_QUANT:
        if verdicts.verdicts[1:]:
            return "see why the other quants failed, and fix the config"
        return "add a second quant to `quants:`, and run the same command"
    ended = any(item.dropped is DropReason.BUDGET_SPENT for item in verdicts.verdicts)
    if ended and status in (DecisionStatus.TASKS_TOO_HARD, DecisionStatus.TASKS_TOO_EASY):
        return _MORE_BUDGET
    if status in NOT_ORDERED_BY_TASKS:
        return NOT_ORDERED_BY_TASKS[status] + tells_more(evidence)
    if status is DecisionStatus.NOTHING_FITS:
        return f"loosen {_limits(verdicts.verdicts)}, or add a smaller quant to `quants:`"
    if status is DecisionStatus.UNDECIDED and what_fits_is_lost(verdicts):
        return f"loosen {_limits(verdicts.verdicts)}, or add a quant between these to `quants:`"
    open_ = undecided(verdicts)
    if ended and open_:
        return _MORE_BUDGET
    needed = [item.further_tasks for item in open_ if item.further_tasks]
    if needed:
        return (
            f"ask about {counted(min(needed), 'more task')} of these kinds (a higher "
            "`task_limit`, or a larger `task_bank`): only those are measured"
        )
    if open_:
        return "add tasks of another kind (`task_bank:`); more of these won't decide it"
    return None


def undecided(verdicts: Verdicts) -> list[Verdict]:
    """Return the quants that more tasks may decide, unless nothing hangs on that."""
    return [
        item
        for item in verdicts.verdicts
        if item.verdict is QuantVerdict.UNDECIDED
        and item.probability is not None
        and item.dropped is not DropReason.MATTERS_NO_MORE
        and not misses([item])
    ]


def what_fits_is_lost(verdicts: Verdicts) -> bool:
    """Tell whether every measured quant either misses a limit or does not keep the threshold."""
    return all(
        item.verdict in (QuantVerdict.LOST, QuantVerdict.NOT_MEASURED)
        or any(want.status is WantStatus.NOT_MET for want in item.wants)
        for item in verdicts.verdicts
    )


def misses(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the limits that quants miss, with what was measured."""
    return [
        f"{item.quant_tag} has {want.want} {want.value:g}, wanted {want.limit:g}"
        for item in verdicts
        for want in item.wants
        if want.status is WantStatus.NOT_MET and want.value is not None
    ]


def _limits(verdicts: Sequence[Verdict]) -> str:
    """Return the keys of the limits that were missed."""
    missed = {w.want for item in verdicts for w in item.wants if w.status is WantStatus.NOT_MET}
    return "`wants:`" + (" or `latency_ceiling:`" if WantName.LATENCY_S in missed else "")
