"""What to run in a given memory at a given context: a larger quant with a smaller KV cache, or not.

The memory of a cell at its own context is its measured peak. At another one the KV cache that its
server logged grows or shrinks in proportion, and all else is taken to stay as it was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orket_lib.analysis.frontier import memory_mib
from orket_lib.analysis.pareto import undominated
from orket_lib.analysis.ranking.models import MEMORY_SIZES_GIB
from orket_lib.analysis.verdict.sentences import chance
from orket_lib.artifacts.views.summary import ModelSession, SummaryRow
from orket_lib.artifacts.views.verdict import Verdict
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import QuantVerdict
from orket_lib.vocabulary.units import MIB_PER_GIB

_BASELINE = 3
_STANDING = {QuantVerdict.KEPT: 2, QuantVerdict.UNDECIDED: 1, QuantVerdict.LOST: 0}


@dataclass(frozen=True)
class Candidate:
    """A cell with its memory at a context.

    Attributes:
        row: The cell.
        memory_mib: At the context.
        verdict: On it; None for the baseline.
    """

    row: SummaryRow
    memory_mib: float
    verdict: Verdict | None

    @property
    def standing(self) -> tuple[int, float, bool, float]:
        """What is better: a better verdict, then more bits, then plain, then a likelier verdict."""
        bits, plain = self.row.quant_rank or 0.0, self.row.variant is None
        if self.verdict is None:
            return _BASELINE, bits, plain, 1.0
        known = _STANDING.get(self.verdict.verdict, -1)
        return known, bits, plain, self.verdict.probability or 0.0

    def __str__(self) -> str:
        memory = f"{self.memory_mib / MIB_PER_GIB:.3g} GiB"
        if self.verdict is None:
            return f"{self.row.quant_tag} (baseline, {memory})"
        word, kept = self.verdict.verdict.value, chance(self.verdict.probability or 0.0)
        return f"{self.row.quant_tag} ({word}, P {kept}, {memory})"


def candidates(session: ModelSession, context: int) -> list[Candidate]:
    """Return the judged cells whose memory at a context is known."""
    verdicts: Mapping[str, Verdict] = {item.quant_tag: item for item in session.verdicts}
    found = []
    for row in session.per_quant:
        memory, cache = memory_mib(row), row.artifact.kv_cache
        verdict = verdicts.get(row.quant_tag)
        judged = verdict is not None and verdict.probability is not None
        baseline = row.quant_tag == session.baseline_quant
        if not isinstance(memory, Null) and cache and (judged or baseline):
            at_context = memory + cache.mib * (context / cache.cells - 1)
            found.append(Candidate(row, at_context, None if baseline else verdict))
    return found


def pareto_tags(cells: Sequence[Candidate]) -> list[str]:
    """Return the cells that no other beats in verdict, bits and memory together."""
    kept = undominated([(*it.standing[:2], -it.memory_mib) for it in cells])
    return [it.row.quant_tag for it, keep in zip(cells, kept, strict=True) if keep]


def equal_memory(session: ModelSession, context: int) -> list[str]:
    """Return a sentence for each memory in which a variant is better than every plain quant.

    Without a usual size that some cells fit and others don't, the memory of each plain quant
    counts.
    """
    cells = candidates(session, context)
    sizes = [float(size * MIB_PER_GIB) for size in MEMORY_SIZES_GIB]
    limits = [size for size in sizes if 0 < len(_within(cells, size)) < len(cells)]
    plain = [it for it in cells if it.row.variant is None]
    lines = {}
    for limit in limits or sorted(it.memory_mib for it in plain):
        best = max(_within(cells, limit), key=lambda it: it.standing)
        rival = max(_within(plain, limit), key=lambda it: it.standing, default=None)
        if best.row.variant is not None:
            rather = f"rather than {rival}" if rival else "where no plain quant fits"
            lines[str(best)] = (
                f"At {limit / MIB_PER_GIB:.3g} GiB and {context} tokens: {best} {rather}."
            )
    return list(lines.values())


def _within(cells: Sequence[Candidate], limit_mib: float) -> list[Candidate]:
    return [it for it in cells if it.memory_mib <= limit_mib]
