"""KL divergence: exact over a whole vocabulary, a lower bound over lists, else null."""

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orket_lib.analysis.fidelity.kld import Place, compare, divergence, summary
from orket_lib.artifacts.measurements.next_tokens import Token, TokenBlock
from orket_lib.artifacts.views.kld import Divergence

WEIGHTS = st.lists(st.floats(1e-4, 1.0), min_size=12, max_size=12)


def probabilities(weights: Sequence[float]) -> list[float]:
    return [weight / math.fsum(weights) for weight in weights]


def logprobs(chances: Sequence[float]) -> dict[Token, float]:
    found: dict[Token, float] = {index: math.log(chance) for index, chance in enumerate(chances)}
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def exact(one: Sequence[float], other: Sequence[float]) -> float:
    return math.fsum(p * math.log(p / q) for p, q in zip(one, other, strict=True))


def whole(*places: Sequence[float], name: str = "a") -> TokenBlock:
    """Return a block with the probabilities of every token at each place."""
    logs = [[math.log(chance) for chance in place] for place in places]
    return TokenBlock.of(logs, source="text", name=name, sent_sha256=name, tokens=None)


def listed(*places: dict[Token, float], name: str = "a", sent: str = "") -> TokenBlock:
    """Return a block with listed probabilities, the most probable first."""
    return TokenBlock.of(
        [[math.log(chance) for chance in place.values()] for place in places],
        source="text",
        name=name,
        sent_sha256=sent or name,
        tokens=[tuple(place) for place in places],
    )


def reason(found: Divergence) -> str:
    assert set(found.null_reasons) == set(Divergence.readings())
    return found.null_reasons["mean"]


@given(WEIGHTS, WEIGHTS)
def test_the_whole_vocabulary_is_exact(mine: list[float], theirs: list[float]) -> None:
    one, other = probabilities(mine), probabilities(theirs)
    found = compare([whole(one)], [whole(other)])
    assert found.metric == "kld"
    assert found.mean == pytest.approx(exact(one, other), rel=1e-4, abs=1e-6)
    assert found.merged_share == 0


@given(WEIGHTS, WEIGHTS, st.integers(1, 12))
def test_a_list_gives_a_lower_bound(mine: list[float], theirs: list[float], most: int) -> None:
    one, other = probabilities(mine), probabilities(theirs)
    place = divergence(logprobs(one), dict(list(logprobs(other).items())[: 2 * most]), most)
    assert 0 <= place.kld <= exact(one, other) + 1e-5
    assert place.merged >= 1 - math.fsum(sorted(one, reverse=True)[:most]) - 1e-9


def test_lists_of_all_tokens_are_exact() -> None:
    one, other = probabilities([5, 3, 2]), probabilities([4, 4, 1])
    place = divergence(logprobs(one), logprobs(other), 3)
    assert place.kld == pytest.approx(exact(one, other), abs=1e-5)
    assert not place.same_top or other[0] >= other[1]


def test_a_token_that_the_quant_does_not_list_is_merged() -> None:
    baseline: dict[Token, float] = {"a": math.log(0.6), "b": math.log(0.3)}
    quant: dict[Token, float] = {"a": math.log(0.5), "c": math.log(0.2)}
    place = divergence(baseline, quant, 2)
    assert place.kld == pytest.approx(0.6 * math.log(0.6 / 0.5) + 0.4 * math.log(0.4 / 0.5))
    assert place.merged == pytest.approx(0.4)


def test_half_of_what_the_baseline_lists_counts() -> None:
    place: dict[Token, float] = {f"t{index}": 0.04 for index in range(20)}
    assert compare([listed(place)], [listed(place)]).metric == "kld_topk10"
    short = dict(list(place.items())[:5])
    assert compare([listed(place, short)], [listed(place, place)]).metric == "kld_topk2"
    assert compare([listed({"a": 0.9})], [listed({"a": 0.8})]).metric == "kld_topk1"


def test_the_same_measurement_has_no_divergence() -> None:
    block = whole(probabilities([5, 3, 2, 1e-9]), probabilities([1, 1, 1, 7]))
    found = compare([block], [block])
    assert (found.mean, found.maximum, found.same_top) == (0, 0, 1)


def test_where_there_are_no_numbers_the_reason_is_said() -> None:
    good = listed({"a": 0.5, "b": 0.4})
    empty = TokenBlock.of([[]], source="text", name="a", sent_sha256="a", tokens=[()])
    assert reason(compare([good], [empty])) == "NO_PROBABILITIES"
    assert reason(compare([], [])) == "NO_PROBABILITIES"
    assert reason(compare([good], [listed({"a": 0.9, "b": 0.8})])) == "WRONG_PROBABILITIES"
    assert reason(compare([good], [listed({"a": 1e30})])) == "WRONG_PROBABILITIES"
    assert reason(compare([whole([0.7, 0.7])], [whole([0.5, 0.5])])) == "WRONG_PROBABILITIES"
    assert reason(compare([whole([0.3, 0.3])], [whole([0.5, 0.5])])) == "WRONG_PROBABILITIES"
    assert reason(compare([good], [listed({"a": 0.5}, sent="other")])) == "OTHER_TOKENS"
    assert reason(compare([good], [listed({"a": 0.5}, name="b")])) == "OTHER_TOKENS"


def test_what_is_no_number_is_no_probability() -> None:
    broken = TokenBlock.of(
        [[math.nan, -0.7]], source="text", name="a", sent_sha256="a", tokens=None
    )
    assert reason(compare([whole([0.5, 0.5])], [broken])) == "WRONG_PROBABILITIES"


def test_a_probability_of_0_is_no_infinity() -> None:
    def block(last: float) -> TokenBlock:
        return TokenBlock.of(
            [[math.log(0.999), math.log(0.001), last]],
            source="text",
            name="a",
            sent_sha256="a",
            tokens=None,
        )

    found = compare([block(-30.0)], [block(-3.4e38)])
    assert found.mean is not None and 0 <= found.mean < 1e-9


def noisy_blocks(blocks: int, seed: int) -> list[list[Place]]:
    """Return places whose divergence depends on their block far more than on themselves."""
    random_ = random.Random(seed)
    found = []
    for _ in range(blocks):
        level = random_.expovariate(1.0)
        found.append([Place(level * random_.uniform(0.9, 1.1), True, 0.0) for _ in range(50)])
    return found


def test_intervals_are_over_blocks_and_need_20() -> None:
    assert summary(noisy_blocks(19, 1), "kld").mean_interval is None
    # The true mean is 1. Over places instead of blocks the interval would be a seventh as wide.
    hits = 0
    for seed in range(40):
        interval = summary(noisy_blocks(40, seed), "kld").mean_interval
        assert interval is not None
        hits += interval[0] <= 1 <= interval[1]
    assert hits >= 33


def test_percentiles_are_those_of_all_places() -> None:
    blocks = [
        [Place(float(10 * row + index), index > 0, 0.0) for index in range(10)] for row in range(10)
    ]
    found = summary(blocks, "kld")
    assert (found.median, found.p90, found.maximum) == (49.5, pytest.approx(89.1), 99)
    assert (found.same_top, found.positions, found.blocks) == (0.9, 100, 10)


def test_the_interval_of_a_percentile_holds_it() -> None:
    found = summary(noisy_blocks(40, 7), "kld")
    for name in ("median", "p90", "p99"):
        low, high = getattr(found, f"{name}_interval")
        assert low < getattr(found, name) <= high
