"""Provider `openai` against simulators of the servers that it is for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import spec
from nano import nano_file, nano_spec
from openai_server import OpenAiSimulator
from simulator_backends import WordBackend
from simulator_http import Exchange, Lies

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import ArtifactIdentity, ControlSettings, RunSpec
from orket_lib.providers import server_process as attached
from orket_lib.providers.base import GenerationRequest, Model, Source
from orket_lib.providers.llama_cpp.embedded import EmbeddedProvider
from orket_lib.providers.openai import provider as openai
from orket_lib.providers.openai.provider import OpenAiProvider
from orket_lib.providers.tool_check import tool_gap
from orket_lib.vocabulary.errors import Fault, LoadError, RequestFailed, ServerCrashed
from orket_lib.vocabulary.null_reasons import NullReason
from orket_lib.vocabulary.reasons import Reason

CHAT = "/v1/chat/completions"
TAG = "lamp-7b"
QUESTION = GenerationRequest("What number is 12 + 0?", 32, 0.0, seed=7, timeout_s=30.0)
PROBE = GenerationRequest("Go on.", 32, 0.0, seed=7, timeout_s=30.0, ignore_eos=True)


@contextmanager
def simulated(before: str = "", **options: Any) -> Iterator[OpenAiSimulator]:
    """Run a server with one model, which says something before each answer."""
    simulator = OpenAiSimulator(WordBackend(before=before), [TAG], **options)
    with simulator.running():
        yield simulator


def asked_for(tag: str = TAG, **changes: Any) -> RunSpec:
    """Return the spec of a cell that a server has under a name."""
    values: dict[str, Any] = {
        "provider": "openai",
        "artifact": ArtifactIdentity(tag=tag),
        "controls": ControlSettings(seed=7),
    }
    return spec(**(values | changes))


@contextmanager
def served(
    simulator: OpenAiSimulator, log: Path, place: ServerLocation | None = None, **changes: Any
) -> Iterator[Model]:
    """Serve the model of a simulator."""
    source = Source(None, place or ServerLocation(base_url=simulator.base_url))
    with OpenAiProvider().serve(asked_for(**changes), source, log) as model:
        yield model


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


# What is served


def test_vllm_tells_its_version_its_context_and_the_models_path(log: Path) -> None:
    with simulated(n_ctx=4096) as simulator, served(simulator, log) as model:
        found = model.served
    assert (found.build, found.n_ctx, found.path) == ("vLLM 0.11.0", 4096, f"/models/{TAG}")
    assert (found.quant_tag, found.digest, found.bytes) == (None, None, None)
    assert found.null_reasons == {
        "bytes": "NO_LOCAL_FILE",
        "bits_per_weight": "NO_LOCAL_FILE",
        "server_memory_mib": "NOT_REPORTED",
        "server_vram_mib": "NOT_REPORTED",
    }


def test_tgi_tells_what_it_is_by_its_own_route(log: Path) -> None:
    with simulated(kind="tgi", n_ctx=4096) as simulator, served(simulator, log) as model:
        found = model.served
    assert (found.build, found.n_ctx, found.path) == ("TGI 3.3.6 float16", 4096, f"hub/{TAG}")


@pytest.mark.parametrize(
    ("method", "tag", "source"),
    [("fp8", "FP8", "/get_server_info quantization"), (None, None, None)],
)
def test_sglang_tells_the_quantization_that_it_was_told(
    log: Path, method: str | None, tag: str | None, source: str | None
) -> None:
    lies = Lies(quant=method)
    with simulated(kind="sglang", lies=lies) as simulator, served(simulator, log) as model:
        found = model.served
    assert (found.build, found.n_ctx) == ("SGLang 0.5.3", 2048)
    assert (found.quant_tag, found.quant_source) == (tag, source)


def test_a_plain_server_leaves_nulls_with_reasons(log: Path) -> None:
    with simulated(kind="plain") as simulator, served(simulator, log) as model:
        found = model.served
        assert model.count_tokens("a b c") is None
    assert (found.build, found.path, found.n_ctx) == ("someone", None, None)
    assert found.null_reasons["n_ctx"] == "NOT_REPORTED"


def test_a_model_that_is_a_file_of_this_machine_is_read_itself(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).parents[3] / "models" / "orket-nano" / "orket-nano-Q4_K_M.gguf"
    # The simulator's own process is this one, which others may have been forked from.
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        monkeypatch.setattr(attached, "listening_pid", lambda _: process.pid)
        with simulated(root=str(root)) as simulator, served(simulator, log) as model:
            found = model.served
        process.kill()
    assert (found.file_quant_tag, found.quant_tag) == ("Q4_K_M", None)
    assert found.bytes == root.stat().st_size
    assert found.bits_per_weight is not None
    assert found.sha256


def test_a_path_of_the_servers_folder_is_not_looked_for_in_ours(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a server in a container, or one that was started elsewhere, it is another file."""
    nano = Path(__file__).parents[3] / "models" / "orket-nano" / "orket-nano-Q4_K_M.gguf"
    (tmp_path / "m.gguf").write_bytes(nano.read_bytes())
    monkeypatch.chdir(tmp_path)
    with simulated(root="m.gguf") as simulator, served(simulator, log) as model:
        found = model.served  # the file is younger than the process that is said to serve it
    assert (found.path, found.sha256, found.file_quant_tag) == ("m.gguf", None, None)
    assert found.null_reasons["bytes"] == "NO_LOCAL_FILE"


