"""T1, T2, T4, T5, T7, T9, T19, T31 on servers that we only attach to: vLLM, LM Studio and the like.

The simulators speak the documented formats; the tests make them lie about some fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import report, run, session, spec
from lmstudio_server import LmStudioSimulator
from nano import row_of
from openai_server import OpenAiSimulator
from simulator_backends import WordBackend
from simulator_http import Lies, Simulator

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import ArtifactIdentity, ControlSettings, RunSpec
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.run_report import Probe, RunReport, Session
from orket_lib.measure.session.identity import identity_observations
from orket_lib.measure.session.session import OpenSession
from orket_lib.measure.speed.calibration import calibrate
from orket_lib.measure.speed.probe_prompts import PROMPT_TOKENS, ProbeMaker
from orket_lib.measure.speed.probes import run_probe
from orket_lib.providers.base import GenerationRequest, Model, Source
from orket_lib.providers.registry import provider_for
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane, TokenStatus

TAG = "lamp-7b"
PROMPT_S, PIECE_S = 0.1, 0.004
RATE = 1 / PIECE_S  # tokens a second, as the backend's clock ticks
QUESTION = GenerationRequest("What number is 12 + 0?", 32, 0.0, seed=7, timeout_s=30.0)


def vllm(**options: Any) -> Simulator:
    return OpenAiSimulator(WordBackend(PROMPT_S, PIECE_S), [TAG], **options)


def lmstudio(**options: Any) -> Simulator:
    return LmStudioSimulator(WordBackend(PROMPT_S, PIECE_S), {TAG: "Q4_K_M"}, **options)


PROVIDER = {vllm: "openai", lmstudio: "lmstudio"}
each = pytest.mark.parametrize("server", [vllm, lmstudio])


def asked_for(provider: str, **changes: Any) -> RunSpec:
    values: dict[str, Any] = {
        "provider": provider,
        "artifact": ArtifactIdentity(tag=TAG),
        "controls": ControlSettings(seed=7),
    }
    return spec(**(values | changes))


@contextmanager
def opened(
    folder: Path, provider: str, simulator: Simulator, calibrated: bool = False, **changes: Any
) -> Iterator[OpenSession]:
    """Serve a simulator's model, ready for probes."""
    wanted = asked_for(provider, **changes)
    source = Source(None, ServerLocation(base_url=simulator.base_url))
    with (
        simulator.running(),
        provider_for(provider).serve(wanted, source, folder / "server.log") as model,
    ):
        yield OpenSession(model, *_known(model, wanted, calibrated), 0.0)


def _known(model: Model, wanted: RunSpec, calibrated: bool) -> tuple[Session, ProbeMaker]:
    maker = ProbeMaker(model, wanted)
    clock = calibrate(model, maker).decode_clock if calibrated else None
    return session(served=model.served, controls=model.controls, decode_clock=clock), maker


def probed(folder: Path, provider: str, simulator: Simulator, **options: Any) -> Probe:
    """Return one probe of a simulator."""
    with opened(folder, provider, simulator, **options) as found:
        return run_probe(found, 0)


def undisturbed(
    folder: Path, provider: str, simulator: Callable[[], Simulator], **options: Any
) -> Probe:
    """Return a probe whose chunks a busy machine did not hold up: one of several, if need be."""
    for _ in range(8):
        probe = probed(folder, provider, simulator(), **options)
        if "STREAM_BUFFERED" not in probe.null_reasons.values():
            break
    return probe


def row_with(probe: Probe, lane: Lane = Lane.LAB, **changes: Any) -> RowMetrics:
    """Return the row of a cell that is fine but for its probe."""
    return row_of(report(probes=(probe,), **changes), lane)


def reasons(row: RowMetrics) -> set[Reason]:
    return {seen.reason for seen in row.run_quality_reasons}


# T1


def test_t01_lm_studio_with_another_quant_than_its_tag_says_is_convicted(tmp_path: Path) -> None:
    wanted = asked_for("lmstudio")
    with opened(tmp_path, "lmstudio", lmstudio(lies=Lies(quant="Q2_K"))) as found:
        seen = identity_observations(wanted, found.record)
    assert Reason.QUANT_IDENTITY_MISMATCH in {item.reason for item in seen}
    assert any("says Q2_K, asked for Q4_K_M" in item.evidence for item in seen)


def test_t01_a_server_that_can_not_tell_its_quant_is_noted_and_not_believed(
    tmp_path: Path,
) -> None:
    wanted = asked_for("openai")
    with opened(tmp_path, "openai", vllm()) as found:
        served = found.record.served
        seen = tuple(identity_observations(wanted, found.record))
    assert served.quant_tag is None, "nothing is repeated from the label"
    row = row_of(report(observations=seen))
    assert [item.reason for item in row.notes] == [Reason.QUANT_IDENTITY_UNVERIFIED]
    assert row.valid


# T2


