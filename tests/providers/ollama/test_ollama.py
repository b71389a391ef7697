"""Provider `ollama`: what it loads, reads back, leaves alone, and sees of others."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from builders import session
from nano import nano_file
from ollama_cells import BARE, QUESTION, WORDS, serving, tagged
from ollama_running import SimulatedOllama, simulated_ollama

from orket_lib.artifacts.measurements.spec import ArtifactIdentity, ControlSettings
from orket_lib.measure.session.identity import identity_observations
from orket_lib.providers import shared_server
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.reasons import Reason

NANO = "orket-nano:q4_K_M"
OTHER = "others:1b"


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedOllama]:
    models = {NANO: {"file": str(nano_file("Q4_K_M"))}, WORDS: {}, OTHER: {"quant": "Q8_0"}}
    with simulated_ollama(models) as server:
        yield server


def load_error(server: SimulatedOllama, folder: Path, tag: str = WORDS, **place: object) -> str:
    """Return why a tag is not served."""
    with (
        pytest.raises(LoadError) as caught,
        serving(server, folder, tagged(tag), **place),
    ):
        pytest.fail("it was served")
    return str(caught.value)


def actions(folder: Path) -> str:
    return (folder / "server.log").read_text(encoding="utf-8")


# --- what is served ---


def test_what_is_served_is_read_back(server: SimulatedOllama, tmp_path: Path) -> None:
    with serving(server, tmp_path, tagged(NANO)) as model:
        served = model.served
        assert (served.quant_tag, served.file_quant_tag) == ("Q4_K_M", "Q4_K_M")
        assert served.quant_source == "/api/show quantization_level"
        assert (served.n_ctx, served.build) == (1024, "ollama 0.33.2")
        assert len(served.digest or "") == 64
        assert served.bits_per_weight == pytest.approx(4.907, abs=0.001)
        assert served.path == str(nano_file("Q4_K_M"))
        assert (served.sha256, served.capabilities) == (None, ("completion",))
        assert model.load.load_seconds is not None
        assert model.load.null_reasons == {"model_seconds": "NOT_REPORTED"}
        assert model.pid == server.process.pid


def test_every_request_repeats_the_options_of_the_load(
    server: SimulatedOllama, tmp_path: Path
) -> None:
    before, posted = server.loads, len(server.requests)
    wanted = tagged(controls=ControlSettings(seed=7, threads=3))
    with serving(server, tmp_path, wanted) as model:
        for request in (QUESTION, BARE, replace(QUESTION, seed=8)):
            model.generate(request)
        assert model.disturbances() == ()
    assert server.loads == before + 1
    sent = [body for path, body in server.requests[posted:] if "options" in body]
    assert len(sent) == 4
    assert {(body["options"]["num_ctx"], body["options"]["num_thread"]) for body in sent} == {
        (1024, 3)
    }
    assert {body["keep_alive"] for body in sent} == {"10m"}


def test_an_older_server_leaves_null_what_it_does_not_tell(tmp_path: Path) -> None:
    with (
        simulated_ollama({WORDS: {}}, old=True, version="0.5.7") as server,
        serving(server, tmp_path) as model,
    ):
        served = model.served
        assert served.null_reasons == {"bits_per_weight": "NOT_REPORTED", "n_ctx": "NOT_REPORTED"}
        assert (served.build, served.capabilities) == ("ollama 0.5.7", ())
        (seen,) = [
            found.evidence
            for found in identity_observations(tagged(), session(served=served))
            if found.reason is Reason.CONTEXT_MISMATCH
        ]
        assert seen == "asked for 1024, served unknown"


def test_an_older_server_on_this_machine_tells_its_context_by_its_process(tmp_path: Path) -> None:
    models = {NANO: {"file": str(nano_file("Q4_K_M"))}}
    with (
        simulated_ollama(models, old=True) as server,
        serving(server, tmp_path, tagged(NANO)) as model,
    ):
        assert model.served.n_ctx == 1024


def test_another_spelling_of_the_tag_is_the_same_model(tmp_path: Path) -> None:
    with (
        simulated_ollama({"words:latest": {}}) as server,
        serving(server, tmp_path, tagged("words")) as model,
    ):
        assert model.generate(QUESTION).text


def test_a_model_that_is_listed_under_another_name_is_found_and_unloaded(tmp_path: Path) -> None:
    with simulated_ollama({WORDS: {}}, renames="words:alias") as server:
        with serving(server, tmp_path) as model:
            assert server.loaded == ["words:alias"]
            assert model.served.n_ctx == 1024
        assert server.loaded == []


def test_a_thinking_model_is_recorded_and_its_thoughts_are_no_answer(tmp_path: Path) -> None:
    with (
        simulated_ollama({WORDS: {}}, thinking="let me see") as server,
        serving(server, tmp_path) as model,
    ):
        assert model.served.capabilities == ("completion", "thinking")
        found = model.generate(QUESTION)
        assert (found.reasoning, found.text[:5]) == ("let me see ", "wört ")
        assert len(found.chunk_s) == 3 + 20
        assert "think" not in server.requests[-1][1]


# --- controls ---


def test_threads_are_read_back_from_the_process_that_holds_the_model(
    server: SimulatedOllama, tmp_path: Path
) -> None:
    wanted = tagged(NANO, controls=ControlSettings(threads=1))
    with serving(server, tmp_path, wanted) as model:
        (threads,) = model.controls
    assert (threads.name, threads.applied, threads.held) == ("threads", "1", True)


def test_threads_that_can_not_be_seen_are_not_held(server: SimulatedOllama, tmp_path: Path) -> None:
    wanted = tagged(controls=ControlSettings(threads=1))
    with serving(server, tmp_path, wanted) as model:  # a scripted model has no process
        (threads,) = model.controls
        found = identity_observations(wanted, session(served=model.served, controls=(threads,)))
    assert (threads.applied, threads.held) == (None, False)
    assert Reason.MISSING_EXPERIMENTAL_CONTROLS in {seen.reason for seen in found}


def test_layers_and_batch_are_options_and_not_held_where_they_can_not_be_seen(
    server: SimulatedOllama, tmp_path: Path
) -> None:
    posted = len(server.requests)
    with serving(server, tmp_path, tagged(gpu_layers=0, batch_size=64)) as model:
        model.generate(QUESTION)
        found = [(it.name, it.requested, it.applied, it.held) for it in model.controls[1:]]
    assert found == [("gpu_layers", "0", None, False), ("batch_size", "64", None, False)]
    sent = [body["options"] for _, body in server.requests[posted:] if "options" in body]
    assert {(it["num_gpu"], it["num_batch"]) for it in sent} == {(0, 64)}


@pytest.mark.parametrize(("temperature", "applied"), [(0.0, "greedy"), (0.8, "7")])
def test_a_seed_is_verified_by_what_the_model_writes(
    server: SimulatedOllama, tmp_path: Path, temperature: float, applied: str
) -> None:
    with serving(server, tmp_path, tagged(NANO, temperature=temperature)) as model:
        (seed,) = model.controls
    assert (seed.name, seed.requested, seed.applied, seed.held) == ("seed", "7", applied, True)


# --- loading and unloading ---


def test_our_model_is_unloaded_and_it_is_verified(server: SimulatedOllama, tmp_path: Path) -> None:
    with serving(server, tmp_path):
        assert server.loaded == [WORDS]
    assert server.loaded == []
    assert f"unloaded {WORDS}\n" in actions(tmp_path)


def test_it_is_unloaded_after_an_error_of_ours(server: SimulatedOllama, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), serving(server, tmp_path):
        raise KeyboardInterrupt
    assert server.loaded == []


@pytest.mark.parametrize("loaded", [OTHER, WORDS], ids=["another model", "our own model"])
def test_what_somebody_else_has_loaded_stops_the_run_by_name(
    server: SimulatedOllama, tmp_path: Path, loaded: str
) -> None:
    server.load(loaded)
    try:
        message = load_error(server, tmp_path)
        assert server.loaded == [loaded], "it is left alone"
    finally:
        server.unload(loaded)
    assert f"Ollama has {loaded} loaded for another client" in message
    assert f"type: ollama stop {loaded}" in message
    assert "exclusive: true" in message


def test_on_a_server_of_our_own_it_is_unloaded_and_written_down(
    server: SimulatedOllama, tmp_path: Path
) -> None:
    server.load(OTHER)
    with serving(server, tmp_path, exclusive=True) as model:
        assert server.loaded == [WORDS]
        assert model.disturbances() == ()
    assert f"unloaded {OTHER}, which another client had loaded (exclusive: true)" in actions(
        tmp_path
    )


def test_a_model_that_does_not_go_is_told_and_stops_the_next_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_server, "GONE_S", 0.3)
    with simulated_ollama({WORDS: {}}, never_unloads=True) as server:
        with serving(server, tmp_path) as model:
            model.generate(QUESTION)
        assert f"{WORDS} is still loaded 0.3 s after the request to unload it" in actions(tmp_path)
        assert f"Ollama has {WORDS} loaded" in load_error(server, tmp_path)
        assert f"{WORDS} is still loaded after 0.3 s" in load_error(
            server, tmp_path, exclusive=True
        )


def test_a_load_is_timed(tmp_path: Path) -> None:
    with (
        simulated_ollama({WORDS: {}}, load_s=0.7) as server,
        serving(server, tmp_path) as model,
    ):
        assert model.load.load_seconds is not None
        assert 0.7 <= model.load.load_seconds < 5


# --- what can't be served ---


def test_a_tag_that_is_not_there_is_told_with_the_line_that_gets_it(
    server: SimulatedOllama, tmp_path: Path
) -> None:
    message = load_error(server, tmp_path, "qwen2.5-coder:7b")
    assert "has no model qwen2.5-coder:7b; type: ollama pull qwen2.5-coder:7b" in message
    assert server.url in message


def test_a_server_that_is_not_there_is_told_with_what_to_do(
    server: SimulatedOllama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "http://127.0.0.1:9"
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    message = load_error(server, tmp_path, base_url=nowhere)
    assert f"no Ollama answers at {nowhere}; start it, or set base_url: " in message
    monkeypatch.setenv("OLLAMA_HOST", "10.0.0.5:11434")
    message = load_error(server, tmp_path, base_url=nowhere)
    assert "(OLLAMA_HOST is 10.0.0.5:11434, and is ignored)" in message


def test_cloud_models_are_refused_before_anything_is_sent_to_them(tmp_path: Path) -> None:
    models = {
        "large:120b-cloud": {"remote": "https://ollama.com:443"},
        "hidden:7b": {"remote": "https://example.com"},
    }
    with simulated_ollama(models) as server:
        for tag in (*models, "unlisted:cloud"):
            assert f"{tag} is a cloud model: it runs at " in load_error(server, tmp_path, tag)
        assert not [path for path, _ in server.requests if path != "/api/show"]


@pytest.mark.parametrize(
    ("words", "out_of_memory"),
    [
        ("model requires more system memory (9.6 GiB) than is available (5.4 GiB)", True),
        ("llama runner process has terminated: exit status 2", False),
    ],
)
def test_a_load_that_fails_is_told_in_the_servers_words(
    server: SimulatedOllama, tmp_path: Path, words: str, out_of_memory: bool
) -> None:
    server.behave(load_error=words)
    try:
        message = load_error(server, tmp_path)
    finally:
        server.behave(load_error="")
    assert words in message
    assert words in actions(tmp_path)
    assert ("out of memory" in actions(tmp_path)) is out_of_memory


# --- what else happens there ---


def disturbed(server: SimulatedOllama, folder: Path, what: str) -> list[tuple[Reason, str]]:
    """Return what is seen when something happens between two requests."""
    with serving(server, folder) as model:
        model.generate(QUESTION)
        assert model.disturbances() == ()
        if what == "another model":
            server.load(OTHER)
        elif what == "eviction":
            server.unload(WORDS)
        elif what == "another context":
            server.unload(WORDS)
            server.load(WORDS)
        found = [(seen.reason, seen.evidence) for seen in model.disturbances()]
        server.unload(OTHER)
    return found


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (
            "another model",
            (Reason.FOREIGN_REQUESTS, f"loaded at the same time by another client: {OTHER}"),
        ),
        ("eviction", (Reason.SERVER_RESTARTED, f"{WORDS} was unloaded during the run")),
        (
            "another context",
            (Reason.CONTEXT_MISMATCH, "its context was 1024 and is 2048 now"),
        ),
    ],
)
def test_what_others_do_between_two_requests_is_seen(
    server: SimulatedOllama, tmp_path: Path, what: str, expected: tuple[Reason, str]
) -> None:
    assert disturbed(server, tmp_path, what) == [expected]


def test_a_tag_that_is_repointed_in_mid_run_is_another_model(
    server: SimulatedOllama, tmp_path: Path
) -> None:
    with serving(server, tmp_path) as model:
        server.unload(WORDS)
        server.keep(WORDS, quant="Q2_K")
        model.generate(QUESTION)
        reasons = [seen.reason for seen in model.disturbances()]
    server.keep(WORDS)
    assert reasons == [Reason.QUANT_IDENTITY_MISMATCH]


def test_a_reload_within_a_request_is_seen_by_the_process_that_went(
    server: SimulatedOllama, tmp_path: Path
) -> None:
    with serving(server, tmp_path, tagged(NANO)) as model:
        model.generate(QUESTION)
        assert model.disturbances() == ()
        server.unload(NANO)
        model.generate(QUESTION)
        (seen,) = model.disturbances()
        model.generate(QUESTION)
        assert model.disturbances() == (), "reported once"
    assert seen.reason is Reason.SERVER_RESTARTED
    assert "which held the model, ended" in seen.evidence


def test_a_reload_within_a_request_is_seen_by_its_time_where_the_process_is_not(
    tmp_path: Path,
) -> None:
    with (
        simulated_ollama({WORDS: {}}, load_s=0.8) as server,
        serving(server, tmp_path) as model,
    ):
        model.generate(QUESTION)
        assert model.disturbances() == ()
        server.unload(WORDS)
        model.generate(QUESTION)
        (seen,) = model.disturbances()
        assert seen.reason is Reason.SERVER_RESTARTED
        assert "on loading the model" in seen.evidence
        assert model.disturbances() == (), "reported once"


def test_a_restart_of_the_server_is_seen(tmp_path: Path) -> None:
    with simulated_ollama({WORDS: {}}) as server, serving(server, tmp_path) as model:
        model.generate(QUESTION)
        pid = server.process.pid
        server.process.kill()
        server.process.wait()
        (gone,) = model.disturbances()
        assert gone.reason is Reason.SERVER_RESTARTED
        assert "the list of loaded models can't be read" in gone.evidence
        server.start()
        model.generate(QUESTION)
        (seen,) = model.disturbances()
        assert seen.reason is Reason.SERVER_RESTARTED
        assert f" ended; process {server.process.pid} (" in seen.evidence
        assert model.pid == server.process.pid, "its memory counts from now on"
        assert seen.evidence.startswith(f"process {pid} (")
        assert model.disturbances() == (), "reported once"


# --- the simulator itself ---


def test_the_simulator_writes_what_a_real_server_was_recorded_to_write(
    server: SimulatedOllama, tmp_path: Path
) -> None:
    body = {
        "model": WORDS,
        "messages": [{"role": "user", "content": "<&> ü"}],
        "options": {"num_predict": 2},
    }
    with httpx.Client(trust_env=False) as client:
        answer = client.post(f"{server.url}/api/chat", json=body)
        client.post(f"{server.url}/api/generate", json={"model": WORDS, "keep_alive": 0})
    first, *_, last, end = answer.content.split(b"\n")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert end == b""
    assert first.startswith(b'{"model":"words:7b","created_at":"2')
    assert b'Z","message":{"role":"assistant","content":"w\xc3\xb6rt' in first
    assert first.endswith(b'},"done":false}')
    recorded = (
        b'"message":{"role":"assistant","content":""},"done":true,"done_reason":"length",'
        b'"total_duration":N,"load_duration":N,"prompt_eval_count":N,'
        b'"prompt_eval_cached_count":N,"prompt_eval_duration":N,"eval_count":N,"eval_duration":N}'
    )
    assert re.sub(rb":\d+(?=[,}])", b":N", last[last.index(b'"message"') :]) == recorded
    deadline = time.monotonic() + 10
    while server.loaded:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_pin_is_held_against_the_digest_of_the_server(
    server: SimulatedOllama, tmp_path: Path
) -> None:
    with serving(server, tmp_path) as model:
        served = model.served
    assert served.digest is not None
    for pin, mismatch in ((served.digest[:12], False), (served.digest, False), ("0" * 12, True)):
        wanted = tagged().model_copy(update={"artifact": ArtifactIdentity(tag=WORDS, pin=pin)})
        found = identity_observations(wanted, session(served=served))
        seen = [it.evidence for it in found if it.reason is Reason.QUANT_IDENTITY_MISMATCH]
        assert bool(seen) is mismatch
        if mismatch:
            assert seen == [
                f"the server has digest {served.digest}, the config asks for 000000000000"
            ]
