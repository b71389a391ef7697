"""What fidelity says of a model's quants together: their order, and where it has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from orket_lib.artifacts.views.fidelity import Agreement, Fidelity
from orket_lib.vocabulary.statuses import FidelityMode


@dataclass(frozen=True)
class Evidence:
    """The fidelity of a model's quants.

    Attributes:
        mode: What the config asks for.
        found: One record per quant, most bits first; empty without a baseline, and in mode `off`.
    """

    mode: FidelityMode = FidelityMode.AGREEMENT
    found: Sequence[Fidelity] = ()

    @property
    def noise_floor(self) -> Agreement | None:
        """How far the baseline's second run agrees with its first; None without a baseline."""
        own = (it.agreement for it in self.found if it.quant_tag == it.baseline_quant)
        return next(own, None)

    @property
    def groups(self) -> list[list[Fidelity]]:
        """The quants below the baseline, the most faithful first, and equal ones together."""
        known = [
            item
            for item in self.found
            if item.quant_tag != item.baseline_quant and item.agreement.same_answer_rate is not None
        ]
        known.sort(key=_faith, reverse=True)
        return [list(group) for _, group in groupby(known, _faith)]

    @property
    def indistinct(self) -> bool:
        """Whether answers tell too little: two quants are equal, or one equals the baseline."""
        groups = self.groups
        return bool(groups) and (
            groups[0][0].agreement.same_answer_rate == 1 or any(group[1:] for group in groups)
        )


def _faith(item: Fidelity) -> tuple[float, float]:
    return item.agreement.same_answer_rate or 0.0, item.agreement.same_start_share or 0.0
