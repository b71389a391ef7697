"""The verdicts on all quants of a model, and the decision that follows from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orket_lib.analysis.statistics import mcnemar_exact
from orket_lib.analysis.verdict.baseline import Baseline, Standing, baseline_among
from orket_lib.analysis.verdict.decision import Candidate, Pick, pick, smallest_proved
from orket_lib.analysis.verdict.judged_tasks import JudgedTask, Judging, tasks_that_judge
from orket_lib.analysis.verdict.kept_or_lost import Judged, judge, verdict_at
from orket_lib.analysis.verdict.pairs import Masses, paired
from orket_lib.analysis.verdict.stability import Stability, stability
from orket_lib.artifacts.views.verdict import Decision, TaskStratum, Verdict, WantCheck
from orket_lib.vocabulary.verdicts import DecisionStatus, Prefer, QuantVerdict

_EVERYTHING_RIGHT = 0.98


@dataclass(frozen=True)
class VerdictPolicy:
    """What is asked of a quant.

    Attributes:
        threshold: Share of the baseline's adherence that it must keep.
        prefer: Which of those that suffice is wanted.
    """

    threshold: float
    prefer: Prefer = Prefer.SMALLEST


@dataclass(frozen=True)
class Verdicts:
    """What is claimed of one model's quants.

    Attributes:
        baseline: Against whom.
        judging: Which tasks count; None without a baseline.
        verdicts: On every quant of the config, most bits first.
        pick: What to run, and how sure that is.
        to_be_tried: Quants whose failure may pass.
        stability: Whether a new sweep would pick the same; None where nothing was picked by tasks.
        smallest_that_suffices: The smallest quant that is proved to keep the threshold, and fits.
        best_that_fits: The largest one that misses no want.
    """

    baseline: Baseline
    judging: Judging | None
    verdicts: tuple[Verdict, ...]
    pick: Pick
    to_be_tried: tuple[str, ...]
    stability: Stability | None = None
    smallest_that_suffices: str | None = None
    best_that_fits: str | None = None


def judge_quants(
    standings: Sequence[Standing],
    tasks: Sequence[JudgedTask],
    wants: Mapping[str, Sequence[WantCheck]],
    same_answers: Mapping[str, float],
    policy: VerdictPolicy,
) -> Verdicts:
    """Return the verdicts and the decision.

    Args:
        standings: All quants of the config, most bits first.
        tasks: That were asked.
        wants: Whether each measured quant meets each want.
        same_answers: Share of the baseline's answers that each quant gives in the same words.
        policy: What is asked of a quant.
    """
    baseline = baseline_among(standings)
    later = tuple(item.quant for item in standings if item.may_pass)
    if baseline.standing is None or baseline.standing.scores is None:
        status = (
            DecisionStatus.BASELINE_NOT_MEASURED
            if baseline.waits_for
            else DecisionStatus.NOTHING_MEASURED
        )
        return Verdicts(
            baseline,
            None,
            tuple(_without(item, baseline, wants, None) for item in standings),
            Pick(status),
            later,
        )
    own = baseline.standing.scores
    judging = tasks_that_judge(tasks, own)
    family_of = {task.task_id: task.family for task in tasks}
    measured = [item for item in standings if item.scores is not None]
    others = [item for item in measured if item is not baseline.standing]
    claims = not judging.too_hard
    judged = {
        item.quant: judge(own, item.scores or {}, judging.counted, family_of, policy.threshold)
        for item in others
        if claims
    }
    verdicts = tuple(
        _with(item, judged[item.quant], baseline, wants, same_answers)
        if item.quant in judged
        else _without(item, baseline, wants, same_answers.get(item.quant))
        for item in standings
    )
    candidates = _candidates(measured, judged, wants)
    fitting = [item.quant for item in candidates if item.fits]
    best = fitting[0] if fitting else None
    if not others:
        only = Pick(DecisionStatus.ONE_QUANT, baseline.standing.quant)
        return Verdicts(baseline, judging, verdicts, only, later, best_that_fits=best)
    if not claims:
        hard = Pick(DecisionStatus.TASKS_TOO_HARD)
        return Verdicts(baseline, judging, verdicts, hard, later, best_that_fits=best)
    proved = smallest_proved(candidates[1:])
    chosen = (
        Pick(DecisionStatus.TASKS_TOO_EASY)
        if _too_easy(measured, judging.counted)
        else pick(candidates, policy.prefer)
    )
    return Verdicts(
        baseline,
        judging,
        verdicts,
        chosen,
        later,
        _stability(own, others, judging, family_of, candidates, chosen, policy),
        proved.quant if proved else None,
        best,
    )


def decision_of(verdicts: Verdicts, prefer: Prefer, why: str, next_step: str | None) -> Decision:
    """Return the decision as the summary has it.

    Args:
        verdicts: What is claimed.
        prefer: What was preferred.
        why: The sentence.
        next_step: What to type, if anything.
    """
    tags = [item.quant_tag for item in verdicts.verdicts]
    place = tags.index(verdicts.pick.quant) if verdicts.pick.quant else len(tags)
    smaller = verdicts.verdicts[place + 1 :]
    open_ = (QuantVerdict.UNDECIDED, QuantVerdict.NOT_MEASURED)
    stable = verdicts.stability
    standing, absent = verdicts.baseline.standing, verdicts.baseline.stands_in_for
    return Decision(
        status=verdicts.pick.status,
        pick=verdicts.pick.quant,
        probability=verdicts.pick.probability,
        prefer=prefer,
        baseline_quant=standing.quant if standing else None,
        stands_in_for=absent.quant if absent else None,
        smallest_that_suffices=verdicts.smallest_that_suffices,
        best_that_fits=verdicts.best_that_fits,
        smallest_decided=verdicts.pick.quant is not None
        and not any(item.verdict in open_ for item in smaller),
        smaller=[item.quant_tag for item in smaller],
        larger=tags[:place] if verdicts.pick.quant else [],
        stability=stable.same if stable else None,
        runner_up=stable.runner_up if stable else None,
        why=why,
        next=next_step,
    )


def strata_of(judging: Judging | None) -> tuple[TaskStratum, ...]:
    """Return the strata as the summary has them."""
    return tuple(
        TaskStratum(name=item.name, tasks=item.tasks, baseline=item.baseline, counted=item.counted)
        for item in (judging.strata if judging else ())
    )


def _candidates(
    measured: Sequence[Standing],
    judged: Mapping[str, Judged],
    wants: Mapping[str, Sequence[WantCheck]],
) -> list[Candidate]:
    """Return the measured quants as a decision sees them; the baseline keeps all of itself."""
    return [
        Candidate(
            quant=item.quant,
            verdict=judged[item.quant].verdict if item.quant in judged else QuantVerdict.KEPT,
            probability=judged[item.quant].share.probability if item.quant in judged else 1.0,
            wants=tuple(want.status for want in wants.get(item.quant, ())),
        )
        for item in measured
    ]


def _too_easy(measured: Sequence[Standing], counted: Sequence[str]) -> bool:
    """Tell whether every quant answers next to all tasks that count."""
    for item in measured:
        scores = item.scores or {}
        asked = [scores[task] for task in counted if task in scores]
        if not asked or sum(asked) / len(asked) < _EVERYTHING_RIGHT:
            return False
    return True


def _stability(
    own: Mapping[str, float],
    others: Sequence[Standing],
    judging: Judging,
    family_of: Mapping[str, str],
    candidates: Sequence[Candidate],
    chosen: Pick,
    policy: VerdictPolicy,
) -> Stability | None:
    if chosen.quant is None:
        return None
    families: dict[str, list[str]] = defaultdict(list)
    for task in judging.counted:
        if all(task in (item.scores or {}) for item in others):
            families[family_of[task]].append(task)
    masses: dict[str, dict[str, Masses]] = {
        family: {item.quant: paired(own, item.scores or {}, ids) for item in others}
        for family, ids in families.items()
    }
    if not masses:
        return None

    def picks(probabilities: Mapping[str, float]) -> str | None:
        again = [candidates[0]] + [
            Candidate(
                item.quant,
                verdict_at(probabilities[item.quant]),
                probabilities[item.quant],
                item.wants,
            )
            for item in candidates[1:]
        ]
        return pick(again, policy.prefer).quant

    return stability(masses, policy.threshold, chosen.quant, picks)


def _with(
    standing: Standing,
    judged: Judged,
    baseline: Baseline,
    wants: Mapping[str, Sequence[WantCheck]],
    same_answers: Mapping[str, float],
) -> Verdict:
    masses, share = judged.masses, judged.share
    return Verdict(
        quant_tag=standing.quant,
        baseline_quant=baseline.standing.quant if baseline.standing else None,
        verdict=judged.verdict,
        probability=share.probability,
        kept_share=share.middle,
        kept_low=share.low,
        kept_high=share.high,
        tasks=round(masses.tasks),
        lost=masses.lost,
        won=masses.won,
        p_value=mcnemar_exact(round(masses.lost), round(masses.won)),
        further_tasks=judged.further_tasks,
        hangs_on=judged.hangs_on,
        same_answer_rate=same_answers.get(standing.quant),
        wants=tuple(wants.get(standing.quant, ())),
    )


def _without(
    standing: Standing,
    baseline: Baseline,
    wants: Mapping[str, Sequence[WantCheck]],
    same: float | None,
) -> Verdict:
    """Return what is said of a quant that no task judges: the baseline, or one without answers."""
    if standing.scores is None:
        verdict, reason = QuantVerdict.NOT_MEASURED, standing.reason or "NOT_MEASURED"
    elif standing is baseline.standing:
        verdict, reason = QuantVerdict.KEPT, "BASELINE"
    else:
        verdict = QuantVerdict.UNDECIDED
        reason = "NO_BASELINE" if baseline.standing is None else "TASKS_TOO_HARD"
    return Verdict(
        quant_tag=standing.quant,
        baseline_quant=baseline.standing.quant if baseline.standing else None,
        verdict=verdict,
        probability=None,
        same_answer_rate=same,
        wants=tuple(wants.get(standing.quant, ())),
        reason=reason,
    )
