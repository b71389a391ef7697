"""Checks that a context length is possible: it fits into memory, and the server serves it (T2).

A context length that is not possible is a result, not a failure of the sweep. A model that would
not fit into memory is not even loaded, because a machine without free main memory is unusable.
"""

from __future__ import annotations

from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.views.preflight import Needs
from orket_lib.artifacts.views.run_report import ServedModel
from orket_lib.preflight.memory import FreeMemory, free_main_memory, free_memory_for
from orket_lib.providers.base import Source
from orket_lib.providers.gguf.file import read_gguf
from orket_lib.providers.gguf.memory_estimate import memory_need, shape_of
from orket_lib.vocabulary.errors import LoadError, NoRoom, SmallerContext
from orket_lib.vocabulary.failures import Cause, FailureEvidence, Shortage


def require_room(spec: RunSpec, source: Source, needs: Needs) -> None:
    """Refuse to load a model that takes more memory than is free where it will be served.

    This applies only to files that we load, and only if the estimate is exact: an upper bound may
    be far too high.

    Raises:
        NoRoom: With the estimate.
        LoadError: The file is not a GGUF file.
    """
    if source.artifact is None or needs.place.base_url is not None:
        return
    facts = read_gguf(source.artifact)
    cache = (spec.n_ctx, spec.cache_type_k, spec.cache_type_v)
    need = memory_need(facts.bytes, shape_of(facts.metadata), *cache)
    free = _with_main_memory(free_memory_for(needs))
    if need.cache_mib is not None and not need.upper_bound and need.total_mib > free.free_mib:
        limit = f" ({free.limited_by})" if free.limited_by else ""
        shortage = Shortage(need.total_mib, free.free_mib, free.total_mib)
        raise NoRoom(
            f"not loaded: a context of {spec.n_ctx} takes {need}, and {free.free_mib:.0f} MiB are "
            f"free in {free.name}{limit}",
            FailureEvidence(Cause.NO_ROOM, shortage=shortage),
        )


def require_context(spec: RunSpec, source: Source, served: ServedModel) -> None:
    """Refuse a server with a smaller context than requested.

    A server that doesn't report its context is measured, but its row is invalid: CONTEXT_MISMATCH.

    Raises:
        SmallerContext: With the context that is served.
    """
    asked = spec.n_ctx
    if asked is None or served.n_ctx is None or served.n_ctx >= asked:
        return
    raise SmallerContext(f"served {served.n_ctx} of {asked} asked for{_trained_with(source)}")


def _with_main_memory(free: FreeMemory) -> FreeMemory:
    """Add main memory to that of the GPUs, because a server may put the rest there."""
    if not free.on_gpu:
        return free
    memory = free_main_memory()
    return FreeMemory(
        f"{free.name} + {memory.name}",
        free.free_mib + memory.free_mib,
        on_gpu=True,
        limited_by=memory.limited_by,
    )


def _trained_with(source: Source) -> str:
    if source.artifact is None:
        return ""
    try:
        shape = shape_of(read_gguf(source.artifact).metadata)
    except LoadError:
        return ""
    return f"; the model was trained with {shape.n_ctx}" if shape and shape.n_ctx else ""
