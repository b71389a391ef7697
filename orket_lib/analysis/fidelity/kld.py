"""KL divergence and same top: how far a quant's next tokens are from the baseline's.

A server lists the most probable tokens only, or all of a small vocabulary. With a list, the tokens
count that are among the baseline's k most probable and in the quant's list; all others are taken as
one token, on both sides. Merging can only lower a divergence. The alternative, a least probability
for tokens that the quant doesn't list, raises it several times.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from orket_lib.artifacts.measurements.next_tokens import Token, TokenBlock
from orket_lib.artifacts.views.kld import Divergence
from orket_lib.vocabulary.nulls import Null

LEAST_BLOCKS = 20  # for an interval
_RESAMPLES = 1000
_TAILS = (2.5, 97.5)
_PERCENTILES = {"median": 50.0, "p90": 90.0, "p99": 99.0}
# Sums of float32 probabilities err by about this much; a smaller rest is nothing but error.
_ROUNDING = 1e-6
_ABOVE_1 = 1e-3  # a sum further above 1 is not one of probabilities
_LEAST_LOGPROB = -87.0  # of float32; servers write the probability 0 as a far smaller number

NO_PROBABILITIES = Null("NO_PROBABILITIES")
WRONG_PROBABILITIES = Null("WRONG_PROBABILITIES")
OTHER_TOKENS = Null("OTHER_TOKENS")

Logprobs = Mapping[Token, float]


class Place(NamedTuple):
    """The comparison at one place.

    Attributes:
        kld: KL divergence in nats.
        same_top: Whether both have the same most probable token.
        merged: Probability, by the baseline, of the tokens that are taken as one.
    """

    kld: float
    same_top: bool
    merged: float


def compare(baseline: Sequence[TokenBlock], quant: Sequence[TokenBlock]) -> Divergence:
    """Return the divergence over the blocks of one source.

    Of lists, half as many tokens count as the baseline lists, so that the quant's list very likely
    has them, too.

    Args:
        baseline: The baseline's blocks.
        quant: The quant's, of the same places.
    """
    theirs = {block.name: block for block in quant}
    if not baseline or not quant:
        return absent(NO_PROBABILITIES)
    if {block.name: block.sent_sha256 for block in baseline} != {
        block.name: block.sent_sha256 for block in quant
    }:
        return absent(OTHER_TOKENS)
    pairs = [(block, theirs[block.name]) for block in baseline]
    if all(block.tokens is None for pair in pairs for block in pair):
        whole = [places for pair in pairs if (places := _whole(*pair))]
        return summary(whole, "kld") if len(whole) == len(pairs) else absent(WRONG_PROBABILITIES)
    mine = [list(places_of(block)) for block, _ in pairs]
    others = [list(places_of(block)) for _, block in pairs]
    everywhere = [place for block in (*mine, *others) for place in block]
    if not all(everywhere):
        return absent(NO_PROBABILITIES)
    if any(map(_wrong, everywhere)):
        return absent(WRONG_PROBABILITIES)
    most = max(1, min(len(place) for block in mine for place in block) // 2)
    compared = [
        [divergence(one, other, most) for one, other in zip(block, against, strict=True)]
        for block, against in zip(mine, others, strict=True)
    ]
    return summary(compared, f"kld_topk{most}")


def divergence(baseline: Logprobs, quant: Logprobs, most: int) -> Place:
    """Return the comparison of two lists.

    Args:
        baseline: Natural logarithms of the probabilities of the listed tokens, the most probable
            first; at least one.
        quant: The same of the quant.
        most: How many of the baseline's tokens count.
    """
    kept = [(baseline[token], quant[token]) for token in list(baseline)[:most] if token in quant]
    rest = max(_ROUNDING, 1 - math.fsum(math.exp(mine) for mine, _ in kept))
    others_rest = max(_ROUNDING, 1 - math.fsum(math.exp(theirs) for _, theirs in kept))
    kld = math.fsum(math.exp(mine) * (mine - max(theirs, _LEAST_LOGPROB)) for mine, theirs in kept)
    kld += rest * math.log(rest / others_rest)
    same_top = next(iter(baseline)) == next(iter(quant))
    return Place(max(0.0, kld), same_top, min(1.0, rest))


def places_of(block: TokenBlock) -> Iterator[dict[Token, float]]:
    """Yield the listed tokens of each place, the most probable first, with their logarithms."""
    values, begin = block.values, 0
    size = len(values) // max(1, block.positions)
    for index in range(block.positions):
        names: Sequence[Token] = range(size) if block.tokens is None else block.tokens[index]
        listed = zip(names, values[begin : begin + len(names)], strict=True)
        begin += len(names)
        yield dict(sorted(listed, key=lambda pair: -pair[1]))


def summary(blocks: Sequence[Sequence[Place]], metric: str) -> Divergence:
    """Return the figures over all places of the blocks.

    Args:
        blocks: The comparisons of each block; none of them is empty.
        metric: Name of the divergence.
    """
    import numpy

    klds = [numpy.array([place.kld for place in block]) for block in blocks]
    tops = [numpy.array([float(place.same_top) for place in block]) for block in blocks]
    merged = numpy.array([place.merged for block in blocks for place in block])
    every = numpy.concatenate(klds)
    middle = numpy.percentile(every, list(_PERCENTILES.values()))
    return Divergence.of(
        metric=metric,
        blocks=len(blocks),
        positions=len(every),
        mean=float(every.mean()),
        **dict(zip(_PERCENTILES, middle.tolist(), strict=True)),
        p999=float(numpy.percentile(every, 99.9)),
        maximum=float(every.max()),
        same_top=float(numpy.concatenate(tops).mean()),
        merged_share=float(merged.mean()),
        **(_intervals(klds, tops) if len(blocks) >= LEAST_BLOCKS else {}),
    )


def absent(why: Null) -> Divergence:
    """Return a divergence that is not known."""
    readings = dict.fromkeys(Divergence.readings(), why)
    return Divergence.of(metric="kld", blocks=0, positions=0, **readings)


def _whole(baseline: TokenBlock, quant: TokenBlock) -> list[Place] | None:
    """Return the comparisons over the whole vocabulary; None without valid probabilities."""
    import numpy

    mine, theirs = (
        numpy.array(block.values).reshape(block.positions, -1) for block in (baseline, quant)
    )
    # Negated, because NaN passes no comparison.
    if mine.shape != theirs.shape or not max(mine.max(), theirs.max()) <= _ABOVE_1:
        return None
    sums = [numpy.exp(each).sum(axis=1) for each in (mine, theirs)]
    if not all(abs(total - 1).max() <= _ABOVE_1 for total in sums):
        return None
    # The sums differ from 1 by rounding, which would be taken for a divergence.
    mine, theirs = (
        numpy.maximum(each - numpy.log(total)[:, None], _LEAST_LOGPROB)
        for each, total in zip((mine, theirs), sums, strict=True)
    )
    klds = (numpy.exp(mine) * (mine - theirs)).sum(axis=1)
    same = mine.argmax(axis=1) == theirs.argmax(axis=1)
    return [
        Place(max(0.0, kld), top, 0.0)
        for kld, top in zip(klds.tolist(), same.tolist(), strict=True)
    ]


def _intervals(klds: Sequence[Any], tops: Sequence[Any]) -> dict[str, tuple[float, float]]:
    """Return the intervals, from blocks drawn with replacement; the same for the same blocks."""
    import numpy

    several = len(klds)
    # How often each block was drawn, in each resample.
    times = numpy.random.default_rng(0).multinomial(several, [1 / several] * several, _RESAMPLES)
    sizes = numpy.array(list(map(len, klds)))
    drawn = {
        name: times @ numpy.array([each.sum() for each in values]) / (times @ sizes)
        for name, values in (("mean", klds), ("same_top", tops))
    }
    every = numpy.concatenate(klds)
    order = every.argsort()
    weights = times[:, numpy.repeat(numpy.arange(several), sizes)[order]].cumsum(axis=1)
    for name, level in _PERCENTILES.items():
        reached = weights >= weights[:, -1:] * level / 100
        drawn[name] = every[order][reached.argmax(axis=1)]
    return {
        f"{name}_interval": tuple(numpy.percentile(found, _TAILS).tolist())
        for name, found in drawn.items()
    }


def _wrong(place: Logprobs) -> bool:
    """Tell whether listed values are no logarithms of probabilities."""
    values = place.values()
    return max(values) > _ABOVE_1 or math.fsum(map(math.exp, values)) > 1 + _ABOVE_1
