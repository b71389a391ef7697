"""From what Ollama and OpenAI servers list to a divergence, or to the reason of a null."""

from __future__ import annotations

import math
from contextlib import closing
from typing import Any

import pytest
from probability_server import Body, server

from orket_lib.analysis.fidelity.kld import compare
from orket_lib.artifacts.measurements.next_tokens import TokenBlock, TokenSample
from orket_lib.artifacts.views.kld import Divergence
from orket_lib.measure.fidelity.blocks import AnsweredQuestion, blocks_of
from orket_lib.measure.fidelity.measurement import ask_block
from orket_lib.providers.ollama.scorer import OllamaScorer
from orket_lib.providers.openai.scorer import OpenAiScorer

SAMPLE = TokenSample(windows=1, window_tokens=8)
ANSWERS = [AnsweredQuestion("a-0001", "Why?", "Because it is so.")]
TEXT = "one two three four five six seven eight nine"


def chances(count: int, first: float, rest: float) -> dict[str, float]:
    """Return the logarithms of `count` tokens, the first with one probability, others another."""
    return {f"t{index}": math.log(rest if index else first) for index in range(count)}


def ollama(listed: dict[str, float] | None) -> Any:
    place: Body = {"token": "t0", "logprob": -0.1}
    if listed is not None:
        place["top_logprobs"] = [{"token": it, "logprob": value} for it, value in listed.items()]
    return {"response": "t0", "logprobs": [place]}


def openai(listed: dict[str, float] | None) -> Any:
    return {"choices": [{"logprobs": {"top_logprobs": [listed]}}]}


def measured(kind: str, listed: dict[str, float] | None) -> list[TokenBlock]:
    """Return the blocks that a server of a kind gives, which always lists the same."""

    def answer(path: str, _: Body) -> Any:
        if path == "/tokenize":
            return 404
        return ollama(listed) if kind == "ollama" else openai(listed)

    with server(answer) as (address, _):
        scorer: OllamaScorer | OpenAiScorer = (
            OllamaScorer(address, "tag", {}, 5.0, lambda error: error)
            if kind == "ollama"
            else OpenAiScorer(address, "m", 5.0, lambda error: error)
        )
        with closing(scorer):
            blocks = list(blocks_of(scorer, ANSWERS, TEXT, SAMPLE))
            return [ask_block(scorer, block, 80) for block in blocks]


def divergence(
    kind: str, baseline: dict[str, float] | None, quant: dict[str, float] | None
) -> Divergence:
    return compare(measured(kind, baseline), measured(kind, quant))


KINDS = pytest.mark.parametrize("kind", ["ollama", "openai"])


@KINDS
def test_20_of_them_give_a_divergence_over_10(kind: str) -> None:
    found = divergence(kind, chances(20, 0.5, 0.02), chances(20, 0.4, 0.03))
    assert (found.metric, found.positions) == ("kld_topk10", 7)
    one, other = 0.5 + 9 * 0.02, 0.4 + 9 * 0.03
    exact = 0.5 * math.log(0.5 / 0.4) + 9 * 0.02 * math.log(0.02 / 0.03)
    exact += (1 - one) * math.log((1 - one) / (1 - other))
    assert found.mean == pytest.approx(exact, rel=1e-4)
    assert found.merged_share == pytest.approx(1 - one, abs=1e-5)


@KINDS
def test_fewer_of_them_give_a_divergence_over_fewer(kind: str) -> None:
    assert divergence(kind, chances(5, 0.5, 0.1), chances(5, 0.4, 0.1)).metric == "kld_topk2"
    shorter = divergence(kind, chances(20, 0.5, 0.02), chances(3, 0.4, 0.1))
    assert shorter.metric == "kld_topk10" and shorter.mean is not None


@KINDS
@pytest.mark.parametrize("listed", [None, {}])
def test_none_of_them_is_a_null(kind: str, listed: dict[str, float] | None) -> None:
    found = divergence(kind, chances(20, 0.5, 0.02), listed)
    assert found.mean is None and found.null_reasons["mean"] == "NO_PROBABILITIES"
    assert found.null_reasons["same_top"] == "NO_PROBABILITIES"


@KINDS
def test_probabilities_that_add_up_to_more_than_1_are_a_null(kind: str) -> None:
    found = divergence(kind, chances(20, 0.5, 0.02), chances(20, 0.9, 0.5))
    assert found.mean is None and found.null_reasons["mean"] == "WRONG_PROBABILITIES"