@pytest.mark.parametrize(
    ("server", "options", "served"),
    [
        pytest.param(vllm, {"lies": Lies(n_ctx=1024)}, "1024", id="vllm"),
        pytest.param(vllm, {"kind": "plain"}, "unknown", id="plain"),
        pytest.param(lmstudio, {"lies": Lies(n_ctx=1024)}, "1024", id="lmstudio"),
    ],
)
def test_t02_a_context_that_is_not_the_one_asked_for_is_caught_in_every_lane(
    tmp_path: Path, server: Any, options: dict[str, Any], served: str
) -> None:
    provider = PROVIDER[server]
    with opened(tmp_path, provider, server(**options), n_ctx=2048) as found:
        seen = tuple(identity_observations(asked_for(provider, n_ctx=2048), found.record))
    mismatch = [item for item in seen if item.reason is Reason.CONTEXT_MISMATCH]
    assert [item.evidence for item in mismatch] == [f"asked for 2048, served {served}"]
    for lane in Lane:
        assert not row_of(report(observations=seen), lane).valid


@each
def test_t02_a_prompt_that_is_cut_silently_is_caught_in_every_lane(
    tmp_path: Path, server: Any
) -> None:
    probe = probed(tmp_path, PROVIDER[server], server(lies=Lies(keeps_words=100)))
    assert probe.prompt_tokens is not None
    assert probe.prompt_tokens < 0.9 * PROMPT_TOKENS
    for lane in Lane:
        row = row_with(probe, lane)
        assert Reason.CONTEXT_TRUNCATED in reasons(row)
        assert not row.valid


# T4


def test_t04_when_lm_studios_clock_starts_is_found_out(tmp_path: Path) -> None:
    with opened(tmp_path, "lmstudio", lmstudio(), calibrated=True) as found:
        probe = run_probe(found, 0)
    assert found.record.decode_clock == "first_token"
    assert probe.decode_intervals == 127
    assert probe.rate_source == "server"
    assert probe.generation_tokens_per_second == pytest.approx(RATE, rel=0.1)


def test_t04_the_clients_rate_spans_one_interval_less_than_tokens(tmp_path: Path) -> None:
    probe = undisturbed(tmp_path, "openai", vllm)
    assert probe.rate_source == "client"
    assert probe.client_decode_seconds is not None
    assert probe.generation_tokens_per_second == 127 / probe.client_decode_seconds
    assert probe.generation_tokens_per_second == pytest.approx(RATE, rel=0.1)


# T5


@each
def test_t05_events_that_come_in_bundles_are_not_counted(tmp_path: Path, server: Any) -> None:
    simulator = server(lies=Lies(bundled=8))
    probe = probed(tmp_path, PROVIDER[server], simulator, calibrated=server is lmstudio)
    assert len(set(probe.chunk_ms)) < 20
    assert probe.output_tokens == 128


# T7


@pytest.mark.parametrize("details", [True, False], ids=["usage", "counters"])
def test_t07_prompts_that_a_cache_made_free_are_caught(tmp_path: Path, details: bool) -> None:
    probe = probed(tmp_path, "openai", vllm(details=details, lies=Lies(free_prompts=True)))
    assert probe.cached_tokens is not None
    assert probe.cached_tokens > 400
    row = row_with(probe)
    assert Reason.PREFIX_CACHE_HIT in reasons(row)
    assert not row.valid


@each
def test_t07_where_nobody_says_what_was_cached_there_is_no_prompt_rate(
    tmp_path: Path, server: Any
) -> None:
    lies = Lies(free_prompts=True, tells_cache=False)
    simulator = vllm(kind="plain", lies=lies) if server is vllm else lmstudio(lies=lies)
    row = row_with(probed(tmp_path, PROVIDER[server], simulator))
    assert row.prompt_tokens_per_second is None
    assert row.null_reasons["prompt_tokens_per_second"] == "CACHED_TOKENS_UNKNOWN"


def test_t07_a_prompt_rate_is_over_what_was_not_cached(tmp_path: Path) -> None:
    probe = undisturbed(tmp_path, "openai", lambda: vllm(details=True))
    assert probe.cached_tokens == 0
    assert probe.prompt_tokens is not None
    assert probe.ttft_ms is not None
    assert probe.prompt_tokens_per_second == pytest.approx(
        probe.prompt_tokens / (probe.ttft_ms / 1000)
    )


def test_t07_a_graded_question_never_finds_its_own_earlier_run_in_the_cache(
    tmp_path: Path,
) -> None:
    with opened(tmp_path, "openai", vllm(details=True)) as found:
        cached = [found.model.generate(QUESTION).tokens.cached for _ in range(3)]
    assert cached == [0, 0, 0]


def test_t07_two_probes_share_no_long_passage(tmp_path: Path) -> None:
    # LM Studio looks for equal passages anywhere in a prompt, not only at its beginning.
    with opened(tmp_path, "lmstudio", lmstudio()) as found:
        first, second = (found.maker.request().prompt.split() for _ in range(2))
    length = 64
    passages = {tuple(first[i : i + length]) for i in range(len(first) - length)}
    assert len(passages) > 300
    assert passages.isdisjoint(tuple(second[i : i + length]) for i in range(len(second) - length))


