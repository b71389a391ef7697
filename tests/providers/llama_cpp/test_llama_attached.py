"""A llama.cpp server that is not ours: its identity, and what other clients do with it."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from nano import nano_file, nano_spec

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import ArtifactIdentity, ControlSettings, MeasurementSpec
from orket_lib.providers.base import GenerationRequest, Source, TokenReport
from orket_lib.providers.llama_cpp import attach
from orket_lib.providers.llama_cpp.attach import attached
from orket_lib.providers.llama_cpp.attached_model import AttachedModel
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.llama_cpp.embedded import EmbeddedProvider
from orket_lib.providers.llama_cpp.model import LlamaModel, read_back
from orket_lib.providers.llama_cpp.traffic import Traffic
from orket_lib.providers.server_process import ServerProcess
from orket_lib.vocabulary.errors import LoadError, RequestTimedOut
from orket_lib.vocabulary.reasons import Reason

N_CTX = 768
FILE = nano_file("Q8_0")
QUESTION = GenerationRequest("Sort 3 1 2", 16, 0.0, seed=7, timeout_s=30.0)
LONG = replace(QUESTION, max_tokens=600, ignore_eos=True)


def cell(tag: str = "Q8_0", **changes: Any) -> MeasurementSpec:
    controls = ControlSettings(seed=7)
    return nano_spec(tag, n_ctx=N_CTX, provider="llama_server", controls=controls, **changes)


@contextmanager
def server_of_others(folder: Path, model: Path = FILE) -> Iterator[LlamaModel]:
    """Serve a file, as another user does."""
    spec = nano_spec("Q8_0", model, n_ctx=N_CTX)
    with EmbeddedProvider().serve(spec, Source(model), folder / "of_others.log") as owner:
        yield owner


def source(owner: LlamaModel, artifact: Path | None = FILE, **place: Any) -> Source:
    address = {"base_url": owner.address.base_url, "api_key": owner.address.api_key}
    return Source(artifact, ServerLocation(**(address | place)))


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaModel]:
    with server_of_others(tmp_path_factory.mktemp("owner")) as model:
        yield model


@pytest.fixture
def model(owner: LlamaModel, tmp_path: Path) -> Iterator[AttachedModel]:
    with attached(cell(), source(owner), tmp_path / "server.log") as found:
        yield found


# Who it is


def test_the_file_that_it_serves_is_hashed_here(model: AttachedModel, owner: LlamaModel) -> None:
    assert model.served.sha256 == owner.served.sha256
    assert model.served.file_quant_tag == model.served.quant_tag == "Q8_0"
    assert model.served.bits_per_weight == owner.served.bits_per_weight
    assert model.served.n_ctx == N_CTX
    assert model.pid == owner.pid


def test_nobody_knows_how_long_it_took_to_load(model: AttachedModel) -> None:
    assert set(model.load.null_reasons.values()) == {"SERVER_ALREADY_RUNNING"}


def test_another_file_than_the_cells_is_not_measured(owner: LlamaModel, tmp_path: Path) -> None:
    other = source(owner, nano_file("Q2_K"))
    with pytest.raises(LoadError) as caught, attached(cell("Q2_K"), other, tmp_path / "log"):
        pytest.fail("it was measured")
    for part in ("orket-nano-Q8_0.gguf", "orket-nano-Q2_K.gguf", "remove base_url"):
        assert part in str(caught.value)


def test_a_name_is_the_servers_name(owner: LlamaModel, tmp_path: Path) -> None:
    right = cell().model_copy(update={"artifact": ArtifactIdentity(tag=str(nano_file("Q8_0")))})
    with attached(right, source(owner, None), tmp_path / "log") as model:
        assert model.served.digest == model.served.sha256 == owner.served.sha256
    wrong = cell().model_copy(update={"artifact": ArtifactIdentity(tag="nano")})
    with (
        pytest.raises(LoadError, match=r"Q8_0\.gguf`, not `nano`; start it with: --alias nano"),
        attached(wrong, source(owner, None), tmp_path / "log"),
    ):
        pytest.fail("it was measured")


@pytest.mark.parametrize("touched", [False, True], ids=["as it was", "written since"])
def test_a_file_that_is_younger_than_the_server_may_not_be_what_it_serves(
    tmp_path: Path, touched: bool
) -> None:
    file = nano_file("Q8_0")
    if touched:
        file = Path(shutil.copy2(file, tmp_path / "nano.gguf"))
    with server_of_others(tmp_path, file) as owner:
        if touched:
            shutil.copy(nano_file("Q2_K"), tmp_path / "new.gguf")
            (tmp_path / "new.gguf").replace(file)
        with attached(cell(), source(owner), tmp_path / "log") as model:
            served = model.served
    assert (served.sha256 is None) is touched
    assert served.quant_tag == "Q8_0"
    # What the server counts itself is left, and is no other number.
    assert served.bits_per_weight == pytest.approx(owner.served.bits_per_weight, rel=1e-3)
    assert ("bytes" in served.null_reasons) is touched


def test_a_wrong_key_is_told_as_one(owner: LlamaModel, tmp_path: Path) -> None:
    with (
        pytest.raises(LoadError, match="HTTP 401: Invalid API Key; set api_key"),
        attached(cell(), source(owner, api_key="wrong"), tmp_path / "log"),
    ):
        pytest.fail("it was measured")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nano", "is a router with `one`, `two`, not `nano`"),
        (None, "is a router with `one`, `two`, so cells need tag_template, not artifact_template"),
    ],
)
def test_a_router_needs_the_name_of_one_of_its_models(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str | None, says: str
) -> None:
    pages = {
        "/health": {"status": "ok"},
        "/props": {"role": "router", "model_path": "none"},
        "/v1/models": {"data": [{"id": "one"}, {"id": "two"}]},
    }
    transport = httpx.MockTransport(lambda asked: httpx.Response(200, json=pages[asked.url.path]))
    monkeypatch.setattr(attach, "LlamaClient", lambda url, key: LlamaClient(url, key, transport))
    asked = cell().model_copy(update={"artifact": ArtifactIdentity(tag=name)})
    there = Source(None, ServerLocation(base_url="http://127.0.0.1:1"))
    with pytest.raises(LoadError, match=says), attached(asked, there, tmp_path / "log"):
        pytest.fail("it was measured")


def health(*statuses: int) -> LlamaClient:
    """Return the client of a server whose health is one after the other, and then the last."""
    waiting, last = iter(statuses), statuses[-1]
    transport = httpx.MockTransport(lambda _: httpx.Response(next(waiting, last)))
    return LlamaClient("http://127.0.0.1:1", None, transport)


def test_a_server_that_is_loading_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attach, "_POLL_S", 0.001)
    attach._wait_until_loaded(health(503, 503, 503, 503, 503, 200), "http://x")
    monkeypatch.setattr(attach, "LOAD_TIMEOUT_S", 0.01)
    with pytest.raises(LoadError, match=r"not loaded after 0\.01 s"):
        attach._wait_until_loaded(health(503), "http://x")


# What others do with it


def test_our_own_requests_are_no_foreign_ones(model: AttachedModel) -> None:
    for request in (QUESTION, LONG, QUESTION):
        model.generate(request)
        model.count_tokens("these are not generated")
        assert model.disturbances() == ()


def test_a_request_of_others_is_seen_once_and_counted(
    model: AttachedModel, owner: LlamaModel
) -> None:
    foreign = owner.generate(QUESTION).tokens
    model.generate(QUESTION)
    (seen,) = model.disturbances()
    assert seen.reason is Reason.FOREIGN_REQUESTS
    evidence = f"{foreign.uncached} prompt and {foreign.output} output tokens of other clients"
    assert seen.evidence == evidence
    model.generate(QUESTION)
    assert model.disturbances() == ()


def test_a_request_of_others_that_is_at_work_is_seen(
    model: AttachedModel, owner: LlamaModel
) -> None:
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            owner.generate(LONG)

    thread = threading.Thread(target=work)
    thread.start()
    seen: list[str] = []
    deadline = time.monotonic() + 20
    try:
        while not any("were running" in text for text in seen):
            assert time.monotonic() < deadline, seen
            seen += [item.evidence for item in model.disturbances()]
    finally:
        done.set()
        thread.join()


def test_what_is_left_of_a_request_of_ours_that_failed_is_not_blamed_on_others(
    model: AttachedModel,
) -> None:
    with pytest.raises(RequestTimedOut):
        model.generate(replace(LONG, timeout_s=0.02))
    seen = model.disturbances()
    model.generate(QUESTION)  # waits until the one slot is free
    assert (*seen, *model.disturbances()) == ()
    model.generate(QUESTION)
    assert model.disturbances() == ()


class Counting:
    """A server whose counters are what a test says; None is a server that does not count."""

    def __init__(self) -> None:
        self.metrics: dict[str, float] | None = {}
        self.slots: list[dict[str, Any]] | None = None

    def client(self) -> LlamaClient:
        return LlamaClient("http://127.0.0.1:1", None, httpx.MockTransport(self._answer))

    def _answer(self, asked: httpx.Request) -> httpx.Response:
        if asked.url.path == "/metrics" and self.metrics is not None:
            lines = [f"llamacpp:{name} {value}" for name, value in self.metrics.items()]
            return httpx.Response(200, text="# HELP\n" + "\n".join(lines))
        if asked.url.path == "/slots" and self.slots is not None:
            return httpx.Response(200, text=json.dumps(self.slots))
        return httpx.Response(501, json={"error": {"message": "start it with --metrics"}})


def test_a_server_that_only_shows_its_slots_shows_the_moment() -> None:
    server = Counting()
    server.metrics, server.slots = None, [{"is_processing": False}]
    traffic = Traffic(server.client())
    assert traffic.foreign() is None
    server.slots = [{"is_processing": True}, {"is_processing": False}]
    assert traffic.foreign() == "1 requests of other clients were running"


def test_a_server_that_shows_nothing_is_accused_of_nothing() -> None:
    server = Counting()
    server.metrics = None
    traffic = Traffic(server.client())
    traffic.add(TokenReport(uncached=9, output=9))
    assert traffic.foreign() is None
    assert not traffic.restarted()


def test_after_a_failure_nothing_is_said_until_the_server_is_idle() -> None:
    server = Counting()
    server.metrics = {"prompt_tokens_total": 0, "tokens_predicted_total": 0}
    traffic = Traffic(server.client())
    traffic.add(None)
    server.metrics = {"prompt_tokens_total": 50, "requests_processing": 1}
    assert traffic.foreign() is None, "that may be what is left of ours"
    server.metrics = {"prompt_tokens_total": 60, "tokens_predicted_total": 5}
    assert traffic.foreign() is None
    server.metrics = {"prompt_tokens_total": 60, "tokens_predicted_total": 9}
    assert traffic.foreign() == "0 prompt and 4 output tokens of other clients"


# What becomes of it


class Changing(Counting):
    """A server that says of itself what a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics = {"prompt_tokens_total": 100, "tokens_predicted_total": 100}
        self.props: dict[str, Any] = {
            "model_path": "a.gguf",
            "model_alias": "a",
            "model_ftype": "Q8_0",
            "default_generation_settings": {"n_ctx": 4096},
        }

    def _answer(self, asked: httpx.Request) -> httpx.Response:
        if asked.url.path == "/props":
            return httpx.Response(200, json=self.props)
        return super()._answer(asked)

    def model(self) -> AttachedModel:
        client = self.client()
        process = ServerProcess("http://192.0.2.7:1", lambda: True)
        return AttachedModel(client, process, read_back(self.props, None, ""), (), self.props)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model_path": "b.gguf"}, Reason.QUANT_IDENTITY_MISMATCH),
        ({"model_alias": "b"}, Reason.QUANT_IDENTITY_MISMATCH),
        ({"model_ftype": "Q2_K - Medium"}, Reason.QUANT_IDENTITY_MISMATCH),
        ({"default_generation_settings": {"n_ctx": 512}}, Reason.CONTEXT_MISMATCH),
    ],
)
def test_another_model_under_the_same_address_is_seen_in_every_run_from_then_on(
    change: dict[str, Any], reason: Reason
) -> None:
    server = Changing()
    model = server.model()
    assert model.disturbances() == ()
    server.props = server.props | change
    for _ in range(2):
        (seen,) = model.disturbances()
        assert seen.reason is reason
        assert "was" in seen.evidence


def test_a_server_of_which_only_the_counters_are_known_was_restarted_when_they_shrink() -> None:
    server = Changing()
    model = server.model()
    server.metrics = {"prompt_tokens_total": 3, "tokens_predicted_total": 1}
    (seen,) = model.disturbances()
    assert (seen.reason, seen.evidence) == (
        Reason.SERVER_RESTARTED,
        "the server's counters were reset",
    )
    assert model.disturbances() == (), "once"


def test_what_the_server_does_not_say_is_null() -> None:
    served = read_back({}, None, "llama-server")
    assert (served.quant_tag, served.quant_source, served.n_ctx) == (None, None, None)
    assert served.null_reasons["n_ctx"] == "NOT_REPORTED"
    assert served.null_reasons["bits_per_weight"] == "NO_LOCAL_FILE"