def test_nothing_was_loaded_and_that_is_why_there_is_no_load_time(log: Path) -> None:
    with simulated() as simulator, served(simulator, log) as model:
        assert model.load.null_reasons == {
            "load_seconds": "SERVER_ALREADY_RUNNING",
            "model_seconds": "SERVER_ALREADY_RUNNING",
        }
        assert model.pid == __import__("os").getpid(), "the simulator runs in this process"


def test_a_llama_server_behind_these_routes_tells_quant_context_and_times(log: Path) -> None:
    spec = nano_spec("Q4_K_M")
    with EmbeddedProvider().serve(spec, Source(nano_file("Q4_K_M")), log) as server:
        place = ServerLocation(base_url=server.address.base_url, api_key=server.address.api_key)
        wanted = asked_for(str(nano_file("Q4_K_M")))
        other = log.with_name("other.log")
        with OpenAiProvider().serve(wanted, Source(None, place), other) as model:
            found, answer = model.served, model.generate(PROBE)
    assert (found.quant_tag, found.quant_source) == ("Q4_K_M", "/v1/models meta.ftype")
    assert (found.n_ctx, found.build) == (2048, "llama.cpp")
    assert found.bits_per_weight == pytest.approx(server.served.bits_per_weight)
    assert found.request_extras == ("stream_options", "seed", "ignore_eos", "cache_prompt")
    assert answer.tokens.output == 32
    assert answer.tokens.prefill_s is not None
    assert answer.tokens.decode_s is not None


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_an_address_is_one_with_v1_and_without(log: Path, suffix: str) -> None:
    with simulated() as simulator:
        place = ServerLocation(base_url=simulator.base_url + suffix)
        with served(simulator, log, place) as model:
            assert model.generate(QUESTION).text == "12."
            assert model.address.base_url == simulator.base_url


# What does not load


def test_a_model_that_is_not_offered_is_told_with_those_that_are(log: Path) -> None:
    with (
        simulated() as simulator,
        pytest.raises(LoadError) as caught,
        served(simulator, log, tag="lamp-70b", n_ctx=4096),
    ):
        pytest.fail("it was served")
    for text in (f"offers {TAG}, and not lamp-70b", "vllm serve lamp-70b --max-model-len 4096"):
        assert text in str(caught.value)


def test_nobody_there_is_told_with_the_address(log: Path) -> None:
    place = ServerLocation(base_url="http://127.0.0.1:9")
    source = Source(None, place)
    with (
        pytest.raises(LoadError, match=r"GET http://127\.0\.0\.1:9/v1/models: ConnectError"),
        OpenAiProvider().serve(asked_for(), source, log),
    ):
        pytest.fail("it was served")


def test_without_an_address_there_is_no_server(log: Path) -> None:
    with (
        pytest.raises(LoadError, match="base_url"),
        OpenAiProvider().serve(asked_for(), Source(None), log),
    ):
        pytest.fail("it was served")


