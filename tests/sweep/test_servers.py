"""A server that is not ours: what it says of itself is in the digest, and is asked again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import spec
from canned_server import CannedServer, canned_server, ollama, ollama_model

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import ServerIdentity
from orket_lib.config.loading.parse import parse
from orket_lib.config.model_files import ModelRef
from orket_lib.measure.session.same_server import require_same_server
from orket_lib.providers.base import Source
from orket_lib.sweep.servers import KnownServers, identities
from orket_lib.vocabulary.errors import LoadError

MACHINE = "here"
PAIR = ("m", "Q4_K_M")
Answers = dict[str, Any]


def openai(**card: Any) -> Answers:
    entry = {"id": "odd", "object": "model", "created": 1, "owned_by": "vllm", "root": "a/b"}
    return {
        "GET /v1/models": {"data": [{**entry, "max_model_len": 4096, **card}]},
        "GET /version": {"version": "0.9"},
    }


def llama(**props: Any) -> Answers:
    meta = {"n_params": 8_000_000, "size": 4_000_000}
    return {
        "GET /props": {
            "model_path": "/models/x.gguf",
            "model_ftype": "Q4_K - Medium",
            "build_info": "b6200",
            **props,
        },
        "GET /v1/models": {"data": [{"id": "odd", "owned_by": "llamacpp", "meta": meta}]},
    }


def lmstudio(**entry: Any) -> Answers:
    model = {"key": "odd", "quantization": {"name": "Q4_K_M"}, "size_bytes": 9, **entry}
    return {"GET /api/v1/models": {"models": [{"max_context_length": 4096, **model}]}}


def of_ollama(digest: str = "a", version: str = "0.12.3", **more: Any) -> Answers:
    model = ollama_model("odd:latest", "Q4_K_M", digest=digest * 64)
    return {**ollama(model, **more), "GET /api/version": {"version": version}}


class Asked:
    """One config, whose server changes between two looks at it."""

    def __init__(self, folder: Path, provider: str, server: CannedServer) -> None:
        self.known = KnownServers(folder / "servers.json")
        self.provider, self.server = provider, server

    def look(self, url: str | None = None) -> tuple[ServerIdentity, list[str]]:
        config = parse(
            {
                "models": ["m"],
                "quants": ["Q4_K_M"],
                "provider": self.provider,
                "base_url": url or self.server.url,
                "tags": {"m": {"Q4_K_M": "odd"}},
            }
        )
        found, warnings = identities(config, {PAIR: ModelRef(tag="odd")}, self.known, MACHINE)
        return found[PAIR], warnings


@pytest.fixture
def server() -> Iterator[CannedServer]:
    with canned_server({}) as opened:
        yield opened


OTHER: dict[str, tuple[str, Answers, Answers]] = {
    # The case: another server behind the same name.
    "owner": ("openai", openai(), openai(owned_by="sglang")),
    # Further members.
    "repository": ("openai", openai(), openai(root="a/c")),
    "context": ("openai", openai(), openai(max_model_len=8192)),
    "build": ("openai", openai(), {**openai(), "GET /version": {"version": "0.10"}}),
    "file": ("llama_server", llama(), llama(model_path="/models/y.gguf")),
    "quant": ("llama_server", llama(), llama(model_ftype="Q8_0")),
    "llama.cpp": ("llama_server", llama(), llama(build_info="b6300")),
    "pulled again": ("ollama", of_ollama("a"), of_ollama("b")),
    "Ollama": ("ollama", of_ollama(), of_ollama(version="0.13.0")),
    "variant": ("lmstudio", lmstudio(), lmstudio(quantization={"name": "Q8_0"})),
}


@pytest.mark.parametrize("case", OTHER)
def test_t32_another_server_is_another_measurement_and_that_is_said(
    case: str, server: CannedServer, tmp_path: Path
) -> None:
    provider, before, after = OTHER[case]
    asked = Asked(tmp_path, provider, server)
    server.answers = dict(before)
    first, warnings = asked.look()
    assert (first.answered, warnings) == (True, [])
    server.answers = dict(after)
    second, warnings = asked.look()
    assert spec(server=second).digest() != spec(server=first).digest()
    (warning,) = warnings
    assert "is not what it was" in warning
    # Back again, it is the first measurement that is current.
    server.answers = dict(before)
    assert spec(server=asked.look()[0]).digest() == spec(server=first).digest()


SAME: dict[str, tuple[str, Answers, Answers]] = {
    "nothing changed": ("openai", openai(), openai()),
    "vLLM's time of the request": ("openai", openai(), openai(created=2, permission=[{"id": "x"}])),
    "says less": ("openai", openai(), openai(max_model_len=None, root=None)),
    "says more": ("openai", openai(root=None), openai()),
    "loaded": ("ollama", of_ollama(), of_ollama(loaded=("odd:latest",))),
    "another model": (
        "openai",
        openai(),
        {
            **openai(),
            "GET /v1/models": {"data": [*openai()["GET /v1/models"]["data"], {"id": "x"}]},
        },
    ),
    "moved": ("llama_server", llama(), llama(model_path="/other/x.gguf")),
    "unknown fields": ("llama_server", llama(), llama(slots=3, is_sleeping=True)),
    "size of the variant that is selected": ("lmstudio", lmstudio(), lmstudio(size_bytes=10)),
}


@pytest.mark.parametrize("case", SAME)
def test_the_same_server_is_the_same_measurement(
    case: str, server: CannedServer, tmp_path: Path
) -> None:
    provider, before, after = SAME[case]
    asked = Asked(tmp_path, provider, server)
    server.answers = dict(before)
    first, _ = asked.look()
    server.answers = dict(after)
    assert asked.look() == (first, [])


def test_another_address_is_another_server_and_another_spelling_is_not(
    server: CannedServer, tmp_path: Path
) -> None:
    asked = Asked(tmp_path, "openai", server)
    server.answers = openai()
    first, _ = asked.look()
    local = server.url.replace("127.0.0.1", "localhost")
    assert asked.look(local)[0] == first
    assert asked.look(f"{server.url}/v1/")[0] == first
    with canned_server(openai()) as other:
        assert spec(server=asked.look(other.url)[0]).digest() != spec(server=first).digest()


def test_a_server_that_is_down_is_what_it_was_and_that_is_said(
    server: CannedServer, tmp_path: Path
) -> None:
    asked = Asked(tmp_path, "openai", server)
    server.answers = openai()
    first, _ = asked.look()
    asked.known.save()
    asked.known = KnownServers(tmp_path / "servers.json")
    server.answers = {}
    again, (warning,) = asked.look()
    assert again == first
    assert "shown as current without having asked it" in warning


def test_a_server_that_never_answered_is_one_warning_for_all_its_models(
    server: CannedServer, tmp_path: Path
) -> None:
    where = {"provider": "ollama", "base_url": server.url, "tag_template": "m:{quant}"}
    config = parse({"models": ["m"], "quants": ["Q8_0", "Q4_K_M"]} | where)
    models = {("m", quant): ModelRef(tag=f"m:{quant}") for quant in config.quants}
    _, (warning,) = identities(config, models, KnownServers(tmp_path / "servers.json"), MACHINE)
    assert "does not offer m:Q8_0 and m:Q4_K_M: nothing can be measured" in warning


def test_a_job_takes_what_its_sweep_was_told(server: CannedServer, tmp_path: Path) -> None:
    asked = Asked(tmp_path, "openai", server)
    server.answers = openai()
    first, _ = asked.look()
    asked.known.ask = False
    server.asked.clear()
    assert asked.look() == (first, [])
    assert server.asked == []


def test_a_server_that_we_start_has_no_identity_in_the_digest() -> None:
    config = parse({"models": ["m"], "quants": ["Q4_K_M"], "artifact_template": "x.gguf"})
    assert identities(config, {}, KnownServers(Path("no.json")), MACHINE) == ({}, [])
    assert "server" not in spec().served()


@pytest.mark.parametrize(
    ("said_now", "words"),
    [
        (
            openai(owned_by="sglang"),
            "not the one that this sweep was planned with: .*owner was vllm",
        ),
        (openai(root="a/c"), "path was a/b and is a/c"),
        (openai(), None),
        (openai(created=7), None),
        ({}, None),  # the provider says why it doesn't answer
    ],
)
def test_what_is_measured_is_what_was_planned(
    said_now: Answers, words: str | None, server: CannedServer, tmp_path: Path
) -> None:
    asked = Asked(tmp_path, "openai", server)
    server.answers = openai()
    planned = asked.look()[0]
    server.answers = dict(said_now)
    cell = spec(provider="openai", artifact={"tag": "odd"}, server=planned)
    source = Source(None, ServerLocation(base_url=server.url))
    if words is None:
        require_same_server(cell, source)
        return
    with pytest.raises(LoadError, match=words):
        require_same_server(cell, source)


def test_what_was_silent_when_planned_is_planned_again(server: CannedServer) -> None:
    server.answers = openai()
    cell = spec(
        provider="openai", artifact={"tag": "odd"}, server=ServerIdentity(address=server.url)
    )
    with pytest.raises(LoadError, match="type the same command again"):
        require_same_server(cell, Source(None, ServerLocation(base_url=server.url)))
