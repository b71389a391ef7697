"""What servers say that they have, in the words of each of them."""

from __future__ import annotations

from typing import Any

import pytest
from canned_server import Answers, canned_server, ollama, ollama_model

from orket_lib.providers.catalog import Catalog
from orket_lib.providers.registry import read_catalog
from orket_lib.vocabulary.errors import Fault, ProviderError, RequestFailed

LMSTUDIO: dict[str, Any] = {
    "GET /api/v0/models": {
        "object": "list",
        "data": [
            {
                "id": "meta-llama-3.1-8b-instruct@q4_k_m",
                "object": "model",
                "type": "llm",
                "publisher": "lmstudio-community",
                "arch": "llama",
                "compatibility_type": "gguf",
                "quantization": "Q4_K_M",
                "state": "loaded",
                "max_context_length": 131072,
                "loaded_context_length": 4096,
            },
            {
                "id": "text-embedding-nomic-embed-text-v1.5",
                "object": "model",
                "type": "embeddings",
                "quantization": "Q4_0",
                "state": "not-loaded",
                "max_context_length": 2048,
            },
        ],
    }
}
LMSTUDIO_1: dict[str, Any] = {
    "GET /api/v1/models": {
        "models": [
            {
                "type": "llm",
                "key": "qwen/qwen3-8b",
                "quantization": {"name": "Q4_K_M", "bits_per_weight": 4},
                "size_bytes": 5027784512,
                "max_context_length": 40960,
                "variants": ["qwen/qwen3-8b@q4_k_m", "qwen/qwen3-8b@q8_0"],
                "loaded_instances": [{"id": "qwen/qwen3-8b", "config": {"context_length": 4096}}],
            },
            {"type": "embedding", "key": "nomic", "quantization": {"name": "F16"}},
        ]
    }
}
LLAMA_SERVER: dict[str, Any] = {
    "GET /props": {
        "default_generation_settings": {"n_ctx": 8192},
        "total_slots": 1,
        "model_path": "/models/x.gguf",
        "model_ftype": "Q4_K - Medium",
        "build_info": "b6200-0fd90db5",
    },
    "GET /v1/models": {
        "data": [{"id": "x.gguf", "meta": {"n_params": 8030261248, "size": 4912898304}}]
    },
}
VLLM: dict[str, Any] = {
    "GET /v1/models": {
        "object": "list",
        "data": [{"id": "Qwen/Qwen3-8B-AWQ", "owned_by": "vllm", "max_model_len": 32768}],
    }
}


def asked(provider: str, answers: Answers, **options: Any) -> Catalog:
    with canned_server(answers) as server:
        return read_catalog(provider, server.url, **options)


def test_ollama_tells_tags_digests_sizes_and_shapes() -> None:
    two = [ollama_model("llama3.1:8b", "Q4_K_M"), ollama_model("llama3.1:8b-q8", "Q8_0", 8.0)]
    found = asked("ollama", ollama(*two, loaded=("llama3.1:8b",)))
    assert found.offering.build == "0.12.3"
    first, second = found.offering.models
    assert (first.name, first.quant_tag, first.loaded) == ("llama3.1:8b", "Q4_K_M", True)
    assert (second.bytes, second.digest, second.loaded) == (8 << 30, two[1]["digest"], False)
    assert (first.n_ctx, first.parameters, first.chats) == (131072, 8030261248, True)
    assert found.shapes["llama3.1:8b"].key_values == 32 * 8 * 128


def test_ollama_is_asked_closely_only_about_what_is_of_interest() -> None:
    models = [ollama_model("a:latest", "Q4_0"), ollama_model("b:latest", "Q4_0")]
    with canned_server(ollama(*models)) as server:
        found = read_catalog("ollama", server.url, closely={"A"})
    assert server.asked.count("POST /api/show") == 1
    assert set(found.shapes) == {"a:latest"}
    assert found.find("a") == found.find("a:latest") is not None
    assert found.find("c") is None


def test_a_cloud_model_is_one_by_what_the_server_says_or_by_its_name() -> None:
    declared = ollama_model("gpt-oss:120b", "MXFP4", remote_host="https://ollama.example")
    named = ollama_model("qwen3-coder:480b-cloud", "")
    first, second = asked("ollama", ollama(declared, named)).offering.models
    assert first.remote == "https://ollama.example"
    assert second.remote == "another host"
    assert second.quant_tag is None


