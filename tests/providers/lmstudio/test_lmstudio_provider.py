"""Provider `lmstudio` against simulators of its versions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import session, spec
from lmstudio_server import LmStudioSimulator
from simulator_backends import WordBackend
from simulator_http import Lies

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import ArtifactIdentity, ControlSettings, RunSpec
from orket_lib.measure.session.identity import identity_observations
from orket_lib.providers import shared_server
from orket_lib.providers.base import GenerationRequest, Model, Source
from orket_lib.providers.lmstudio.client import LmStudioClient
from orket_lib.providers.lmstudio.provider import LmStudioProvider
from orket_lib.vocabulary.errors import (
    Fault,
    LoadError,
    RequestFailed,
    RequestTimedOut,
    ServerCrashed,
)
from orket_lib.vocabulary.reasons import Reason

TAG, OTHER = "lamp-7b@q4_k_m", "boat-3b"
QUESTION = GenerationRequest("What number is 12 + 0?", 32, 0.0, seed=7, timeout_s=30.0)
PROBE = GenerationRequest("The boat", 32, 0.0, seed=7, timeout_s=30.0, ignore_eos=True)
NEWER, OLDER = {"native": True}, {"native": False}
both = pytest.mark.parametrize("version", [NEWER, OLDER], ids=["since 0.4", "before 0.4"])


@contextmanager
def simulated(**options: Any) -> Iterator[LmStudioSimulator]:
    """Run an LM Studio with two models."""
    simulator = LmStudioSimulator(WordBackend(), {TAG: "Q4_K_M", OTHER: "Q8_0"}, **options)
    with simulator.running():
        yield simulator


def asked_for(tag: str = TAG, **changes: Any) -> RunSpec:
    """Return the spec of a cell that LM Studio has under a name."""
    values: dict[str, Any] = {
        "provider": "lmstudio",
        "artifact": ArtifactIdentity(tag=tag),
        "controls": ControlSettings(seed=7),
    }
    return spec(**(values | changes))


@contextmanager
def served(
    simulator: LmStudioSimulator, log: Path, place: dict[str, Any] | None = None, **changes: Any
) -> Iterator[Model]:
    """Serve a model of a simulator."""
    where = ServerLocation(**{"base_url": simulator.base_url, **(place or {})})
    with LmStudioProvider().serve(asked_for(**changes), Source(None, where), log) as model:
        yield model


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Don't wait a minute for a model that never goes."""
    monkeypatch.setattr(shared_server, "GONE_S", 3.0)
    monkeypatch.setattr(shared_server, "POLL_S", 0.02)


# Loading and unloading


def test_a_model_is_loaded_with_its_context_and_unloaded_afterwards(log: Path) -> None:
    with simulated() as simulator:
        with served(simulator, log, n_ctx=3000) as model:
            assert {name: found.n_ctx for name, found in simulator.loaded.items()} == {TAG: 3000}
            assert model.served.n_ctx == 3000
            assert model.load.load_seconds is not None
            assert model.load.model_seconds is not None
            assert model.load.model_seconds <= model.load.load_seconds + 0.001
        assert simulator.loaded == {}
        (asked,) = simulator.asked("/api/v1/models/load")
        assert asked == {"model": TAG, "context_length": 3000, "echo_load_config": True}
        assert simulator.asked("/api/v1/models/unload") == [{"instance_id": TAG}]
    assert f"unloaded {TAG}" in log.read_text(encoding="utf-8")


def test_settings_of_the_load_are_sent_and_read_back_where_it_lists_them(log: Path) -> None:
    with simulated() as simulator:
        with served(simulator, log, flash_attn="on", batch_size=64) as model:
            found = [(it.name, it.applied, it.held) for it in model.controls[1:]]
        (asked,) = simulator.asked("/api/v1/models/load")
    assert (asked["flash_attention"], asked["eval_batch_size"]) == (True, 64)
    # This version lists flash attention, and not the batch.
    assert found == [("flash_attn", "on", True), ("batch_size", None, False)]


def test_an_older_version_loads_when_it_is_asked_and_forgets_when_we_leave(log: Path) -> None:
    with simulated(**OLDER) as simulator:
        with served(simulator, log, n_ctx=3000) as model:
            assert list(simulator.loaded) == [TAG]
            assert model.served.n_ctx == 4096, "its own default, read back"
            assert model.load.load_seconds is not None
            assert model.load.null_reasons == {"model_seconds": "NOT_REPORTED"}
        assert simulator.loaded == {}


