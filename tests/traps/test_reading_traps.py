"""T9, T10, T15, T16, T18: what a number means, and what replaces a missing one."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from builders import NOW, PROVENANCE, answered, generation, report, run, served, session, spec
from nano import TAGS, nano_file, row_of
from pydantic import ValidationError

from orket_lib.analysis.canary import judge_canary
from orket_lib.artifacts.base import Measured, Reading
from orket_lib.artifacts.measurements.canary import CanaryMeasurement, CanaryPolicy, CanaryRun
from orket_lib.artifacts.measurements.spec import CanarySpec
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.measure.quality.host_summary import summarize_host
from orket_lib.measure.quality.host_verdicts import judge_run
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.providers.gguf.file import read_gguf
from orket_lib.providers.llama_cpp.model import LlamaModel
from orket_lib.tasks.answers import fingerprint
from orket_lib.telemetry.host import peak_rss_mib
from orket_lib.telemetry.samples import Sample
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.quants import NOMINAL_BITS
from orket_lib.vocabulary.statuses import Outcome, TokenStatus

_MIB = 1024**2

# T9

# Two looks at a machine that has none of the optional counters.
BLIND = [Sample(at_s, 10.0 + at_s, 0.0, 0.0, 1, 1, 1) for at_s in (0.0, 2.0)]
MISSING = {
    "steal_ratio": "NO_STEAL_COUNTER",
    "swapped_mib": "NO_SWAP_COUNTER",
    "throttled_ratio": "NO_THROTTLE_COUNTER",
    "psi_cpu_some_ratio": "NO_PSI",
    "psi_memory_full_ratio": "NO_PSI",
    "frequency_mhz_min": "NO_FREQUENCY_COUNTER",
    "frequency_mhz_mean": "NO_FREQUENCY_COUNTER",
    "temperature_start_c": "NO_TEMPERATURE_SENSOR",
    "temperature_end_c": "NO_TEMPERATURE_SENSOR",
    "temperature_max_c": "NO_TEMPERATURE_SENSOR",
    "energy_j": "NO_ENERGY_COUNTER",
}


def test_t09_a_counter_that_the_machine_lacks_is_null_with_its_reason() -> None:
    assert summarize_host(BLIND, 4).null_reasons == MISSING
    around = judge_run(answered(), BLIND, 4).telemetry.host
    assert around.null_reasons == {
        "foreign_load": "NO_LOAD_AVERAGE",
        "steal_ratio": "NO_STEAL_COUNTER",
        "swapped_mib": "NO_SWAP_COUNTER",
        "throttled_ratio": "NO_THROTTLE_COUNTER",
    }


@pytest.mark.parametrize("samples", [[], BLIND[:1]], ids=["no sample", "one sample"])
def test_t09_a_host_that_was_not_watched_is_null_and_not_quiet(samples: list[Sample]) -> None:
    summary = summarize_host(samples, 4)
    assert set(summary.null_reasons) == set(summary.readings())
    around = judge_run(answered(), samples, 4).telemetry.host
    assert set(around.null_reasons.values()) == {"NOT_SAMPLED"}
    assert set(around.null_reasons) == set(around.readings())


def test_t09_energy_over_a_gap_or_a_reset_is_null() -> None:
    def watched(*looks: tuple[float, int]) -> list[Sample]:
        return [replace(BLIND[0], at_s=at_s, energy_uj=energy) for at_s, energy in looks]

    whole = summarize_host(watched((0.0, 5_000_000), (1.0, 9_000_000)), 4)
    gap = summarize_host(watched((0.0, 5_000_000), (3.5, 9_000_000)), 4)
    reset = summarize_host(watched((0.0, 5_000_000), (1.0, 1_000_000)), 4)
    assert whole.energy_j == 4.0
    assert gap.null_reasons["energy_j"] == "TELEMETRY_GAP"
    assert reset.null_reasons["energy_j"] == "ENERGY_COUNTER_RESET"


def test_t09_a_server_that_sends_nothing_leaves_nulls() -> None:
    found = Tokens.of(generation(usage=None, timings=None, chunk_s=()), "first_token").metrics()
    for part in (found.counts, found.latencies, found.throughput):
        assert set(part.null_reasons) == set(part.readings())
    assert found.status is TokenStatus.NOTHING


def test_t09_no_artifact_holds_a_null_without_a_reason() -> None:
    class Look(Measured):
        watts: Reading

    with pytest.raises(ValidationError, match="null without a reason"):
        Look.model_validate({"watts": None})
    with pytest.raises(ValidationError, match="reason without a null"):
        Look.model_validate({"watts": 0.0, "null_reasons": {"watts": "NO_SENSOR"}})
    assert Look.of(watts=Null("NO_SENSOR")).model_dump() == {
        "watts": None,
        "null_reasons": {"watts": "NO_SENSOR"},
    }


def test_t09_a_gate_on_a_null_fails_and_says_that_it_is_missing() -> None:
    run_spec = spec().model_dump(exclude={"kind", "runs_per_task", "probe_runs"})
    runs = [
        CanaryRun.of(
            test_id="add-0001",
            run_index=index,
            outcome=Outcome.PASS,
            adherence_score=1.0,
            token_status=TokenStatus.OK,
            internal_model_seconds=Null("TIMING_UNAVAILABLE"),
        )
        for index in range(3)
    ]
    measurement = CanaryMeasurement(
        generated_at=NOW,
        provenance=PROVENANCE,
        measured_at=NOW,
        boot_id="boot",
        hardware_fingerprint="machine",
        spec=CanarySpec(**run_spec, runs=3),
        spec_digest="d",
        failure=None,
        sessions=(),
        runs=tuple(runs),
    )
    policy = CanaryPolicy(
        enabled=True,
        latency_variance_threshold=1.0,
        drop_first_run=True,
        max_missing_telemetry_rate=1.0,
        max_age_hours=24,
    )
    verdict = judge_canary([measurement], policy)
    assert [name for name, _ in verdict.failures] == ["LATENCY_VARIANCE_UNAVAILABLE"]
    assert verdict.figures.internal_latency_cv is None


# T10


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.TIMEOUT])
def test_t10_a_failed_run_lowers_the_mean_and_leaves_the_latency_alone(outcome: Outcome) -> None:
    runs = (run(1, 0), run(2, 0), run(1, 1), run(2, 1, outcome))
    row = row_of(report(test_runs=runs))
    assert row.adherence_score == 0.75
    assert (row.test_runs, row.failed_runs) == (4, 1)
    assert row.total_latency == 0.32
    assert row.determinism_rate == 0.5


def test_t10_a_cell_in_which_every_run_failed_scores_zero_and_has_no_latency() -> None:
    runs = tuple(run(task, index, Outcome.TIMEOUT) for index in range(2) for task in (1, 2))
    row = row_of(report(test_runs=runs))
    assert row.adherence_score == 0.0
    assert row.failed_runs == 4
    assert (row.total_latency, row.null_reasons["total_latency"]) == (None, "NO_RUN_ANSWERED")


# T15


def test_t15_peak_memory_is_the_servers_and_not_the_clients(
    model: LlamaModel, tmp_path: Path
) -> None:
    ballast = bytearray(os.urandom(4096)) * (300 * _MIB // 4096)
    assert psutil.Process().memory_info().rss > len(ballast)
    peak = peak_rss_mib(model.pid)
    assert not isinstance(peak, Null)
    assert model.pid != os.getpid()
    assert psutil.Process(model.pid).memory_info().rss / _MIB <= peak + 1 < 300
    del ballast


def test_t15_a_run_carries_the_peak_of_its_serving_process(measured: RunReport) -> None:
    peaks = [item.telemetry.peak_memory_rss or 0.0 for item in measured.test_runs]
    assert all(before <= after for before, after in pairwise(peaks)), "a high-water mark rises"
    sampled = measured.hosts[0].peak_server_rss_mib
    assert sampled is not None
    mine = peak_rss_mib(os.getpid())
    assert not isinstance(mine, Null)
    assert mine > 1.25 * sampled, "were both alike, this test could not fail"
    assert peaks[-1] == pytest.approx(sampled, rel=0.10)
    assert measured.sessions[0].server_pid != os.getpid()


@pytest.mark.parametrize(("pid", "reason"), [(None, "REMOTE_SERVER"), (2**22 + 1, "PROCESS_GONE")])
def test_t15_without_a_process_to_look_at_there_is_no_memory(pid: int | None, reason: str) -> None:
    assert peak_rss_mib(pid) == Null(reason)


# T16


def test_t16_equal_answers_are_equal_whatever_their_times(measured: RunReport) -> None:
    tasks = {item.task_id for item in measured.test_runs}
    assert len(tasks) == 3
    for task in tasks:
        one, two = [item for item in measured.test_runs if item.task_id == task]
        assert one.telemetry.total_latency != two.telemetry.total_latency
        assert one.answer == two.answer
        assert one.answer is not None
        assert one.answer_sha256 == two.answer_sha256 == fingerprint(one.answer)
    assert row_of(measured).determinism_rate == 1.0


def test_t16_another_answer_is_another_hash_and_layout_is_none() -> None:
    assert fingerprint("42") == fingerprint(" 42\r\n") == fingerprint("```\n42\n```")
    assert fingerprint("42") != fingerprint("43")


def test_t16_one_run_tells_nothing_about_determinism() -> None:
    row = row_of(report(test_runs=(run(1), run(2))))
    assert row.determinism_rate is None
    assert row.null_reasons["determinism_rate"] == "ONE_RUN_PER_TASK"


# T18


def test_t18_quants_are_ranked_by_the_bits_that_were_counted_in_their_files() -> None:
    ranks = []
    for tag in TAGS:
        bits = read_gguf(nano_file(tag)).bits_per_weight or 0.0
        cell = report(
            spec=spec(quant_tag=tag),
            sessions=(session(served=served(quant_tag=tag, bits_per_weight=bits)),),
        )
        assert row_of(cell).quant_rank == bits * 100
        ranks.append(bits * 100)
    assert ranks == sorted(ranks, reverse=True)
    assert ranks[0] > 1600, "F16 is above everything"


def test_t18_without_a_file_the_rank_is_nominal_and_no_two_neighbours_tie() -> None:
    def unknown(tag: str) -> RunReport:
        remote = served(quant_tag=tag, bits_per_weight=Null("NO_LOCAL_FILE"))
        return report(spec=spec(quant_tag=tag), sessions=(session(served=remote),))

    def rank(tag: str) -> float:
        found = row_of(unknown(tag)).quant_rank
        assert found is not None
        return found

    four_bits = ["Q4_1", "Q4_K_M", "IQ4_NL", "Q4_K_S", "Q4_0", "IQ4_XS"]
    ordered = ["F32", "BF16", "Q8_0", *four_bits, "IQ3_XXS", "Q2_K", "IQ1_S"]
    ranks = [rank(tag) for tag in ordered]
    assert all(above > below for above, below in pairwise(ranks)), ranks
    assert all(rank(tag) == bits * 100 for tag, bits in NOMINAL_BITS.items())
