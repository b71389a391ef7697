"""Whether a server uses its seed, judged by its output."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from builders import generation

from orket_lib.providers.base import Generation, GenerationRequest
from orket_lib.providers.seed_check import seed_readback


def server(draw: Callable[[int | None], object]) -> Callable[[GenerationRequest], Generation]:
    return lambda request: generation(text=str(draw(request.seed)))


def test_a_seed_that_is_used_is_held() -> None:
    found = seed_readback(server(lambda seed: random.Random(seed).random()), 7, 0.8)
    assert (found.held, found.applied, found.requested) == (True, "7", "7")


def test_the_thoughts_of_a_model_tell_as_well_as_its_words() -> None:
    def thinking(request: GenerationRequest) -> Generation:
        return generation(text="", reasoning=str(request.seed))

    assert seed_readback(thinking, 7, 0.8).held


def test_a_seed_that_is_not_used_is_not_held() -> None:
    dice = random.Random(1)
    found = seed_readback(server(lambda _: dice.random()), 7, 0.8)
    assert (found.held, found.applied, found.source) == (False, None, "one seed yielded two texts")


def test_a_server_that_draws_nothing_says_nothing_of_its_seed() -> None:
    found = seed_readback(server(lambda _: "always"), 7, 0.8)
    assert (found.held, found.applied) == (False, None)
    assert found.source == "4 seeds yielded one text"


def test_only_the_first_request_may_be_another_one_for_its_cold_cache() -> None:
    cold = [True]

    def draw(seed: int | None) -> str:
        was_cold, cold[0] = cold[0], False
        return f"{seed}{' cold' * was_cold}"

    assert seed_readback(server(draw), 7, 0.8).held


def test_greedy_decoding_asks_nothing() -> None:
    def never(_: GenerationRequest) -> Generation:
        pytest.fail("asked")

    found = seed_readback(never, 7, 0.0)
    assert (found.held, found.applied) == (True, "greedy")


def test_it_is_hot_enough_to_tell_seeds_apart() -> None:
    temperatures = []

    def answer(request: GenerationRequest) -> Generation:
        temperatures.append(request.temperature)
        return generation(text=str(request.seed))

    seed_readback(answer, 7, 0.1)
    assert min(temperatures) >= 1.0