def test_an_older_version_with_too_small_a_context_is_caught_and_says_how_to_set_it(
    log: Path,
) -> None:
    wanted = asked_for(n_ctx=8192)
    with simulated(**OLDER) as simulator, served(simulator, log, n_ctx=8192) as model:
        found = identity_observations(wanted, session(served=model.served))
    assert [(seen.reason, seen.evidence) for seen in found] == [
        (Reason.CONTEXT_MISMATCH, "asked for 8192, served 4096")
    ]
    assert "context of 4096 instead of 8192" in log.read_text(encoding="utf-8")


@both
def test_a_model_of_somebody_else_stops_us_by_name(log: Path, version: dict[str, Any]) -> None:
    with simulated(**version) as simulator:
        simulator.load(OTHER, 2048)
        with (
            pytest.raises(
                LoadError, match=f"{OTHER} loaded for another client; .*lms unload {OTHER}"
            ),
            served(simulator, log),
        ):
            pytest.fail("it was served")
        assert list(simulator.loaded) == [OTHER], "and it is left alone"


def test_our_own_model_loaded_by_somebody_else_is_somebody_elses(log: Path) -> None:
    with simulated() as simulator:
        simulator.load(TAG, 2048)
        with pytest.raises(LoadError, match="for another client"), served(simulator, log):
            pytest.fail("it was served")


def test_a_server_of_our_own_is_made_empty_first_and_that_is_written_down(log: Path) -> None:
    with simulated() as simulator:
        simulator.load(OTHER, 2048)
        simulator.load(OTHER, 2048)
        with served(simulator, log, {"exclusive": True}):
            assert list(simulator.loaded) == [TAG]
        assert simulator.loaded == {}
    text = log.read_text(encoding="utf-8")
    assert f"unloaded {OTHER}, which another client had loaded" in text
    assert f"unloaded {OTHER}:2, which another client had loaded" in text


def test_an_older_version_can_not_be_made_empty_and_says_so(log: Path) -> None:
    with simulated(**OLDER) as simulator:
        simulator.load(OTHER, 2048)
        with (
            pytest.raises(LoadError, match="exclusive has no effect before"),
            served(simulator, log, {"exclusive": True}),
        ):
            pytest.fail("it was served")


def test_a_model_that_does_not_go_is_told_and_stops_the_next_one(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_server, "GONE_S", 0.1)
    with simulated(lies=Lies(stays=True)) as simulator:
        with served(simulator, log) as model:
            assert model.generate(QUESTION).text == "12."
        assert "is still loaded 0.1 s after the request to unload it" in log.read_text(
            encoding="utf-8"
        )
        with pytest.raises(LoadError, match="for another client"), served(simulator, log):
            pytest.fail("it was served")
        with (
            pytest.raises(LoadError, match="is still loaded"),
            served(simulator, log, {"exclusive": True}),
        ):
            pytest.fail("it was served")


def test_an_error_of_ours_unloads_the_model_too(log: Path) -> None:
    with simulated() as simulator:
        with pytest.raises(RuntimeError, match="ours"), served(simulator, log):
            raise RuntimeError("ours")
        assert simulator.loaded == {}


@both
def test_two_sessions_are_two_loads(log: Path, version: dict[str, Any]) -> None:
    with simulated(**version) as simulator:
        found = []
        for _ in range(2):
            with served(simulator, log) as model:
                found.append(model.served)
            assert simulator.loaded == {}
    assert found[0] == found[1]


# What does not load


def test_a_model_that_is_not_there_is_told_with_the_line_that_gets_it(log: Path) -> None:
    with (
        simulated() as simulator,
        pytest.raises(LoadError, match=f"has {TAG}, {OTHER}, and not ship-1b; type: lms get ship"),
        served(simulator, log, tag="ship-1b"),
    ):
        pytest.fail("it was served")


def test_no_lm_studio_is_told_with_the_line_that_starts_it(log: Path) -> None:
    source = Source(None, ServerLocation(base_url="http://127.0.0.1:9"))
    with (
        pytest.raises(LoadError, match=r"at http://127\.0\.0\.1:9; type: lms server start"),
        LmStudioProvider().serve(asked_for(), source, log),
    ):
        pytest.fail("it was served")


