"""What a server says of itself and its model beyond OpenAI's routes: each kind has ways of its own.

vLLM and SGLang tell the context in their list of models, TGI in `/info`, llama.cpp in its `meta`
with quant and size of its file. SGLang tells the method of quantization that it was told to use;
from others nothing can be known of it. A model that is a GGUF file on this machine is read itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orket_lib.artifacts.views.run_report import ServedModel
from orket_lib.providers.gguf.file import model_sha256, read_gguf
from orket_lib.providers.server_process import served_file
from orket_lib.providers.wire.http import HttpServer
from orket_lib.providers.wire.json_fields import count, section, text
from orket_lib.vocabulary.errors import ProviderError
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.quants import normalize_tag, tag_of_ftype

_NO_FILE = Null("NO_LOCAL_FILE")
_NOT_REPORTED = Null("NOT_REPORTED")


@dataclass(frozen=True)
class ServerFacts:
    """What is known about a server and the model that it serves; None is what it doesn't say.

    Attributes:
        build: Which server, with its version.
        n_ctx: Context of one request, in tokens.
        path: Of the model, as the server names it: a file, a folder, or a repository.
        quant_tag: Quant of the file, or method of quantization.
        quant_source: Where that was read.
        bits_per_weight: Bytes of all tensors x 8 / number of weights.
    """

    build: str | None
    n_ctx: int | None
    path: str | None
    quant_tag: str | None = None
    quant_source: str | None = None
    bits_per_weight: float | None = None


def server_facts(server: HttpServer, card: Mapping[str, Any]) -> ServerFacts:
    """Return what a server says.

    Args:
        server: To be asked in the ways of its kind.
        card: Its entry for the model, from `GET /v1/models`.
    """
    owner = text(card, "owned_by")
    n_ctx, path = count(card, "max_model_len"), text(card, "root")
    if owner == "sglang":
        return _sglang(_asked(server, "/get_server_info", "/server_info"), n_ctx, path)
    info = _asked(server, "/info")
    if text(info, "model_id"):
        return _tgi(info)
    if owner == "llamacpp":
        return _llamacpp(section(card, "meta"))
    version = text(_asked(server, "/version"), "version")
    build = " ".join(word for word in ("vLLM" if owner == "vllm" else owner, version) if word)
    return ServerFacts(build or None, n_ctx, path)


def served_model(facts: ServerFacts, pid: int | None, extras: tuple[str, ...]) -> ServedModel:
    """Return the record of what is served.

    Args:
        facts: What the server says.
        pid: Of the server's process; None for another machine's, and where it can't be found.
        extras: Fields of a request that it was seen to take.
    """
    named = facts.path if facts.path and facts.path.endswith(".gguf") else None
    file = served_file(named, pid)
    found = read_gguf(file) if file else None
    bits = found.bits_per_weight if found else facts.bits_per_weight
    return ServedModel.of(
        path=facts.path,
        sha256=model_sha256(file) if file else None,
        quant_tag=facts.quant_tag,
        quant_source=facts.quant_source,
        file_quant_tag=found.quant_tag if found else None,
        bytes=found.bytes if found else _NO_FILE,
        bits_per_weight=_NO_FILE if bits is None else bits,
        n_ctx=_NOT_REPORTED if facts.n_ctx is None else facts.n_ctx,
        build=facts.build,
        server_memory_mib=_NOT_REPORTED,
        server_vram_mib=_NOT_REPORTED,
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
    )


def _tgi(info: Mapping[str, Any]) -> ServerFacts:
    words = ("TGI", text(info, "version"), text(info, "model_dtype"))
    return ServerFacts(
        build=" ".join(word for word in words if word),
        n_ctx=count(info, "max_total_tokens"),
        path=text(info, "model_id"),
    )


def _asked(server: HttpServer, *paths: str) -> dict[str, Any]:
    """Return what the first of some routes says; nothing where the server has none of them."""
    for path in paths:
        try:
            return server.call("GET", path)
        except ProviderError:
            continue
    return {}
