"""The report on GPUs: what each did, what energy was spent, and everything that is null."""

from __future__ import annotations

from gpu_replay import record_of
from nvml_replay import load_trace
from page_texts import page_text
from report_summaries import row, summary

from orket_lib.artifacts.measurements.gpu import GpuSummary
from orket_lib.artifacts.views.row import RowEnergy, RowMetrics
from orket_lib.measure.quality.gpu_summary import summarize_gpus
from orket_lib.measure.quality.gpu_verdicts import WatchedGpus
from orket_lib.vocabulary.nulls import Null

SPENT = RowEnergy.of(
    joules_per_output_token=4.25,
    joules_per_output_token_above_idle=3.5,
    joules_per_correct_answer=120.0,
    joules_per_correct_answer_above_idle=Null("NO_IDLE_SECOND"),
    method="counter",
)


def gpus_of(trace: str) -> tuple[GpuSummary, ...]:
    return summarize_gpus(WatchedGpus(record_of(load_trace(trace))), 0)


def text_of(**changes: object) -> str:
    one: RowMetrics = row("Q8_0", 8.5, 0.9, **changes)
    return page_text(summary([one]))


def test_each_gpu_has_a_line_and_so_has_the_energy() -> None:
    text = text_of(gpus=gpus_of("two_cards"), energy=SPENT, peak_vram_mib=9000.0)
    section = text.split("## GPUs and energy")[1].split("\n## ")[0]
    assert "| Q8_0 | 0: NVIDIA H100 80GB HBM3 | yes | 9000 |" in section
    assert "| Q8_0 | 1: NVIDIA H100 80GB HBM3 | not seen |" in section
    assert "| Q8_0 | 4.25 | 3.50 | 120 | — | energy counters of the devices |" in section


def test_every_null_of_a_gpu_is_listed_with_its_meaning() -> None:
    missing = text_of(gpus=gpus_of("unified"), energy=SPENT).split("## Missing numbers")[1]
    assert "GPU 0 memory_total_mib" in missing
    assert "NOT_SUPPORTED (the card or its driver does not report it)" in missing
    assert "energy joules_per_correct_answer_above_idle: NO_IDLE_SECOND (a GPU was " in missing


def test_without_a_gpu_no_section_is_invented_and_the_reasons_stand_below() -> None:
    nothing = RowEnergy.of(**dict.fromkeys(RowEnergy.readings(), Null("NO_GPU")), method=None)
    text = text_of(gpus_absent={"nvidia": "NO_DRIVER", "amd": "NO_DEVICE"}, energy=nothing)
    assert "## GPUs and energy" not in text
    missing = text.split("## Missing numbers")[1]
    assert "NO_DRIVER (the driver of this vendor is not installed)" in missing
    assert "energy joules_per_output_token" in missing
