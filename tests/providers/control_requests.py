"""Every control request of every provider.

As a program it makes all of them to one server and prints the peak of its own memory, in MiB.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.lmstudio.client import LmStudioClient
from orket_lib.providers.ollama.client import OllamaClient
from orket_lib.providers.openai.client import OpenAiClient
from orket_lib.providers.openai.server_info import server_facts
from orket_lib.providers.wire import deadline
from orket_lib.telemetry.host import peak_rss_mib
from orket_lib.vocabulary.errors import ProviderError

CONTROLS: dict[str, Callable[[str], Any]] = {}


def _add(name: str, client: Callable[[str], Any], **calls: Callable[[Any], Any]) -> None:
    for route, call in calls.items():

        def ask(url: str, call: Callable[[Any], Any] = call) -> Any:
            with closing(client(url)) as opened:
                return call(opened)

        CONTROLS[f"{name} {route}"] = ask


_add(
    "llama_server",
    LlamaClient,
    health=LlamaClient.healthy,
    listens=LlamaClient.listens,
    props=LlamaClient.props,
    models=LlamaClient.models,
    metrics=LlamaClient.metrics,
    slots=LlamaClient.busy_slots,
    tokenize=lambda client: client.count_tokens("a"),
    completion=lambda client: client.sampler_settings(1),
    load=lambda client: client.load_model("m"),
    unload=lambda client: client.unload_model("m"),
)
_add(
    "ollama",
    OllamaClient,
    answers=OllamaClient.answers,
    version=OllamaClient.version,
    tags=OllamaClient.offers,
    show=lambda client: client.details("m"),
    ps=OllamaClient.loaded,
    load=lambda client: client.load("m", {}),
    unload=lambda client: client.unload("m"),
)
_add(
    "lmstudio",
    LmStudioClient,
    answers=LmStudioClient.answers,
    models=LmStudioClient.models,
    load=lambda client: client.load("m", {}),
    unload=lambda client: client.unload("m"),
    load_by_asking=lambda client: client.load_by_asking("m", 1),
    describe=lambda client: client.describe("m"),
)
_add(
    "openai",
    OpenAiClient,
    answers=OpenAiClient.answers,
    models=OpenAiClient.models,
    tokenize=lambda client: client.count_tokens("m", "a"),
    metrics=lambda client: client.server.text("GET", "/metrics"),
    facts=lambda client: server_facts(client.server, {}),
)
# They answer whether there is a server, or do without what it doesn't tell.
NO_ERROR = {
    "llama_server health",
    "llama_server listens",
    "ollama answers",
    "lmstudio answers",
    "lmstudio describe",
    "openai answers",
    "openai tokenize",
    "openai facts",
}


def limit_time(limit_s: float) -> None:
    """Let every request end after so many seconds, whatever its own limit."""
    init = deadline.Deadline.__init__

    def shorter(self: deadline.Deadline, seconds: float) -> None:
        init(self, min(seconds, limit_s))

    deadline.Deadline.__init__ = shorter  # type: ignore[method-assign]


if __name__ == "__main__":
    limit_time(float(sys.argv[2]))
    for control in CONTROLS.values():
        with suppress(ProviderError):
            control(sys.argv[1])
    print(peak_rss_mib(os.getpid()))  # noqa: T201