def test_another_server_is_no_lm_studio(log: Path) -> None:
    from openai_server import OpenAiSimulator

    simulator = OpenAiSimulator(WordBackend(), [TAG])
    with (
        simulator.running(),
        pytest.raises(LoadError, match="no LM Studio answers"),
        served(simulator, log),  # type: ignore[arg-type]
    ):
        pytest.fail("it was served")


def test_a_token_is_asked_for_and_taken_from_the_environment(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LM_TOKEN", "s3cret")
    with simulated(lies=Lies(api_key="s3cret")) as simulator:
        with pytest.raises(LoadError, match=r"api_key: \$\{ENV:NAME\}"), served(simulator, log):
            pytest.fail("it was served")
        with served(simulator, log, {"api_key": "${ENV:LM_TOKEN}"}) as model:
            assert model.generate(QUESTION).text == "12."


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("Failed to load model: unknown architecture", "did not load: .*HTTP 500: .*unknown arch"),
        ("Model loading was stopped due to insufficient system resources.", "out of memory"),
    ],
)
def test_a_model_that_does_not_load_is_told_in_the_servers_words(
    log: Path, said: str, message: str
) -> None:
    with (
        simulated(load_error=said) as simulator,
        pytest.raises(LoadError, match=message),
        served(simulator, log),
    ):
        pytest.fail("it was served")


