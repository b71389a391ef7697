"""The comparison with `llama-perplexity`: what it prints, and when the two agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from kld_check import Figures, agreement, cut, output_of, read_figures

from orket_lib.analysis.fidelity.kld import absent, compare
from orket_lib.artifacts.measurements.next_tokens import TokenBlock
from orket_lib.artifacts.views.kld import Divergence
from orket_lib.vocabulary.nulls import Null

PRINTED = """
====== KL divergence statistics ======
Mean    KLD:   0.036912 ±   0.000034
Maximum KLD:   5.725135
99.9%   KLD:   0.293854
99.0%   KLD:   0.157694
Median  KLD:   0.029869
 1.0%   KLD:   0.000005

====== Token probability statistics ======
Mean    Δp: -1.956 ± 0.004 %
Same top p: 92.500 ± 0.023 %
"""


def test_the_figures_of_llama_perplexity_are_read() -> None:
    found = read_figures(PRINTED)
    assert found == Figures(0.036912, 0.029869, 0.157694, 5.725135, 0.925)


def test_an_output_without_them_ends_the_check() -> None:
    with pytest.raises(SystemExit, match="printed no p99"):
        read_figures(PRINTED.replace("99.0%   KLD", "98.0%   KLD"))


@pytest.mark.parametrize(
    "said",
    ["inconsistent vocabulary (640 vs 641)", "has been computed with 512, while", "failed reading"],
)
def test_what_it_only_logs_ends_the_check(said: str, tmp_path: Path) -> None:
    program = tmp_path / "llama-perplexity"
    program.write_text(f"#!/bin/sh\necho 'kl_divergence: {said}' >&2\ncat <<'E'\n{PRINTED}\nE\n")
    program.chmod(0o755)
    with pytest.raises(SystemExit, match="exit status 0"):
        output_of([str(program)])


def ours(mean: float, same_top: float = 0.9) -> Divergence:
    known = absent(Null("NOT_MEASURED")).model_dump(exclude={"null_reasons"})
    numbers = dict.fromkeys(Divergence.readings(), 0.0)
    return Divergence.of(**{**known, **numbers, "mean": mean, "same_top": same_top})


def theirs(mean: float, same_top: float = 0.9) -> Figures:
    return Figures(mean, 0.0, 0.0, 0.0, same_top)


@pytest.mark.parametrize(
    ("one", "other", "floor", "agrees"),
    [(0.100, 0.109, 0.0, True), (0.100, 0.112, 0.0, False), (0.100, 0.112, 0.02, True)],
)
def test_they_agree_within_a_tenth_or_the_noise_floors(
    one: float, other: float, floor: float, agrees: bool
) -> None:
    by_us = {"again": ours(floor, 1.0), "q": ours(one)}
    by_them = {"again": theirs(-floor / 10, 1.0), "q": theirs(other)}
    line, found = agreement("q", by_us, by_them, "again")
    assert found is agrees
    assert ("DIFFERENT" in line) is not agrees


def test_other_top_tokens_are_a_difference() -> None:
    by_us = {"again": ours(0.0, 1.0), "q": ours(0.1, 0.9)}
    by_them = {"again": theirs(0.0, 1.0), "q": theirs(0.1, 0.7)}
    assert not agreement("q", by_us, by_them, "again")[1]


def test_a_cut_list_is_what_a_server_would_have_sent() -> None:
    block = TokenBlock.of(
        [[-3.0, -0.1, -9.0, -5.0]], source="text", name="0", sent_sha256="s", tokens=None
    )
    assert cut(block, 2).tokens == ((1, 0),)
    assert compare([cut(block, 4)], [cut(block, 4)]).metric == "kld_topk2"
