"""What the report says of hardware sidecars."""

from __future__ import annotations

from typing import Any

from page_texts import page_text
from report_summaries import cells, failed, row, section, seven, summary

from orket_lib.artifacts.views.row import RowMetrics, RowSidecar
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.statuses import SidecarStatus

TITLE = "Hardware sidecar"


def probed(tag: str, decode: float | Null, **changes: Any) -> RowMetrics:
    """Return a row (2000 t/s decode, 9876 t/s prefill) with a sidecar."""
    errors = changes.pop("errors", ())
    sidecar = RowSidecar.of(
        ttft_ms=12.0,
        prefill_tps=9876.5,
        decode_tps=decode,
        model_load_ms=50.0,
        request_floor_ms=2.0,
        thermal_start_c=40.0,
        thermal_end_c=50.0,
        errors=errors,
        view_path="view.json",
    )
    return row(tag, 8.5, 0.9, sidecar=sidecar, hardware_sidecar=SidecarStatus.OK, **changes)


def test_without_a_sidecar_there_is_no_section() -> None:
    text = page_text(summary(seven()))
    assert TITLE not in text
    assert "Request floor" not in text


def test_rates_that_agree_need_no_note() -> None:
    part = section(page_text(summary([probed("Q8_0", 2100.0)])), TITLE)
    line = next(line for line in part.splitlines() if line.startswith("| Q8_0"))
    assert cells(line) == [
        "Q8_0", "OK", "none", "2100", "+5.0%", "9876", "+0.0%", "12.0", "2.00", "50.0",
    ]  # fmt: skip
    assert "No rate differs by more than 25%." in part


def test_the_sidecars_totals_are_held_against_the_wall_clock_of_the_runs() -> None:
    # An answer of 40 tokens: 12 ms + 40 / 2000 s by the sidecar, 40 ms by the wall clock.
    slow = probed("Q8_0", 2000.0, total_latency=0.04)
    part = section(page_text(summary([slow])), "Hardware sidecar")
    table = part[part.index("sidecar totals and wall clock") :]
    line = next(line for line in table.splitlines() if line.startswith("| Q8_0"))
    assert cells(line) == [
        "Q8_0", "0.0500", "0.400", "40.0", "0.0120", "0.0200", "0.0320", "0.0400", "0.00800",
        "+20.0%",
    ]  # fmt: skip


def test_totals_that_can_not_be_told_have_no_number_and_a_reason() -> None:
    lost = probed("Q8_0", 2000.0, output_tokens_per_answer=Null("TOKEN_COUNT_UNAVAILABLE"))
    text = page_text(summary([lost]))
    table = text[text.index("sidecar totals and wall clock") :]
    line = next(line for line in table.splitlines() if line.startswith("| Q8_0"))
    assert cells(line)[3:] == ["—", "0.0120", "—", "—", "0.0273", "—", "—"]
    missing = section(text, "Missing numbers")
    assert "output_tokens_per_answer: TOKEN_COUNT_UNAVAILABLE" in missing


def test_rates_that_diverge_are_named_with_what_to_trust() -> None:
    part = section(page_text(summary([probed("Q8_0", 1000.0)])), TITLE)
    assert "Q8_0: decode 1000 t/s in the sidecar, 2000 t/s in the task runs' probes (-50%)" in part
    assert "Rates differ by more than 25%." in part
    assert "Rely on the task runs to choose a quant" in part
    assert "on the sidecar to investigate the hardware" in part


def test_a_sidecar_that_failed_is_shown_with_its_errors_and_reasons() -> None:
    rows = [probed("Q8_0", Null("TIMEOUT"), errors=("timeout",)), failed("Q4_0", 4.5)]
    text = page_text(summary(rows))
    line = next(line for line in section(text, TITLE).splitlines() if line.startswith("| Q8_0"))
    assert cells(line)[2:5] == ["timeout", "—", "—"]
    assert "Q4_0" not in section(text, TITLE)
    assert "orket-nano Q8_0: sidecar decode_tps: TIMEOUT" in section(text, "Missing numbers")