@both
@pytest.mark.parametrize(
    "ends", [RequestFailed("HTTP 400: no template"), RequestTimedOut("silent"), KeyboardInterrupt()]
)
def test_what_came_to_be_loaded_by_a_load_that_failed_is_unloaded(
    log: Path, version: dict[str, Any], ends: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would stop every later cell, as a foreign one."""
    failed: list[BaseException] = []
    for name in ("load", "load_by_asking"):
        whole = getattr(LmStudioClient, name)

        def fails_once(client: LmStudioClient, tag: str, how: Any, whole: Any = whole) -> Any:
            result = whole(client, tag, how)
            if not failed:
                failed.append(ends)
                raise ends
            return result

        monkeypatch.setattr(LmStudioClient, name, fails_once)
    with simulated(**version) as simulator:
        with (
            pytest.raises(KeyboardInterrupt if isinstance(ends, KeyboardInterrupt) else LoadError),
            served(simulator, log),
        ):
            pytest.fail("it was served")
        with served(simulator, log) as model:
            assert model.served.quant_tag == "Q4_K_M"
    assert failed


# What is served


@both
def test_quant_and_runtime_are_read_back_from_an_answer(log: Path, version: dict[str, Any]) -> None:
    with simulated(**version) as simulator, served(simulator, log) as model:
        found = model.served
    assert found.quant_tag == "Q4_K_M"
    assert found.quant_source == "/api/v0/chat/completions model_info.quant"
    assert found.build == "LM Studio, llama.cpp-linux-x86_64-avx2 1.52.0"
    assert found.bits_per_weight is None


def test_another_quant_than_the_one_asked_for_is_caught(log: Path) -> None:
    with simulated(lies=Lies(quant="Q8_0")) as simulator, served(simulator, log) as model:
        found = identity_observations(asked_for(), session(served=model.served))
    assert Reason.QUANT_IDENTITY_MISMATCH in {seen.reason for seen in found}
    assert any("says Q8_0, asked for Q4_K_M" in seen.evidence for seen in found)


def test_without_routes_of_its_own_it_answers_over_the_common_ones(log: Path) -> None:
    with simulated(own=False) as simulator, served(simulator, log) as model:
        assert (model.served.quant_source, model.served.build) == ("list of models", "LM Studio")
        found = model.generate(QUESTION)
        assert simulator.asked("/v1/chat/completions")[-1]["model"] == TAG
    assert (found.text, found.tokens.decode_s, found.timings) == ("12.", None, None)
    assert found.tokens.output == 2


def test_the_route_is_one_that_counts_its_tokens(log: Path) -> None:
    with simulated(counts_own=False) as simulator, served(simulator, log) as model:
        found = model.generate(QUESTION)
    assert found.tokens.output == 2
    assert found.timings is None


def test_reasoning_is_switched_and_judged_by_an_answer(log: Path) -> None:
    with simulated() as simulator, served(simulator, log, thinking="off") as model:
        (thinking,) = (item for item in model.controls if item.name == "thinking")
        assert (thinking.applied, thinking.held) == ("off", True)
        model.generate(replace(QUESTION, thinking=False))
        assert simulator.requests[-1][2]["reasoning_effort"] == "none"
        model.generate(replace(PROBE, thinking=False))
        assert "reasoning_effort" not in simulator.requests[-1][2]


@both
def test_counts_and_times_are_the_servers(log: Path, version: dict[str, Any]) -> None:
    with simulated(**version) as simulator, served(simulator, log) as model:
        found = model.generate(PROBE)
        assert simulator.requests[-1][1] == "/api/v0/completions", "without the chat template"
        assert "messages" not in simulator.requests[-1][2]
    assert found.text == "wörd7 " * 32
    assert (found.tokens.prompt, found.tokens.output) == (5, 32)
    assert found.tokens.decode_s is not None
    assert (found.tokens.cached, found.tokens.uncached, found.tokens.prefill_s) == (None,) * 3
    assert found.timings is not None
    assert found.timings["stop_reason"] == "maxPredictedTokensReached"


def test_the_process_is_the_one_that_listens(log: Path) -> None:
    with simulated() as simulator, served(simulator, log) as model:
        assert model.pid == os.getpid(), "the simulator runs in this process"


@pytest.mark.parametrize("lies", [Lies(bundled=5), Lies(split=True), Lies(no_stats=True)])
def test_the_answer_is_the_same_however_it_is_cut(log: Path, lies: Lies) -> None:
    with simulated(lies=lies) as simulator, served(simulator, log) as model:
        assert model.generate(QUESTION).text == "12."
        assert model.generate(PROBE).text == "wörd7 " * 32


def test_reasoning_is_no_answer(log: Path) -> None:
    with simulated(lies=Lies(reasoning=1)) as simulator, served(simulator, log) as model:
        found = model.generate(QUESTION)
    assert (found.reasoning, found.text) == ("12", ".")


def test_a_seed_is_held_when_it_is_seen_to_be_used(log: Path) -> None:
    for lies, held in ((Lies(), True), (Lies(ignores=("seed",)), False)):
        with simulated(lies=lies) as simulator, served(simulator, log, temperature=0.7) as model:
            (control,) = model.controls
        assert control.held is held


# What else happens


@both
def test_a_quiet_server_has_no_disturbances(log: Path, version: dict[str, Any]) -> None:
    with simulated(**version) as simulator, served(simulator, log) as model:
        for _ in range(3):
            model.generate(QUESTION)
            assert model.disturbances() == ()


@both
def test_a_second_model_in_memory_is_told_by_name(log: Path, version: dict[str, Any]) -> None:
    with simulated(**version) as simulator, served(simulator, log) as model:
        simulator.load(OTHER, 2048)
        model.generate(QUESTION)
        (seen,) = model.disturbances()
    assert seen.reason is Reason.FOREIGN_REQUESTS
    assert seen.evidence == f"{OTHER}: loaded by another client in the meantime"


def test_a_model_that_was_evicted_is_told_and_again_when_it_came_back_changed(log: Path) -> None:
    with simulated() as simulator, served(simulator, log, n_ctx=2048) as model:
        simulator.unload(TAG)
        (gone,) = model.disturbances()
        model.generate(QUESTION)  # loads it just in time, with its own default
        (back,) = model.disturbances()
        assert model.disturbances() == (), "reported once"
    assert (gone.reason, back.reason) == (Reason.SERVER_RESTARTED,) * 2
    assert gone.evidence == f"{TAG} is no longer loaded"
    assert back.evidence == f"{TAG} had a context of 2048 and has 4096"


def test_a_prompt_that_does_not_fit_is_a_refused_request(log: Path) -> None:
    with (
        simulated() as simulator,
        served(simulator, log, n_ctx=256) as model,
        pytest.raises(RequestFailed, match="context overflows") as caught,
    ):
        model.generate(GenerationRequest("a " * 300, 32, 0.0, None, 30.0))
    assert caught.value.fault is Fault.REJECTED


def test_a_server_that_is_gone_is_a_crash(log: Path) -> None:
    simulator = LmStudioSimulator(WordBackend(), {TAG: "Q4_K_M"})
    running = simulator.running()
    running.__enter__()
    with served(simulator, log) as model:
        running.__exit__(None, None, None)
        with pytest.raises(ServerCrashed, match="is gone"):
            model.generate(QUESTION)
    assert "could not unload" in log.read_text(encoding="utf-8")
