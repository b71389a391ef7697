"""The count of a prompt that an older Ollama leaves out because its cache holds the prompt."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import generation

from orket_lib.providers.base import GenerationRequest, TokenReport
from orket_lib.providers.ollama.prompt_counts import PromptCounts

REQUEST = GenerationRequest("What number is 40 + 2?", 16, 0.0, seed=7, timeout_s=30.0)
FIRST = TokenReport(prompt=29, output=2, prefill_s=0.5, decode_s=0.1)


def found(*asked: tuple[GenerationRequest, TokenReport]) -> TokenReport:
    """Return what is known of the last of some requests."""
    counts = PromptCounts("ollama 0.1.30")
    answers = [
        counts.completed(request, replace(generation(), tokens=tokens)) for request, tokens in asked
    ]
    return answers[-1].tokens


@pytest.mark.parametrize("again", [None, 1, 4, 28])
def test_the_same_prompt_has_the_same_count(again: int | None) -> None:
    tokens = found((REQUEST, FIRST), (REQUEST, replace(FIRST, prompt=again)))
    assert (tokens.prompt, tokens.cached, tokens.uncached) == (29, None, None)
    assert "of an earlier request with the same prompt" in tokens.note
    assert tokens.output == 2


@pytest.mark.parametrize("ignore_eos", [False, True])
def test_a_count_that_never_came_says_which_version_leaves_it_out(ignore_eos: bool) -> None:
    tokens = found((replace(REQUEST, ignore_eos=ignore_eos), replace(FIRST, prompt=None)))
    assert tokens.prompt is None
    assert tokens.note == (
        "ollama 0.1.30 left out prompt_eval_count; Ollama before 0.2 does so for a prompt that its "
        "cache holds: update it"
    )


@pytest.mark.parametrize(
    "second",
    [
        pytest.param((REQUEST, FIRST), id="counted again"),
        pytest.param(
            (REQUEST, replace(FIRST, cached=28, uncached=1)), id="a newer one tells the cache"
        ),
        pytest.param((REQUEST, replace(FIRST, prompt=31)), id="more than before"),
        pytest.param((replace(REQUEST, prompt="a"), replace(FIRST, prompt=4)), id="another prompt"),
        pytest.param((replace(REQUEST, ignore_eos=True), replace(FIRST, prompt=27)), id="raw text"),
    ],
)
def test_a_count_of_its_own_stays(second: tuple[GenerationRequest, TokenReport]) -> None:
    assert found((REQUEST, FIRST), second) == second[1]
