"""The answer to a sweep's wants in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from orket_lib.analysis.verdict.sentences import chance
from orket_lib.analysis.verdict.wants import TIMES, WANTS
from orket_lib.artifacts.views.verdict import Relaxation, WantCheck, WantedQuant, WantsAnswer
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import WantName, WantStatus
from orket_lib.vocabulary.text import listed

_MOST_NAMED = 3  # of the quants that nearly meet all
_UNITS = {
    WantName.DECODE_TPS: "tokens/s",
    WantName.TTFT_MS: "ms to the first token",
    WantName.LATENCY_S: "s of latency",
    WantName.MEMORY_GIB: "GiB",
    WantName.VRAM_GIB: "GiB of VRAM",
    WantName.RAM_GIB: "GiB of RAM",
    WantName.CONTEXT: "tokens of context",
}
_DIGITS = 3
IN_CI = "in lane ci speeds are not evidence"


def sentences(answer: WantsAnswer, threshold: float) -> tuple[str, ...]:
    """Return what is wanted, what meets it, what nearly does, and what would have to give.

    Args:
        answer: The answer, without words.
        threshold: Share of the baseline's adherence that a quant must keep.
    """
    by_tag = {it.quant_tag: it for it in answer.quants}
    limits = [
        f"{name} {'>=' if WANTS[name].at_least else '<='} {limit:.10g}"
        for name, limit in answer.wants.items()
    ]
    return (
        f"Wanted: {', '.join([*limits, f'{threshold:.0%} of the adherence kept'])}.",
        _met([by_tag[tag] for tag in answer.meets]),
        *_near([by_tag[tag] for tag in answer.nearly]),
        *([] if answer.meets else [_relaxed(answer.relaxations)]),
    )


def rounded(value: float, at_least: bool) -> float:
    """Return a limit with three digits, rounded to the looser side, so that it is still met."""
    if value >= 10**_DIGITS and value == int(value):
        return value  # it has no digit that is too much
    step = 10.0 ** (math.floor(math.log10(value)) + 1 - _DIGITS) if value > 0 else 1.0
    steps = math.floor(value / step + 1e-9) if at_least else math.ceil(value / step - 1e-9)
    return steps * step


def _met(quants: Sequence[WantedQuant]) -> str:
    if not quants:
        return "No quant is known to meet all of it."
    names = [it.quant_tag + (f" ({_sure(it)})" if _sure(it) else "") for it in quants]
    return f"{listed(names)} {'meet' if names[1:] else 'meets'} all of it."


def _sure(quant: WantedQuant) -> str:
    return "" if quant.probability is None else f"P {chance(quant.probability)}"


def _near(quants: Sequence[WantedQuant]) -> Iterator[str]:
    """Yield a sentence for each of the nearest; quants of which the same is open share one."""
    groups: dict[str, list[WantedQuant]] = {}
    for quant in quants:
        groups.setdefault(listed(_open(quant, several=False)), []).append(quant)
    for same in list(groups.values())[:_MOST_NAMED]:
        what = listed(_open(same[0], several=len(same) > 1))
        yield f"{listed([it.quant_tag for it in same])} {what}."
    left = sum(map(len, list(groups.values())[_MOST_NAMED:]))
    if left:
        yield f"What {left} more lack{'' if left > 1 else 's'} is in the report."


def _open(quant: WantedQuant, several: bool) -> list[str]:
    """Return what keeps a quant from meeting all, as predicates of one subject or several."""
    found = []
    if quant.quality is WantStatus.BORDERLINE:
        found.append(f"{'are' if several else 'is'} undecided in quality ({_sure(quant)})")
    if quant.quality is WantStatus.NOT_ESTABLISHED:
        found.append(f"{'have' if several else 'has'} no verdict ({quant.because})")
    unknown = [it for it in quant.checks if it.status is WantStatus.NOT_ESTABLISHED]
    found += [_off(it, quant, several) for it in quant.checks if it.status in _OFF]
    causes = [
        f"{listed([it.want for it in unknown if _why(it) == why])} ({why})"
        for why in dict.fromkeys(map(_why, unknown))
    ]
    if causes:
        found.append(f"{'are' if several else 'is'} not known to meet {' or '.join(causes)}")
    return found


def _why(check: WantCheck) -> str | None:
    """Return why a want is not established; by what a time was disturbed is in the report."""
    reason = (check.because or "").partition(":")[0]
    return "disturbed" if check.want in TIMES and reason in set(Reason) else check.because


_OFF = (WantStatus.NOT_MET, WantStatus.BORDERLINE)


def _off(check: WantCheck, quant: WantedQuant, several: bool) -> str:
    by = quant.missed_by.get(check.want)
    if check.status is WantStatus.BORDERLINE:
        return f"may miss {check.want} ({check.because})"
    miss = f"miss{'' if several else 'es'} {check.want}"
    if check.want is WantName.CONTEXT:
        reached = f"; {check.limit * (1 - by):.0f} is met" if by is not None else ""
        return f"{miss} ({check.because}{reached})"
    if by is None or check.value is None:
        return f"{miss} ({check.because})"
    share = f"{by:.0%}" if by >= 0.01 else f"{by:.1%}" if by >= 0.001 else "less than 0.1%"
    wanted = f"of {check.limit:.10g}" if WANTS[check.want].at_least else f"not {check.limit:.10g}"
    return f"{miss} by {share} ({check.value:.4g}, {wanted})"


def _relaxed(relaxations: Sequence[Relaxation]) -> str:
    if not relaxations:
        return "Loosening one want alone lets no quant through."
    groups: dict[tuple[str, ...], list[str]] = {}
    for it in relaxations:
        limit = rounded(it.relaxed, WANTS[it.want].at_least)
        groups.setdefault(it.quants, []).append(f"with {limit:.10g} {_UNITS[it.want]}")
    said = "; ".join(
        f"{', or '.join(limits)}, {listed(quants)} {'meet' if quants[1:] else 'meets'} the rest"
        for quants, limits in groups.items()
    )
    return f"{said[:1].upper()}{said[1:]}."
