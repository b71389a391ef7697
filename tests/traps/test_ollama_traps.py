"""The traps on Ollama's side: its cache, its clock, its labels and its estimates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from builders import session
from measured import measured_report
from nano import bank, nano_file, nano_spec, row_of, tasks_of
from ollama_running import SimulatedOllama, simulated_ollama

from orket_lib.analysis.frontier import memory_mib
from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import ArtifactIdentity, ControlSettings, RunSpec
from orket_lib.artifacts.views.run_report import Probe, RunReport, Session
from orket_lib.measure.session.identity import identity_observations
from orket_lib.measure.session.session import OpenSession
from orket_lib.measure.speed.calibration import calibrate
from orket_lib.measure.speed.probe_prompts import OUTPUT_TOKENS, ProbeMaker
from orket_lib.measure.speed.probes import run_probe
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.processes import device_lock
from orket_lib.providers.base import GenerationRequest, Source
from orket_lib.providers.ollama.client import OllamaClient
from orket_lib.providers.ollama.provider import OllamaModel, OllamaProvider
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Lane, RunStatus

WORDS = "words:7b"  # a scripted model: a word is a token
NANO = "orket-nano:q4_K_M"
ASKED = {"tasks": 1, "runs_per_task": 2, "probe_runs": 1}

Serve = Callable[..., Any]


def cell(tag: str = WORDS, **changes: Any) -> RunSpec:
    """Return the spec of a cell that is served as a Q4_K_M."""
    spec = nano_spec("Q4_K_M", **(ASKED | {"controls": ControlSettings(seed=7)} | changes))
    update = {"provider": "ollama", "artifact": ArtifactIdentity(tag=tag)}
    return spec.model_copy(update=update)


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Return what serves a cell from a server that behaves as given."""

    @contextmanager
    def serving(wanted: RunSpec, **behaviour: Any) -> Iterator[tuple[OllamaModel, OpenSession]]:
        models = {WORDS: {}, NANO: {"file": str(nano_file("Q4_K_M"))}}
        with simulated_ollama(models, **behaviour) as server:
            source = Source(None, ServerLocation(base_url=server.url))
            with OllamaProvider().serve(wanted, source, tmp_path / "server.log") as model:
                record = session(
                    served=model.served,
                    controls=model.controls,
                    template_tokens=None,
                    machine=wanted.machine,
                )
                yield model, OpenSession(model, record, ProbeMaker(model, wanted), 0.0)

    return serving


def probe(serve: Serve, tag: str = WORDS, **behaviour: Any) -> Probe:
    """Return a probe of a server that behaves as given."""
    with serve(cell(tag), **behaviour) as (_, opened):
        return run_probe(opened, 0)


def measured(folder: Path, wanted: RunSpec, server: SimulatedOllama) -> RunReport:
    """Measure a cell for real."""
    source = Source(None, ServerLocation(base_url=server.url))
    return measured_report(folder, wanted, tasks_of(wanted), source)


def seen(found: Session | Probe | RunReport, wanted: RunSpec | None = None) -> dict[Reason, str]:
    """Return the reasons that were seen, with their evidence."""
    if isinstance(found, Session):
        assert wanted is not None
        return {item.reason: item.evidence for item in identity_observations(wanted, found)}
    return {item.reason: item.evidence for item in found.observations}


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> RunReport:
    """Return a cell of the reference model on a current server that has it on a GPU, it says."""
    folder = tmp_path_factory.mktemp("ollama")
    models = {NANO: {"file": str(nano_file("Q4_K_M"))}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device_lock, "_machine_folder", lambda: folder)
        with simulated_ollama(models, vram=90 * 1024**3) as server:
            return measured(folder / "cell", cell(NANO), server)


# --- T3, T7: the cache is always on, and the count is of the whole prompt ---


