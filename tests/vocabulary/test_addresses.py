"""Addresses as people type and paste them, and what is refused with what to type."""

from __future__ import annotations

import pytest

from orket_lib.vocabulary.providers import same_server, server_address, typed

LOCAL = "http://localhost:11434"


@pytest.mark.parametrize(
    ("provider", "pasted", "address"),
    [
        ("ollama", "http://localhost:11434/v1", LOCAL),
        ("ollama", "http://localhost:11434/v1/", LOCAL),
        ("ollama", "http://localhost:11434/api", LOCAL),
        ("ollama", "http://localhost:11434/api/tags", LOCAL),
        ("ollama", "http://localhost:11434/v1/chat/completions", LOCAL),
        ("ollama", "localhost:11434", LOCAL),
        ("ollama", "  <http://localhost:11434/>,", LOCAL),
        ("ollama", '"http://localhost:11434"', LOCAL),
        ("ollama", "HTTP://LocalHost:11434", LOCAL),
        ("ollama", "http:/localhost:11434", LOCAL),
        ("ollama", r"http:\\localhost:11434", LOCAL),
        ("ollama", "http://localhost:11434/#/models", LOCAL),
        ("ollama", "http://localhost.:11434", LOCAL),
        ("ollama", "0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("llama_server", "http://127.0.0.1:8080/props", "http://127.0.0.1:8080"),
        ("llama_server", "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080"),
        ("lmstudio", "http://127.0.0.1:1234/api/v0/models", "http://127.0.0.1:1234"),
        ("lmstudio", "http://127.0.0.1:1234/api/v1", "http://127.0.0.1:1234"),
        ("openai", "[::1]:8000/v1/models", "http://[::1]:8000"),
        ("openai", "http://[::]:8000", "http://[::1]:8000"),
        # These are kept: a proxy's prefix, and what only looks like a route.
        ("openai", "https://openrouter.ai/api/v1", "https://openrouter.ai/api"),
        ("openai", "https://gpu.example/llm/v1", "https://gpu.example/llm"),
        ("openai", "http://gpu.example/v1beta", "http://gpu.example/v1beta"),
        ("ollama", "http://gpu.example/api/ollama", "http://gpu.example/api/ollama"),
        ("openai", "http://api.example:1", "http://api.example:1"),
        (None, "http://v1:8080", "http://v1:8080"),
    ],
)
def test_what_is_pasted_becomes_an_address(provider: str | None, pasted: str, address: str) -> None:
    assert server_address(pasted, provider) == address
    assert server_address(address, provider) == address


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("", "must be an address such as http://127.0.0.1:8080"),
        ("ftp://localhost:1", "must begin with http:// or https://"),
        ("unix:///run/ollama.sock", "must begin with http:// or https://"),
        ("::1:8080", "must hold an IPv6 address in brackets, as in http://"),
        ("http://fe80::1/v1", "in brackets"),
        ("http://localhost:99999", "must be an address"),
        ("http://localhost:0", "must be an address"),
        ("http://local host:1", "must be an address"),
        ("http://a\x1b[31m:1", "must be an address"),
        ("http://me:hunter2@localhost", "must not hold a user or password"),
        ("http://localhost:1?key=x", r"must not hold a query \(`\?...`\)"),
    ],
)
def test_what_is_no_address_is_refused_with_what_to_type(pasted: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        server_address(pasted)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://localhost:1", "http://127.0.0.1:1", True),
        ("http://localhost", "http://localhost:80", True),
        ("https://gpu", "https://gpu:443", True),
        ("http://localhost:1", "http://localhost:2", False),
        ("http://[::1]:1", "http://127.0.0.1:1", False),  # a server may listen on one of them
        ("http://gpu:1/a", "http://gpu:1/b", False),
        ("http://gpu:1", "https://gpu:1", False),
    ],
)
def test_two_addresses_may_reach_one_server(one: str, other: str, same: bool) -> None:
    assert (same_server(one) == same_server(other)) is same


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("qwen3:8b", "qwen3:8b"),
        ("-dash", "-- -dash"),
        ("a b", "'a b'"),
        ("x; rm y", "'x; rm y'"),
        ("hf.co/a/b:Q4_K_M", "hf.co/a/b:Q4_K_M"),
    ],
)
def test_a_name_in_a_command_to_type_is_one_argument(name: str, argument: str) -> None:
    assert typed(name) == argument
