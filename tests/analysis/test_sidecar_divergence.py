from __future__ import annotations

import pytest
from builders import metrics

from orket_lib.analysis.divergence import rate_pairs
from orket_lib.artifacts.row import RowMetrics, RowSidecar
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
