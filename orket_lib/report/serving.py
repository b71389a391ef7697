"""How the pick of a model is served from now on, and where it was measured."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from orket_lib.artifacts.measurements.spec import LOAD_FLAGS
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.artifacts.views.summary import ModelSession
from orket_lib.vocabulary.providers import PROVIDERS, same_server
from orket_lib.vocabulary.shell import shell_line
from orket_lib.vocabulary.text import listed

_WINDOWS = os.name == "nt"


def serving_lines(
    session: ModelSession,
    matrix: Mapping[str, Any],
    contexts: Iterable[ContextCeiling] = (),
    windows: bool = _WINDOWS,
) -> list[str]:
    """Return the command that serves the pick of a model as it was measured.

    A second line says how a server keeps the context. There are none without a pick, and for a pick
    whose file or tag is unknown.

    Args:
        session: The model's rows and decision.
        matrix: The config of the model, as a summary has it.
        contexts: Context sweeps. One of the pick gives the context, else the config does.
        windows: Quote for Windows, rather than for a POSIX shell.
    """
    pick = session.decision.pick if session.decision else None
    row = next((row for row in session.per_quant if row.quant_tag == pick), None)
    provider = matrix.get("provider")
    if row is None or provider not in PROVIDERS:
        return []
    variants = matrix.get("variants") or {}
    matrix = {**matrix, **variants.get(row.variant, {})}
    if row.offload:
        matrix["gpu_layers"] = row.offload.layers
    file, tag, url = row.artifact.path, row.artifact.tag, matrix.get("base_url")
    found = (
        it.safe_context_ceiling
        for it in contexts
        if (it.model_id, it.quant_tag) == (session.model_id, pick)
    )
    n_ctx = next(filter(None, found), matrix.get("n_ctx"))
    if PROVIDERS[provider].starts_server(url):
        binary = "llama-server" if provider == "embedded" else str(matrix.get("server_binary"))
        arguments = [] if provider == "embedded" else matrix.get("server_args") or ()
        load = [
            word
            for name, flags in LOAD_FLAGS.items()
            if matrix.get(name) is not None
            for word in (flags[0], _value(matrix[name]))
        ]
        words = [binary, "-m", file or "", "-c", str(n_ctx or 0), *load, *map(str, arguments)]
        return [shell_line(words, windows)] if file else []
    if tag is None:
        return []
    if provider == "ollama":
        return _ollama(tag, n_ctx, url, windows)
    if provider == "lmstudio":
        context = ["--context-length", str(n_ctx)] if n_ctx else []
        return [shell_line(["lms", "load", tag, *context], windows)]
    return [f"the server at {url} serves {tag} already"]


def _value(value: object) -> str:
    """Return a value as an argument; YAML reads a bare `on` as true, which a variant keeps."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _ollama(tag: str, n_ctx: int | None, url: str | None, windows: bool) -> list[str]:
    elsewhere = url and same_server(url) != same_server(PROVIDERS["ollama"].default_url)
    where = f" (with OLLAMA_HOST={url})" if elsewhere else ""
    lines = [f"{shell_line(['ollama', 'run', tag], windows)}{where}"]
    if n_ctx:
        new = f"{tag.replace(':', '-')}-{n_ctx}"
        create = shell_line(["ollama", "create", new, "-f", "Modelfile"], windows)
        lines.append(
            f"with its context of {n_ctx}: write `FROM {tag}` and `PARAMETER num_ctx {n_ctx}` as "
            f"two lines into the file Modelfile, then: {create}"
        )
    return lines


def measured_on(session: ModelSession) -> str | None:
    """Return what computed a model's answers: the CPU, or GPUs by name; None if unknown."""
    found = dict.fromkeys(name for row in session.per_quant for name in _devices(row))
    return listed(list(found)) if found else None


def _devices(row: RowMetrics) -> list[str]:
    if row.null_reasons.get("peak_vram_mib") == "NO_GPU_USED":
        return ["the CPU"]
    return [gpu.name for gpu in row.gpus if gpu.used]