def test_a_model_that_only_embeds_is_known() -> None:
    model = ollama_model("nomic-embed-text:latest", "F16", capabilities=["embedding"])
    assert asked("ollama", ollama(model)).offering.models[0].chats is False


def test_an_older_lm_studio_tells_quants_and_contexts() -> None:
    first, second = asked("lmstudio", LMSTUDIO).offering.models
    assert (first.quant_tag, first.n_ctx, first.bytes) == ("Q4_K_M", 131072, None)
    assert (first.loaded, first.chats) == (True, True)
    assert (second.quant_tag, second.loaded, second.chats) == ("Q4_0", False, False)


def test_a_newer_lm_studio_tells_sizes_and_variants() -> None:
    q4, q8, name, embeds = asked("lmstudio", LMSTUDIO_1).offering.models
    assert [(m.name, m.quant_tag, m.bytes) for m in (q4, q8, name)] == [
        ("qwen/qwen3-8b@q4_k_m", "Q4_K_M", 5027784512),
        ("qwen/qwen3-8b@q8_0", "Q8_0", None),
        ("qwen/qwen3-8b", "Q4_K_M", 5027784512),
    ]
    assert (q4.loaded, q8.loaded, name.loaded) == (None, None, True)
    assert (q8.n_ctx, embeds.chats) == (40960, False)


def test_a_llama_server_tells_the_model_that_it_serves() -> None:
    found = asked("llama_server", LLAMA_SERVER).offering
    (model,) = found.models
    assert found.build == "b6200-0fd90db5"
    assert (model.name, model.quant_tag, model.n_ctx) == ("x.gguf", "Q4_K_M", 8192)
    assert (model.bytes, model.parameters, model.loaded) == (4912898304, 8030261248, True)


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_a_plain_endpoint_tells_names_and_maybe_a_context(suffix: str) -> None:
    with canned_server(VLLM) as server:
        (model,) = read_catalog("openai", server.url + suffix).offering.models
    assert (model.name, model.n_ctx, model.quant_tag) == ("Qwen/Qwen3-8B-AWQ", 32768, None)


def test_a_key_is_looked_up_in_the_environment_and_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_KEY", "hunter2")
    with canned_server(VLLM) as server:
        read_catalog("openai", server.url, "${ENV:SERVER_KEY}")
        assert set(server.keys) == {"Bearer hunter2"}
        monkeypatch.delenv("SERVER_KEY")
        with pytest.raises(ProviderError, match="has no variable SERVER_KEY"):
            read_catalog("openai", server.url, "${ENV:SERVER_KEY}")


@pytest.mark.parametrize(
    ("provider", "answers", "fault"),
    [
        ("ollama", {}, Fault.NOT_FOUND),
        ("ollama", {"GET /api/version": b"<html>it works!</html>"}, Fault.NOT_JSON),
        ("lmstudio", {"GET /api/v0/models": {"error": "Unexpected endpoint."}}, Fault.NOT_FOUND),
        (
            "llama_server",
            {"GET /props": (503, {"error": {"message": "Loading model"}})},
            Fault.LOADING,
        ),
        ("openai", {"GET /v1/models": (401, {"error": "Unauthorized"})}, Fault.REJECTED),
    ],
)
def test_something_else_at_that_port_is_not_taken_for_a_server(
    provider: str, answers: Answers, fault: Fault
) -> None:
    with pytest.raises(RequestFailed) as caught:
        asked(provider, answers)
    assert caught.value.fault == fault


@pytest.mark.parametrize(
    "listed",
    [None, 7, "x", [None, 7, {}, {"name": 7}, {"name": ""}], {"name": "x"}],
    ids=str,
)
def test_a_list_that_is_none_has_no_models(listed: Any) -> None:
    lists = {"models": listed, "data": listed}
    answers: dict[str, Any] = dict.fromkeys(("GET /api/tags", "GET /api/ps"), lists)
    found = asked("ollama", ollama(**answers)).offering.models
    assert found == ()
    assert asked("openai", {"GET /v1/models": {"data": listed}}).offering.models == ()
