"""The facts that a server reports beyond OpenAI's routes, which differ for each kind.

vLLM and SGLang report the context in their list of models, TGI in `/info`, llama.cpp in `meta`,
together with quant and size of its file. SGLang reports its quantization method; other servers
don't. If the model is a GGUF file on this machine, the file itself is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orket_lib.artifacts.views.run_report import ServedModel
from orket_lib.providers.base import NOT_REPORTED, reported
from orket_lib.providers.gguf.file import model_sha256, read_gguf
from orket_lib.providers.server_process import served_file
from orket_lib.providers.wire.http import CONTROL_TIMEOUT_S, HttpServer
from orket_lib.providers.wire.json_fields import count, section, text
from orket_lib.vocabulary.errors import ProviderError
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.quants import normalize_tag, tag_of_ftype

_NO_FILE = Null("NO_LOCAL_FILE")


@dataclass(frozen=True)
class ServerFacts:
    """The known facts of a server and its model; None where they are not reported.

    Attributes:
        build: Which server, with its version.
        n_ctx: Context of one request, in tokens.
        path: Of the model, as the server reports it: a file, a folder, or a repository.
        quant_tag: Quant of the file, or quantization method.
        quant_source: Where that was read.
        bits_per_weight: Bytes of all tensors x 8 / number of weights.
        version: Of the server, which is in `build`, too.
    """

    build: str | None
    n_ctx: int | None
    path: str | None
    quant_tag: str | None = None
    quant_source: str | None = None
    bits_per_weight: float | None = None
    version: str | None = None


def server_facts(
    server: HttpServer, card: Mapping[str, Any], timeout_s: float = CONTROL_TIMEOUT_S
) -> ServerFacts:
    """Return the facts of a server.

    Args:
        server: With the routes of its kind.
        card: Its entry for the model, from `GET /v1/models`.
        timeout_s: Of each route.
    """

    def first_answer(*paths: str) -> dict[str, Any]:
        return _first_answer(server, timeout_s, *paths)

    owner = text(card, "owned_by")
    n_ctx, path = count(card, "max_model_len"), text(card, "root")
    if owner == "sglang":
        return _sglang(first_answer("/get_server_info", "/server_info"), n_ctx, path)
    info = first_answer("/info")
    if text(info, "model_id"):
        return _tgi(info)
    if owner == "llamacpp":
        return _llamacpp(section(card, "meta"))
    version = text(first_answer("/version"), "version")
    build = " ".join(word for word in ("vLLM" if owner == "vllm" else owner, version) if word)
    return ServerFacts(build or None, n_ctx, path, version=version)


def served_model(facts: ServerFacts, pid: int | None, extras: tuple[str, ...]) -> ServedModel:
    """Return the record of what is served.

    Args:
        facts: Of the server.
        pid: Of its process; None when it is on another machine or can't be found.
        extras: Optional request fields that it accepts.
    """
    named = facts.path if facts.path and facts.path.endswith(".gguf") else None
    file = served_file(named, pid)
    found = read_gguf(file) if file else None
    reported_bits = _NO_FILE if facts.bits_per_weight is None else facts.bits_per_weight
    return ServedModel.of(
        path=facts.path,
        sha256=model_sha256(file) if file else None,
        quant_tag=facts.quant_tag,
        quant_source=facts.quant_source,
        file_quant_tag=found.quant_tag if found else None,
        bytes=found.bytes if found else _NO_FILE,
        bits_per_weight=found.known_bits if found else reported_bits,
        n_ctx=reported(facts.n_ctx),
        build=facts.build,
        server_memory_mib=NOT_REPORTED,
        server_vram_mib=NOT_REPORTED,
        request_extras=extras,
    )


def _llamacpp(meta: Mapping[str, Any]) -> ServerFacts:
    quant = tag_of_ftype(text(meta, "ftype"))
    size, weights = count(meta, "size"), count(meta, "n_params")
    return ServerFacts(
        build="llama.cpp",
        n_ctx=count(meta, "n_ctx"),
        path=None,
        quant_tag=quant,
        quant_source="/v1/models meta.ftype" if quant else None,
        bits_per_weight=size * 8 / weights if size and weights else None,
    )


def _sglang(info: Mapping[str, Any], n_ctx: int | None, path: str | None) -> ServerFacts:
    method = text(info, "quantization")
    return ServerFacts(
        build=" ".join(word for word in ("SGLang", text(info, "version")) if word),
        n_ctx=n_ctx or count(info, "context_length"),
        path=text(info, "model_path") or path,
        quant_tag=normalize_tag(method) if method else None,
        quant_source="/get_server_info quantization" if method else None,
        version=text(info, "version"),
    )


def _tgi(info: Mapping[str, Any]) -> ServerFacts:
    words = ("TGI", text(info, "version"), text(info, "model_dtype"))
    return ServerFacts(
        build=" ".join(word for word in words if word),
        n_ctx=count(info, "max_total_tokens"),
        path=text(info, "model_id"),
        version=text(info, "version"),
    )


def _first_answer(server: HttpServer, timeout_s: float, *paths: str) -> dict[str, Any]:
    """Return the answer of the first route that the server has; empty if it has none."""
    for path in paths:
        try:
            return server.call("GET", path, timeout_s=timeout_s)
        except ProviderError:
            continue
    return {}
