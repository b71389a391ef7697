from __future__ import annotations

import pytest
from builders import metrics

from orket_lib.analysis.sidecar.divergence import answer_time, rate_pairs
from orket_lib.artifacts.views.row import RowMetrics, RowSidecar
from orket_lib.vocabulary.nulls import Null


def probed(decode: float | Null, prefill: float | Null = 1000.0) -> RowMetrics:
    sidecar = RowSidecar.of(
        ttft_ms=100.0,
        prefill_tps=prefill,
        decode_tps=decode,
        model_load_ms=50.0,
        request_floor_ms=2.0,
        thermal_start_c=40.0,
        thermal_end_c=50.0,
        errors=(),
        view_path="view.json",
    )
    return metrics(sidecar=sidecar)  # 1000 prompt, 100 generated tokens per second


@pytest.mark.parametrize(
    ("decode", "diverges"),
    [(100.0, False), (125.0, False), (125.1, True), (75.0, False), (74.9, True), (1.0, True)],
)
def test_a_rate_diverges_when_it_is_more_than_a_quarter_off(decode: float, diverges: bool) -> None:
    prefill, pair = rate_pairs(probed(decode))
    assert (prefill.field, prefill.diverges) == ("prefill_tps", False)
    assert (pair.field, pair.diverges) == ("decode_tps", diverges)
    assert pair.difference == pytest.approx(decode / 100 - 1)


def test_what_one_side_does_not_have_is_not_compared() -> None:
    assert rate_pairs(metrics()) == ()
    assert [pair.field for pair in rate_pairs(probed(Null("NOT_PRINTED")))] == ["prefill_tps"]


def test_an_answer_takes_the_sidecars_ttft_and_its_tokens_at_the_sidecars_rate() -> None:
    # 40 tokens at 80 t/s after 100 ms, where the runs took a second.
    found = answer_time(probed(80.0))
    assert found is not None
    assert (found.ttft_s, found.decode_s, found.sidecar_s) == pytest.approx((0.1, 0.5, 0.6))
    assert (found.wall_s, found.overhead_s, found.overhead_ratio) == pytest.approx((1.0, 0.4, 0.4))


def test_what_is_missing_for_an_answers_time_says_why() -> None:
    found = answer_time(probed(Null("TIMEOUT")))
    assert found is not None
    assert (found.ttft_s, found.wall_s) == (0.1, 1.0)
    missing = {found.decode_s, found.sidecar_s, found.overhead_s, found.overhead_ratio}
    assert missing == {Null("TIMEOUT")}
    assert answer_time(metrics()) is None
