"""The verdicts on all quants of a model, and the decision that follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orket_lib.analysis.fidelity.evidence import Evidence
from orket_lib.analysis.statistics import mcnemar_exact
from orket_lib.analysis.verdict.baseline import Baseline, QuantScores, baseline_among
from orket_lib.analysis.verdict.decision import Candidate, Pick, pick, smallest_proved
from orket_lib.analysis.verdict.judged_tasks import (
    JudgedTask,
    Judging,
    tasks_of,
    tasks_that_judge,
)
from orket_lib.analysis.verdict.kept_or_lost import Judged, judge
from orket_lib.analysis.verdict.stability import Repicked, Stability, stability_of
from orket_lib.artifacts.views.verdict import Decision, Verdict, WantCheck
from orket_lib.vocabulary.statuses import DecisionStatus, Prefer, QuantVerdict

_EVERYTHING_RIGHT = 0.98
# Where tasks don't order the quants, with what to do about the tasks.
NOT_ORDERED_BY_TASKS = {
    DecisionStatus.TASKS_TOO_EASY: "choose harder tasks (`task_bank:`)",
    DecisionStatus.TASKS_TOO_HARD: "choose tasks that this model can do (`task_bank:`), or more of "
    "them",
    DecisionStatus.TASKS_NOT_GRADED: "give the tasks expected answers, or add a bank that has them "
    "(`task_bank:`)",
}
_NOTHING_KNOWN = 0.5  # probability of a quant that was asked too few tasks


@dataclass(frozen=True)
class VerdictPolicy:
    """The requirements for a quant.

    Attributes:
        threshold: Share of the baseline's adherence that it must keep.
        prefer: Whether to recommend the smallest or the best quant that suffices.
    """

    threshold: float
    prefer: Prefer = Prefer.SMALLEST


@dataclass(frozen=True)
class Verdicts:
    """The verdicts on one model's quants, and the decision.

    Attributes:
        baseline: The baseline.
        judging: The tasks that count; None without a baseline.
        verdicts: One per quant of the config, most bits first.
        pick: The recommended quant, and how certain that is.
        to_be_tried: Quants whose failure may be temporary.
        stability: Whether a new sweep would pick the same; None if the tasks picked nothing.
        smallest_that_suffices: The smallest quant that provably keeps the threshold and fits.
        best_that_fits: The largest quant that misses no limit.
    """

    baseline: Baseline
    judging: Judging | None
    verdicts: tuple[Verdict, ...]
    pick: Pick
    to_be_tried: tuple[str, ...]
    stability: Stability | None = None
    smallest_that_suffices: str | None = None
    best_that_fits: str | None = None

    @property
    def kept_or_picked(self) -> list[str]:
        """The quants whose quality is good, or good enough."""
        return [
            item.quant_tag
            for item in self.verdicts
            if item.verdict is QuantVerdict.KEPT or item.quant_tag == self.pick.quant
        ]


def judge_quants(
    quants: Sequence[QuantScores],
    tasks: Sequence[JudgedTask],
    wants: Mapping[str, Sequence[WantCheck]],
    policy: VerdictPolicy,
) -> Verdicts:
    """Return the verdicts and the decision.

    Args:
        quants: All quants of the config, most bits first.
        tasks: The graded tasks that were asked.
        wants: Whether each measured quant meets each limit.
        policy: Threshold and preference.
    """
    baseline = baseline_among(quants)
    later = tuple(item.quant for item in quants if item.may_pass)
    judged: dict[str, Judged] = {}

    def verdicts() -> tuple[Verdict, ...]:
        return tuple(
            Verdict(
                quant_tag=item.quant,
                baseline_quant=baseline.used.quant if baseline.used else None,
                wants=tuple(wants.get(item.quant, ())),
                certain=item.certain,
                dropped=item.dropped.reason if item.dropped else None,
                **(
                    _claim(judged[item.quant])
                    if item.quant in judged
                    else _no_claim(item, baseline, graded=bool(tasks))
                ),
            )
            for item in quants
        )

    if baseline.used is None or baseline.used.scores is None:
        waiting = DecisionStatus.BASELINE_NOT_MEASURED
        status = waiting if baseline.waits_for else DecisionStatus.NOTHING_MEASURED
        return Verdicts(baseline, None, verdicts(), Pick(status), later)
    own = baseline.used.scores
    judging = tasks_that_judge(tasks, own)
    family_of = {task.task_id: task.family for task in tasks}
    measured = [item for item in quants if item.scores is not None]
    others = [item for item in measured if item is not baseline.used]
    for item in others:
        scores = item.scores or {}
        counted = tasks_of(tasks, own, scores)
        if not counted.too_hard:
            judged[item.quant] = judge(
                own, scores, counted.counted, family_of, policy.threshold, item.certain
            )
    candidates = _candidates(measured, judged, wants)
    proved = stable = None
    if not others:
        picked = Pick(DecisionStatus.ONE_QUANT, baseline.used.quant)
    elif judging.too_hard:
        picked = Pick(DecisionStatus.TASKS_TOO_HARD if tasks else DecisionStatus.TASKS_NOT_GRADED)
    else:
        proved = smallest_proved(candidates[1:])
        too_easy = _too_easy(measured, judging.counted)
        picked = (
            Pick(DecisionStatus.TASKS_TOO_EASY) if too_easy else pick(candidates, policy.prefer)
        )
        decided = [item for item in others if item.quant in judged]
        if picked.quant and decided:
            again = Repicked(candidates, policy.prefer, policy.threshold, picked.quant)
            stable = stability_of(own, decided, judging.counted, family_of, again)
    return Verdicts(
        baseline,
        judging,
        verdicts(),
        picked,
        later,
        stable,
        smallest_that_suffices=proved.quant if proved else None,
        best_that_fits=next((item.quant for item in candidates if item.fits), None),
    )


def decision_of(
    verdicts: Verdicts, evidence: Evidence, prefer: Prefer, why: str, next_step: str | None
) -> Decision:
    """Return the decision in the form of the summary.

    Args:
        verdicts: The verdicts on a model.
        evidence: The fidelity of its quants.
        prefer: The preference of the config.
        why: The reason in words.
        next_step: What to do next, if anything.
    """
    tags = [item.quant_tag for item in verdicts.verdicts]
    place = tags.index(verdicts.pick.quant) if verdicts.pick.quant else len(tags)
    smaller = verdicts.verdicts[place + 1 :]
    open_ = (QuantVerdict.UNDECIDED, QuantVerdict.NOT_MEASURED)
    stable = verdicts.stability
    used, replaced = verdicts.baseline.used, verdicts.baseline.replaces
    return Decision(
        status=verdicts.pick.status,
        pick=verdicts.pick.quant,
        probability=verdicts.pick.probability,
        prefer=prefer,
        baseline_quant=used.quant if used else None,
        stands_in_for=replaced.quant if replaced else None,
        smallest_that_suffices=verdicts.smallest_that_suffices,
        best_that_fits=verdicts.best_that_fits,
        smallest_decided=verdicts.pick.quant is not None
        and not any(item.verdict in open_ for item in smaller),
        smaller=[item.quant_tag for item in smaller],
        larger=tags[:place] if verdicts.pick.quant else [],
        by_fidelity=[item.quant_tag for group in evidence.groups for item in group]
        if verdicts.pick.status in NOT_ORDERED_BY_TASKS
        else [],
        stability=stable.same if stable else None,
        runner_up=stable.runner_up if stable else None,
        why=why,
        next=next_step,
    )


def _candidates(
    measured: Sequence[QuantScores],
    judged: Mapping[str, Judged],
    wants: Mapping[str, Sequence[WantCheck]],
) -> list[Candidate]:
    """Return the measured quants as candidates; the baseline keeps all of its own adherence."""
    found = []
    for item in measured:
        verdict, probability = QuantVerdict.UNDECIDED, _NOTHING_KNOWN
        if item is measured[0]:
            verdict, probability = QuantVerdict.KEPT, 1.0
        elif item.quant in judged:
            verdict = judged[item.quant].verdict
            probability = judged[item.quant].share.probability
        asked = tuple(want.status for want in wants.get(item.quant, ()))
        found.append(Candidate(item.quant, verdict, probability, asked))
    return found


def _too_easy(measured: Sequence[QuantScores], counted: Sequence[str]) -> bool:
    """Tell whether every quant answers almost all tasks that count."""
    for item in measured:
        scores = item.scores or {}
        asked = [scores[task] for task in counted if task in scores]
        if not asked or sum(asked) / len(asked) < _EVERYTHING_RIGHT:
            return False
    return True


def _claim(judged: Judged) -> dict[str, Any]:
    """Return the fields of a verdict that follow from the tasks."""
    counts, share = judged.counts, judged.share
    return {
        "verdict": judged.verdict,
        "probability": share.probability,
        "kept_share": share.middle,
        "kept_low": share.low,
        "kept_high": share.high,
        "tasks": round(counts.tasks),
        "lost": counts.lost,
        "won": counts.won,
        "p_value": mcnemar_exact(round(counts.lost), round(counts.won)),
        "further_tasks": judged.further_tasks,
        "hangs_on": judged.hangs_on,
    }


def _no_claim(item: QuantScores, baseline: Baseline, graded: bool) -> dict[str, Any]:
    """Return the same fields for the baseline, and for a quant that tasks can't judge."""
    if item.scores is None:
        verdict, reason = QuantVerdict.NOT_MEASURED, item.reason or "NOT_MEASURED"
    elif item is baseline.used:
        verdict, reason = QuantVerdict.KEPT, "BASELINE"
    else:
        verdict = QuantVerdict.UNDECIDED
        too_few = "TASKS_TOO_HARD" if graded else "TASKS_NOT_GRADED"
        reason = "NO_BASELINE" if baseline.used is None else too_few
    return {"verdict": verdict, "probability": None, "reason": reason}
