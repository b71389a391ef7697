"""What fidelity says of a model's quants together: their order, and where it has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from orket_lib.artifacts.views.fidelity import Agreement, Fidelity
from orket_lib.artifacts.views.kld import Divergence
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
    def divergences(self) -> Mapping[str, Divergence]:
        """The divergences by which quants are ordered; the baseline's own is the noise floor.

        Those over the text, where every quant that was measured has one; else over the answers.
        Empty without `fidelity: kld`.
        """
        known = {it.quant_tag: it.kld for it in self.found if it.kld and it.kld.measured}
        over_text = {quant: kld.text for quant, kld in known.items() if kld.text.mean is not None}
        if len(over_text) == len(known):
            return over_text
        over_answers = {quant: kld.answers for quant, kld in known.items()}
        return {quant: it for quant, it in over_answers.items() if it.mean is not None}

    @property
    def groups(self) -> list[list[Fidelity]]:
        """The quants below the baseline, the most faithful first, and equal ones together.

        By divergence if it is known of any of them, else by their answers.
        """
        others = [item for item in self.found if item.quant_tag != item.baseline_quant]
        means = {
            item.quant_tag: mean
            for item in others
            if item.quant_tag in self.divergences
            and (mean := self.divergences[item.quant_tag].mean) is not None
        }

        def faith(item: Fidelity) -> tuple[float, float]:
            if means:
                return -means[item.quant_tag], 0.0
            return item.agreement.same_answer_rate or 0.0, item.agreement.same_start_share or 0.0

        known = [
            item
            for item in others
            if (item.quant_tag in means if means else item.agreement.same_answer_rate is not None)
        ]
        known.sort(key=faith, reverse=True)
        return [list(group) for _, group in groupby(known, faith)]

    @property
    def overlapping(self) -> Iterator[tuple[str, str]]:
        """Neighbours in the order of divergence whose 95 % intervals overlap."""
        for one, other in pairwise([item.quant_tag for group in self.groups for item in group]):
            pair = [self.divergences[quant].mean_interval for quant in (one, other)]
            if pair[0] and pair[1] and pair[0][1] > pair[1][0]:
                yield one, other

    @property
    def indistinct(self) -> bool:
        """Whether answers tell too little: two quants are equal, or one equals the baseline."""
        groups = self.groups
        return bool(groups) and (
            groups[0][0].agreement.same_answer_rate == 1 or any(group[1:] for group in groups)
        )