def test_t03_prefill_is_over_the_tokens_that_were_really_processed(serve: Serve) -> None:
    found = probe(serve, free_prompts=True)
    assert found.prompt_tokens is not None
    assert found.cached_tokens is not None
    assert found.prefill_seconds is not None
    processed = found.prompt_tokens - found.cached_tokens
    assert (found.prompt_tokens > 400, processed) == (True, 8)
    assert found.prompt_tokens_per_second == pytest.approx(processed / found.prefill_seconds)


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("kind", [{"cached_count": False}, {"old": True, "version": "0.9.0"}])
def test_t03_without_a_count_of_cached_tokens_there_is_no_rate(
    serve: Serve, kind: dict[str, Any], free: bool
) -> None:
    found = probe(serve, free_prompts=free, **kind)
    assert found.prompt_tokens is not None
    assert found.prefill_seconds is not None
    assert (found.cached_tokens, found.prompt_tokens_per_second) == (None, None)
    assert found.null_reasons["prompt_tokens_per_second"] == "CACHED_TOKENS_UNKNOWN"
    assert found.generation_tokens_per_second is not None, "decoding needs no cache to be known"
    assert found.rate_source == "server"


def test_t03_an_honest_server_has_both_rates(honest: RunReport) -> None:
    (found,) = honest.probes
    # The token that begins every text, and what two nonces have in common by chance.
    assert found.cached_tokens is not None and found.cached_tokens < 4
    assert found.prompt_tokens is not None
    assert found.prefill_seconds is not None
    assert found.prompt_tokens_per_second == pytest.approx(
        (found.prompt_tokens - found.cached_tokens) / found.prefill_seconds
    )


def test_t07_a_prompt_from_the_cache_is_a_reason_by_name(serve: Serve) -> None:
    found = probe(serve, free_prompts=True)
    assert Reason.PREFIX_CACHE_HIT in seen(found)
    assert f"{found.cached_tokens} of {found.prompt_tokens} prompt tokens" in str(seen(found))


def test_t07_probes_share_nothing_but_their_first_token(serve: Serve) -> None:
    with serve(cell()) as (_, opened):
        probes = [run_probe(opened, index) for index in range(3)]
    assert all(item.cached_tokens is not None and item.cached_tokens <= 1 for item in probes)
    assert all(seen(item) == {} for item in probes)


def test_t07_a_graded_question_that_is_asked_again_says_what_the_cache_served(
    honest: RunReport,
) -> None:
    first, second = (run.telemetry.token_metrics for run in honest.test_runs)
    assert first.audit.raw_usage
    assert second.audit.raw_usage
    assert first.counts.prompt_tokens == second.counts.prompt_tokens
    assert first.audit.raw_usage["prompt_eval_cached_count"] < 5, "what the template begins with"
    again = second.audit.raw_usage["prompt_eval_cached_count"]
    assert again == (second.counts.prompt_tokens or 0) - 1


# --- T4: when its clock starts ---


@pytest.mark.parametrize("clock", ["first_token", "prompt_end"])
def test_t04_the_start_of_the_clock_is_found_out(serve: Serve, clock: str) -> None:
    with serve(cell(), clock=clock) as (model, opened):
        found = calibrate(model, opened.maker)
        assert found.decode_clock == clock, found.decode_clock_evidence
        tokens = Tokens.of(model.generate(opened.maker.request()), found.decode_clock)
    assert tokens.output == OUTPUT_TOKENS
    assert tokens.intervals == OUTPUT_TOKENS - (clock == "first_token")


# --- T1, T2: its labels ---


def test_t01_a_tag_is_a_label_and_the_quant_is_read_back(serve: Serve) -> None:
    with serve(cell(NANO)) as (_, opened):
        assert seen(opened.record, cell(NANO)) == {}
        wanted = cell(NANO).model_copy(update={"quant_tag": "Q6_K"})
        evidence = seen(opened.record, wanted)[Reason.QUANT_IDENTITY_MISMATCH]
        assert "says Q4_K_M, asked for Q6_K" in evidence or "bits per weight" in evidence


def test_t01_a_manifest_that_lies_is_convicted_by_the_file(tmp_path: Path) -> None:
    lie = {"file": str(nano_file("Q2_K")), "quant": "Q4_K_M"}
    with simulated_ollama({NANO: lie}) as server:
        report = measured(tmp_path / "cell", cell(NANO), server)
    served = report.sessions[0].served
    assert (served.quant_tag, served.file_quant_tag) == ("Q4_K_M", "Q2_K")
    mismatches = [
        item.evidence
        for item in report.observations
        if item.reason is Reason.QUANT_IDENTITY_MISMATCH
    ]
    assert mismatches == [
        "the file's header says Q2_K, asked for Q4_K_M",
        "the file has 3.13 bits per weight, Q4_K_M has about 4.89",
    ]
    for lane in Lane:
        assert not row_of(report, lane).valid