@each
def test_t07_requests_of_others_pollute_the_row(tmp_path: Path, server: Any) -> None:
    simulator = server()
    with opened(tmp_path, PROVIDER[server], simulator) as found:
        simulator.lies = Lies(foreign=1)
        probe = run_probe(found, 0)
    row = row_with(probe)
    assert Reason.FOREIGN_REQUESTS in reasons(row)
    assert not row.valid


# T9


@each
def test_t09_a_server_that_counts_nothing_leaves_nulls_and_no_valid_row(
    tmp_path: Path, server: Any
) -> None:
    probe = undisturbed(tmp_path, PROVIDER[server], lambda: server(lies=Lies(no_usage=True)))
    for name in ("prompt_tokens", "cached_tokens", "output_tokens"):
        assert getattr(probe, name) is None
        assert probe.null_reasons[name] == "TOKEN_COUNT_UNAVAILABLE"
    row = row_with(probe)
    assert row.generation_tokens_per_second is None
    assert row.ttft_ms is not None
    assert Reason.MISSING_TOKEN_TIMINGS in reasons(row)
    assert not row.valid


def test_t09_a_server_without_times_has_client_rates_and_null_overhead(tmp_path: Path) -> None:
    probe = probed(tmp_path, "openai", vllm(details=True))
    assert probe.null_reasons["internal_model_seconds"] == "TIMING_UNAVAILABLE"
    assert [seen.reason for seen in probe.observations] == []
    with opened(tmp_path, "openai", vllm(details=True)) as found:
        graded = _graded(found)
    row = row_of(graded.model_copy(update={"probes": (probe,)}), Lane.LAB)
    assert row.valid
    assert row.rate_source == "client"
    assert row.token_metrics_status is TokenStatus.OK
    assert row.null_reasons["orchestration_overhead_ratio"] == "TIMING_UNAVAILABLE"
    assert row.total_latency is not None


def _graded(found: OpenSession) -> RunReport:
    """Return a report whose runs have the token metrics of a real answer of this server."""
    from orket_lib.measure.speed.token_metrics import Tokens

    tokens = Tokens.of(found.model.generate(QUESTION), None)
    runs = tuple(
        run(
            task,
            index,
            internal_model_seconds=tokens.internal_s,
            orchestration_overhead_ratio=tokens.internal_s,
            token_status=tokens.status,
        )
        for index in range(2)
        for task in (1, 2)
    )
    return report(test_runs=runs)


# T19


def test_t19_a_text_that_ends_early_has_no_rate(tmp_path: Path) -> None:
    simulator = lmstudio(lies=Lies(stops=True))
    probe = probed(tmp_path, "lmstudio", simulator, calibrated=True)
    assert probe.output_tokens == 2
    assert probe.null_reasons["generation_tokens_per_second"] == "TOO_FEW_OUTPUT_TOKENS"
    row = row_with(probe)
    assert row.null_reasons["generation_tokens_per_second"] == "TOO_FEW_OUTPUT_TOKENS"


def test_t19_a_length_that_the_server_does_not_keep_has_no_rate(tmp_path: Path) -> None:
    lies = Lies(ignores=("ignore_eos", "min_tokens"))
    probe = probed(tmp_path, "openai", vllm(lies=lies))
    assert probe.output_tokens == 2
    assert probe.null_reasons["generation_tokens_per_second"] == "TOO_FEW_OUTPUT_TOKENS"


def test_t19_probes_have_one_length_where_the_server_keeps_it(tmp_path: Path) -> None:
    probe = probed(tmp_path, "openai", vllm())
    assert probe.output_tokens == 128
    short = replace(QUESTION, max_tokens=64)
    with opened(tmp_path, "openai", vllm()) as found:
        assert found.model.generate(short).tokens.output == 2, "it ends by itself"


# T31


@pytest.mark.parametrize("events", [64, 1000])
def test_t31_a_stream_that_something_collected_gives_no_times(tmp_path: Path, events: int) -> None:
    probe = probed(tmp_path, "openai", vllm(details=True, lies=Lies(bundled=events)))
    assert (probe.prompt_tokens or 0) > 500
    assert probe.output_tokens == 128
    row = row_with(probe)
    for found in (probe, row):
        for name in ("ttft_ms", "prompt_tokens_per_second", "generation_tokens_per_second"):
            assert getattr(found, name) is None
            assert found.null_reasons[name] == "STREAM_BUFFERED"
    assert row.valid, "its answers are as good as any"


@pytest.mark.alone
def test_t31_a_stream_as_it_is_generated_gives_times(tmp_path: Path) -> None:
    probe = undisturbed(tmp_path, "openai", lambda: vllm(details=True))
    assert probe.ttft_ms == pytest.approx(1000 * PROMPT_S, rel=0.5)
    assert probe.prompt_tokens_per_second is not None
    assert probe.generation_tokens_per_second == pytest.approx(RATE, rel=0.1)