def test_a_key_is_asked_for_by_name_and_taken_from_the_environment(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMP_KEY", "s3cret")
    with simulated(lies=Lies(api_key="s3cret")) as simulator:
        with (
            pytest.raises(LoadError, match=r"HTTP 401: Unauthorized; api_key: \$\{ENV:NAME\}"),
            served(simulator, log),
        ):
            pytest.fail("it was served")
        place = ServerLocation(base_url=simulator.base_url, api_key="${ENV:LAMP_KEY}")
        with served(simulator, log, place) as model:
            assert model.generate(QUESTION).text == "12."
    assert "s3cret" not in log.read_text(encoding="utf-8")


def test_a_server_that_still_loads_its_model_is_waited_for(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai, "_POLL_S", 0.01)
    with simulated(lies=Lies(loading=3)) as simulator, served(simulator, log) as model:
        assert model.generate(QUESTION).text == "12."


class _LoadsBehindItsList(OpenAiSimulator):
    """Lists its model before it knows it, and refuses questions until it is loaded."""

    refusals = 3

    def handle(self, exchange: Exchange) -> None:
        if exchange.path == CHAT and self.refusals:
            self.refusals -= 1
            exchange.json({"error": {"message": "Loading model", "code": 503}}, 503)
            return
        super().handle(exchange)

    def _card(self, tag: str) -> dict[str, Any]:
        card = super()._card(tag)
        return card | {"max_model_len": None, "root": None} if self.refusals else card


def test_a_server_that_lists_a_model_before_it_is_loaded_is_waited_for(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai, "_POLL_S", 0.01)
    simulator = _LoadsBehindItsList(WordBackend(), [TAG], n_ctx=4096)
    with simulator.running(), served(simulator, log) as model:
        assert model.generate(QUESTION).text == "12."
        assert (model.served.n_ctx, model.served.path) == (4096, f"/models/{TAG}")
        assert model.served.request_extras[:2] == ("stream_options", "seed")
        assert model.disturbances() == (), "the list of a loaded model is no change"
    assert f"waited until {TAG} was loaded" in log.read_text(encoding="utf-8")


def test_a_server_that_lists_a_model_and_never_loads_it_is_given_up(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai, "LOAD_TIMEOUT_S", 0.0)
    simulator = _LoadsBehindItsList(WordBackend(), [TAG])
    simulator.refusals = 99
    with (
        simulator.running(),
        pytest.raises(LoadError, match="does not answer: HTTP 503: Loading model"),
        served(simulator, log),
    ):
        pytest.fail("it was served")


class _FailsOnUnknownFields(OpenAiSimulator):
    """Answers with an error of its own, where others refuse a field that they don't know."""

    def handle(self, exchange: Exchange) -> None:
        if exchange.path == CHAT and "ignore_eos" in exchange.body:
            exchange.json({"error": {"message": "unknown field ignore_eos"}}, 500)
            return
        super().handle(exchange)


def test_a_field_that_makes_a_server_fail_is_not_sent(log: Path) -> None:
    simulator = _FailsOnUnknownFields(WordBackend(), [TAG])
    with simulator.running(), served(simulator, log) as model:
        assert "ignore_eos" not in model.served.request_extras
        assert "min_tokens" in model.served.request_extras


def test_a_server_that_never_ends_loading_is_given_up(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai, "LOAD_TIMEOUT_S", 0.0)
    with (
        simulated(lies=Lies(loading=99)) as simulator,
        pytest.raises(LoadError, match="HTTP 503: Loading model"),
        served(simulator, log),
    ):
        pytest.fail("it was served")


def test_a_server_that_refuses_the_simplest_question_does_not_load(log: Path) -> None:
    with (
        simulated(lies=Lies(refuses=("temperature",))) as simulator,
        pytest.raises(LoadError, match=r"does not answer: HTTP 400: .*temperature"),
        served(simulator, log),
    ):
        pytest.fail("it was served")


# What is sent


def test_what_a_server_takes_is_found_out_once_and_recorded(log: Path) -> None:
    with simulated() as simulator, served(simulator, log) as model:
        assert model.served.request_extras == (
            "stream_options",
            "seed",
            "ignore_eos",
            "cache_salt",
        )
        assert model.generate(PROBE).tokens.output == 32
        sent = simulator.asked(CHAT)[-1]
    assert (sent["ignore_eos"], sent["seed"]) == (True, 7)
    assert sent["stream_options"] == {"include_usage": True}
    assert "min_tokens" not in sent


def test_a_field_that_is_refused_is_left_out_of_every_measured_request(log: Path) -> None:
    lies = Lies(refuses=("cache_salt", "ignore_eos"))
    with simulated(lies=lies) as simulator, served(simulator, log) as model:
        assert model.served.request_extras == ("stream_options", "seed", "min_tokens")
        assert model.generate(PROBE).tokens.output == 32
        assert model.generate(QUESTION).text == "12."
        probe, question = simulator.asked(CHAT)[-2:]
    assert probe["min_tokens"] == 32
    assert "min_tokens" not in question
    assert {"cache_salt", "ignore_eos"}.isdisjoint(probe)


def test_reasoning_is_switched_by_the_fields_that_the_server_takes(log: Path) -> None:
    lies = Lies(refuses=("reasoning_effort",))
    with simulated(lies=lies) as simulator, served(simulator, log, thinking="off") as model:
        assert model.served.request_extras[-1] == "chat_template_kwargs"
        (thinking,) = (item for item in model.controls if item.name == "thinking")
        assert (thinking.applied, thinking.held) == ("off", True)
        model.generate(replace(QUESTION, thinking=False))
        sent = simulator.asked(CHAT)[-1]
    assert sent["chat_template_kwargs"] == {"enable_thinking": False, "thinking": False}
    assert "reasoning_effort" not in sent


def test_a_server_that_switches_no_reasoning_says_so(log: Path) -> None:
    lies = Lies(refuses=("reasoning_effort", "chat_template_kwargs"))
    with simulated(lies=lies) as simulator, served(simulator, log, thinking="off") as model:
        (thinking,) = (item for item in model.controls if item.name == "thinking")
    assert (thinking.applied, thinking.held) == (None, False)
    assert thinking.source == "the server refuses chat_template_kwargs and reasoning_effort"


@pytest.mark.parametrize(
    ("lies", "held", "why"),
    [
        (Lies(reasoning=99), True, "with a budget of 16"),
        (Lies(reasoning=99, ignores=("thinking_token_budget",)), False, "reasoned for"),
        (
            Lies(reasoning=99, refuses=("thinking_token_budget", "thinking_budget_tokens")),
            False,
            "the server refuses thinking_token_budget and thinking_budget_tokens",
        ),
    ],
    ids=["kept", "ignored", "refused"],
)
def test_a_budget_of_thoughts_is_seen_to(log: Path, lies: Lies, held: bool, why: str) -> None:
    long = "hm " * 99
    with (
        simulated(long, lies=lies) as simulator,
        served(simulator, log, thinking_budget=200) as model,
    ):
        (budget,) = (item for item in model.controls if item.name == "thinking_budget")
    assert (budget.requested, budget.held) == ("200", held)
    assert why in budget.source


def test_a_length_that_is_taken_and_not_kept_is_not_believed(log: Path) -> None:
    lies = Lies(ignores=("ignore_eos", "min_tokens"))
    with simulated(lies=lies) as simulator, served(simulator, log) as model:
        assert model.served.request_extras == ("stream_options", "seed", "cache_salt")
        assert model.generate(PROBE).tokens.output == 2


def test_a_question_that_is_asked_again_is_not_served_from_the_cache(log: Path) -> None:
    with simulated(details=True) as simulator, served(simulator, log) as model:
        tokens = [model.generate(QUESTION).tokens for _ in range(3)]
        salts = [body["cache_salt"] for body in simulator.asked(CHAT)]
    assert [found.cached for found in tokens] == [0, 0, 0]
    assert len(set(salts)) == len(salts)


def test_a_follow_up_may_use_what_the_question_before_it_left(log: Path) -> None:
    follow_up = replace(QUESTION, reuse_cache=True)
    with simulated(details=True) as simulator, served(simulator, log) as model:
        tokens = [model.generate(one).tokens for one in (QUESTION, follow_up, QUESTION)]
        first, second, third = (body["cache_salt"] for body in simulator.asked(CHAT)[-3:])
    assert first == second != third
    assert (tokens[0].cached, tokens[2].cached) == (0, 0)
    assert (tokens[1].cached or 0) > 0


@pytest.mark.parametrize(
    ("lies", "temperature", "held", "source"),
    [
        pytest.param(Lies(), 0.0, True, "nothing is sampled", id="greedy"),
        pytest.param(Lies(), 0.7, True, "another seed, another text", id="used"),
        pytest.param(Lies(ignores=("seed",)), 0.7, False, "seeds yielded one text", id="ignored"),
        pytest.param(Lies(refuses=("seed",)), 0.7, False, "refuses", id="refused"),
        pytest.param(Lies(refuses=("seed",)), 0.0, True, "nothing is sampled", id="not needed"),
    ],
)
def test_a_seed_is_held_when_it_is_seen_to_be_used(
    log: Path, lies: Lies, temperature: float, held: bool, source: str
) -> None:
    with (
        simulated(lies=lies) as simulator,
        served(simulator, log, temperature=temperature) as model,
    ):
        (control,) = model.controls
    assert (control.name, control.requested, control.held) == ("seed", "7", held)
    assert source in control.source


# What comes back


@pytest.mark.parametrize(
    "lies",
    [Lies(bundled=5), Lies(split=True), Lies(bundled=3, split=True)],
    ids=["bundled", "split", "both"],
)
def test_the_answer_is_the_same_however_it_is_cut(log: Path, lies: Lies) -> None:
    with simulated(lies=lies) as simulator, served(simulator, log) as model:
        found = model.generate(PROBE)
    assert found.text == "wörd7 " * 32
    assert found.tokens.output == 32


def test_reasoning_is_no_answer(log: Path) -> None:
    with simulated(lies=Lies(reasoning=1)) as simulator, served(simulator, log) as model:
        found = model.generate(QUESTION)
    assert (found.reasoning, found.text) == ("12", ".")
    assert len(found.chunk_s) == 2


def test_counts_are_the_servers_and_there_are_no_times(log: Path) -> None:
    with simulated(details=True) as simulator, served(simulator, log) as model:
        tokens = model.generate(PROBE).tokens
        assert model.count_tokens("a b c") == 3
    assert (tokens.prompt, tokens.cached, tokens.uncached, tokens.output) == (5, 0, 5, 32)
    assert (tokens.prefill_s, tokens.decode_s) == (None, None)


def test_cached_tokens_that_only_counters_tell_are_told(log: Path) -> None:
    lies = Lies(refuses=("cache_salt",))
    with simulated(lies=lies) as simulator, served(simulator, log) as model:
        first, again = (model.generate(PROBE) for _ in range(2))
    assert first.usage == again.usage
    assert (first.tokens.cached, first.tokens.uncached) == (0, 5)
    assert (again.tokens.cached, again.tokens.uncached) == (4, 1)


def test_what_neither_usage_nor_counters_tell_is_not_known(log: Path) -> None:
    with simulated(kind="plain") as simulator, served(simulator, log) as model:
        tokens = model.generate(PROBE).tokens
    assert (tokens.prompt, tokens.cached, tokens.uncached) == (5, None, None)


def test_a_server_that_counts_nothing_leaves_no_counts(log: Path) -> None:
    with simulated(lies=Lies(no_usage=True)) as simulator, served(simulator, log) as model:
        found = model.generate(QUESTION)
    assert found.text == "12."
    assert (found.usage, found.tokens.prompt, found.tokens.output) == (None, None, None)


# What else happens


def test_requests_of_others_are_seen_by_the_servers_counters(log: Path) -> None:
    with simulated() as simulator, served(simulator, log) as model:
        model.generate(QUESTION)
        assert model.disturbances() == ()
        simulator.lies = Lies(foreign=2)
        tokens = model.generate(QUESTION).tokens
        (seen,) = model.disturbances()
        assert model.disturbances() == (), "reported once"
    assert seen.reason is Reason.FOREIGN_REQUESTS
    assert "2 others ended during ours" in seen.evidence
    assert tokens.cached is None, "whose tokens the cache served is not known"


def test_a_request_of_ours_that_had_no_end_is_not_somebody_elses(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may count one that we left for a moment more, and nothing else is known of it."""
    with simulated() as simulator, served(simulator, log) as model:
        model.generate(QUESTION)
        looks: list[int] = []
        watch: Any = model._watch  # type: ignore[attr-defined]
        seen = watch._traffic

        def looked() -> Any:
            looks.append(1)
            return seen()

        monkeypatch.setattr(watch, "_traffic", looked)
        with pytest.raises(RequestFailed):
            model.generate(replace(QUESTION, prompt="x " * 100_000))
        looks.clear()
        assert model.generate(QUESTION).tokens.cached is None
        assert (looks, model.disturbances()) == ([], ())
        model.generate(QUESTION)
        assert looks


def test_a_server_that_began_anew_is_told(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with simulated() as simulator, served(simulator, log) as model:
        for _ in range(5):
            model.generate(QUESTION)
        assert model.disturbances() == ()
        restart, account = simulator.restart, simulator._account

        def anew(*arguments: Any) -> int:
            restart()
            return account(*arguments)

        monkeypatch.setattr(simulator, "restart", lambda: None)
        monkeypatch.setattr(simulator, "_account", anew)
        model.generate(QUESTION)
        (seen,) = model.disturbances()
    assert seen.reason is Reason.SERVER_RESTARTED
    assert "counters were reset" in seen.evidence


@pytest.mark.parametrize(
    ("change", "evidence"),
    [
        pytest.param({"tags": ["other"]}, f"no longer offers {TAG}", id="another model"),
        pytest.param({"lies": Lies(n_ctx=512)}, "'max_model_len': 512", id="another context"),
    ],
)
def test_a_model_that_changes_under_us_is_told(
    log: Path, change: dict[str, Any], evidence: str
) -> None:
    with simulated() as simulator, served(simulator, log) as model:
        assert model.disturbances() == ()
        for name, value in change.items():
            setattr(simulator, name, value)
        (seen,) = model.disturbances()
    assert seen.reason is Reason.SERVER_RESTARTED
    assert evidence in seen.evidence


def test_a_prompt_that_does_not_fit_is_a_refused_request(log: Path) -> None:
    with simulated(n_ctx=256) as simulator, served(simulator, log) as model:
        with pytest.raises(RequestFailed, match="maximum context length is 256") as caught:
            model.generate(GenerationRequest("a " * 300, 32, 0.0, None, 30.0))
        assert caught.value.fault is Fault.REJECTED
        assert model.generate(QUESTION).text == "12."


def test_a_server_that_is_gone_is_a_crash_and_not_one_failed_request(log: Path) -> None:
    simulator = OpenAiSimulator(WordBackend(), [TAG], kind="plain")
    running = simulator.running()
    running.__enter__()
    with served(simulator, log) as model:
        running.__exit__(None, None, None)
        with pytest.raises(ServerCrashed, match="is gone"):
            model.generate(QUESTION)


def test_one_broken_stream_of_a_living_server_is_one_failed_request(log: Path) -> None:
    with simulated() as simulator, served(simulator, log) as model:
        simulator.lies = Lies(fault="reset")
        with pytest.raises(RequestFailed) as caught:
            model.generate(QUESTION)
        simulator.lies = Lies()
        assert caught.value.fault is Fault.RESET
        assert model.generate(QUESTION).text == "12."


# Tools


@pytest.mark.parametrize(
    ("lies", "why"),
    [
        (Lies(refuses=("tools",)), NullReason.TOOLS_REFUSED),
        (Lies(), NullReason.TOOLS_NOT_IN_TEMPLATE),  # it drops them silently
    ],
)
def test_tools_that_it_refuses_or_drops_are_found_out(
    log: Path, lies: Lies, why: NullReason
) -> None:
    with simulated(lies=lies) as simulator, served(simulator, log) as model:
        assert tool_gap(model) is why