def test_t01_each_quant_of_a_model_is_another_digest() -> None:
    models = {f"m:{tag}": {"file": str(nano_file(tag))} for tag in ("Q8_0", "Q2_K")}
    with simulated_ollama(models) as server:
        client = OllamaClient(server.url)
        digests = {offer.digest for offer in client.offers()}
        client.close()
    assert len(digests) == 2


def test_t02_the_context_reaches_the_server_and_is_read_back(serve: Serve) -> None:
    wanted = cell(n_ctx=768)
    with serve(wanted) as (model, opened):
        assert model.served.n_ctx == 768
        assert seen(opened.record, wanted) == {}
        found = run_probe(opened, 0)
    assert 600 <= (found.prompt_tokens or 0) + (found.output_tokens or 0) <= 768


@pytest.mark.slow
def test_t02_a_server_that_ignores_the_context_is_caught(tmp_path: Path) -> None:
    with simulated_ollama({NANO: {"file": str(nano_file("Q4_K_M"))}}, context=1024) as server:
        report = measured(tmp_path / "cell", cell(NANO), server)
    assert seen(report) == {Reason.CONTEXT_MISMATCH: "asked for 2048, served 1024"}
    for lane in Lane:
        assert not row_of(report, lane).valid


@pytest.mark.parametrize("kept", [10, 50, 200, 450])
def test_t02_a_prompt_that_is_silently_cut_is_caught(serve: Serve, kept: int) -> None:
    found = probe(serve, cut_prompts=kept)
    assert found.prompt_tokens == kept
    expected = f"{kept} prompt tokens processed of about 5"
    assert expected in seen(found)[Reason.CONTEXT_TRUNCATED]


# --- T12: its estimates ---


def test_t12_what_the_server_says_of_its_memory_is_kept_as_its_estimate(honest: RunReport) -> None:
    served = honest.sessions[0].served
    assert served.server_vram_mib == 90 * 1024
    assert served.server_memory_mib is not None
    assert served.server_memory_mib > served.server_vram_mib


def test_t12_an_estimate_of_vram_is_no_measured_peak(honest: RunReport) -> None:
    row = row_of(honest)
    assert row.peak_vram_mib is None
    # No driver here shows a GPU; with one, the simulator would not be seen on it.
    assert row.null_reasons["peak_vram_mib"] in ("NO_GPU", "NOT_SEEN_ON_A_GPU")
    assert not isinstance(memory_mib(row), float), "half of a sum is no sum"


def test_t12_peak_memory_is_that_of_the_processes_and_not_the_estimate(honest: RunReport) -> None:
    rss = row_of(honest).peak_memory_rss
    assert rss is not None
    # The server and the process that holds the model, each with an interpreter in it.
    assert 60 < rss < 2000


# --- T19: it can't ignore an end of sequence ---


@pytest.mark.parametrize("tokens", [5, 15])
def test_t19_few_tokens_make_no_rate(serve: Serve, tokens: int) -> None:
    found = probe(serve, tokens=tokens)
    assert (found.output_tokens, found.failure) == (tokens, None)
    assert found.generation_tokens_per_second is None
    assert found.null_reasons["generation_tokens_per_second"] == "TOO_FEW_OUTPUT_TOKENS"


@pytest.mark.slow
def test_t19_a_model_that_ends_every_probe_at_once_is_measured_without_rates(
    tmp_path: Path,
) -> None:
    with simulated_ollama({NANO: {"file": str(nano_file("Q4_K_M"))}}, stops=True) as server:
        report = measured(tmp_path / "cell", cell(NANO), server)
    assert report.status is RunStatus.MEASURED, report.status_reason
    row = row_of(report)
    assert row.generation_tokens_per_second is None
    assert row.adherence_score is not None
    assert row.adherence_score > 0


# --- T21: each request on a connection of its own ---


def test_t21_many_requests_in_a_row_each_have_a_connection_of_their_own(serve: Serve) -> None:
    request = GenerationRequest(bank().tasks[0].prompt, 2, 0.0, seed=7, timeout_s=30.0)
    with serve(cell()) as (model, _):
        connects = [model.generate(request).connect_s for _ in range(20)]
    assert all(seconds is not None and seconds > 0 for seconds in connects)
