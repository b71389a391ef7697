"""A file, served by the embedded llama.cpp for a check of ours."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orket_lib.artifacts.measurements.request import NO_TASKS
from orket_lib.artifacts.measurements.spec import (
    ArtifactIdentity,
    CacheType,
    ControlSettings,
    MeasurementSpec,
)
from orket_lib.providers.base import Model, Source
from orket_lib.providers.registry import provider_for


@contextmanager
def served(path: Path, n_ctx: int = 2048, kind: CacheType | None = None) -> Iterator[Model]:
    """Serve a file on one thread.

    Args:
        path: A GGUF file.
        n_ctx: Its context in tokens.
        kind: Of keys and values in the KV cache; None leaves it to the server.
    """
    spec = MeasurementSpec(
        model_id=path.stem,
        quant_tag="F16",
        provider="embedded",
        artifact=ArtifactIdentity(),
        n_ctx=n_ctx,
        cache_type_k=kind,
        cache_type_v=kind,
        flash_attn="on" if kind else None,
        temperature=0,
        max_output_tokens=1,
        task_timeout_sec=60,
        controls=ControlSettings(threads=1),
        tasks=NO_TASKS,
        machine="",
    )
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "server.log")
        with provider_for("embedded").serve(spec, Source(path), log) as model:
            odd = [control for control in model.controls if not control.held]
            if odd:
                raise SystemExit(f"{path}: {odd}")
            yield model
