"""The memory guard: compares what a model needs with what is free where it will be served.

Models are served one at a time, so each is compared with all free memory. The VRAM profile sets the
share that it may take. Needs are estimates, so the guard only warns unless vram_guard says
otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from orket_lib.artifacts.views.preflight import PreflightCheck, ServerNeeds
from orket_lib.preflight.memory_profiles import FREE_SHARE, least_profile
from orket_lib.processes.which import find_program
from orket_lib.providers.gguf.memory_estimate import MemoryNeed, ModelShape, memory_need
from orket_lib.providers.llama_cpp.binary import listed_devices
from orket_lib.telemetry.allowance.memory import memory_allowance
from orket_lib.telemetry.devices.opening import open_devices
from orket_lib.telemetry.devices.reading import number_or_none
from orket_lib.vocabulary.providers import PROVIDERS
from orket_lib.vocabulary.statuses import VramGuard

_NAME = "memory"


@dataclass(frozen=True)
class ModelSize:
    """The size of a model.

    Attributes:
        name: File or tag.
        bytes: Size of its weights.
        shape: What its KV cache depends on; None if unknown.
    """

    name: str
    bytes: int
    shape: ModelShape | None


@dataclass(frozen=True)
class FreeMemory:
    """The memory that a model will be served from.

    Attributes:
        name: The GPUs, or "main memory".
        free_mib: Free at the moment.
        on_gpu: Whether a server may put into main memory what doesn't fit.
        total_mib: Memory that may be used at most; None if unknown.
        limited_by: Limit of this container, job or user; None if all memory may be used.
    """

    name: str
    free_mib: float
    on_gpu: bool
    total_mib: float | None = None
    limited_by: str | None = None


def memory_checks(needs: ServerNeeds, sizes: Sequence[ModelSize]) -> Iterator[PreflightCheck]:
    """Yield a check for each model that may need too much memory, or one for all models."""
    skipped = _why_skipped(needs, sizes)
    if skipped:
        yield PreflightCheck(name=_NAME, ok=True, detail=skipped)
        return
    free = free_memory_for(needs)
    cache = (needs.n_ctx, needs.cache_type_k, needs.cache_type_v)
    takes = [(model.name, memory_need(model.bytes, model.shape, *cache)) for model in sizes]
    allowed = FREE_SHARE[needs.vram_profile] * free.free_mib
    heavy = [(name, need) for name, need in takes if need.total_mib > allowed]
    for name, need in heavy:
        yield _too_much(needs, name, need, free)
    if not heavy:
        name, need = max(takes, key=lambda item: item[1].total_mib)
        detail = f"{name} takes most: {need}, {_limit(needs, free)}"
        yield PreflightCheck(name=_NAME, ok=True, detail=detail)


def _why_skipped(needs: ServerNeeds, sizes: Sequence[ModelSize]) -> str | None:
    host = needs.place.remote
    if host is not None:
        return f"not checked: {host} is another machine"
    if PROVIDERS[needs.provider].keeps_its_model(needs.place.base_url):
        return "not checked: the server has already loaded its model"
    return None if sizes else "not checked: the sizes of the models are unknown"


def free_memory_for(needs: ServerNeeds) -> FreeMemory:
    """Return the free memory where the models of a sweep will be served.

    A server that the sweep starts lists its GPUs. Any other is assumed to use all GPUs, or those
    that the config names.
    """
    if needs.cpu_only:
        return free_main_memory()
    return free_for_server(needs.programs.get("server_binary"), needs.gpu_devices)


def free_for_server(program: str | None, chosen: Collection[str] | None) -> FreeMemory:
    """Return the free memory of the GPUs that a program can use; main memory if there are none.

    Args:
        program: Name or path of a llama.cpp program; without it, all GPUs can be used.
        chosen: GPUs that the config names, by UUID or index; None means all.
    """
    binary = find_program(program or "")
    devices = listed_devices(binary) if binary and chosen is None else None
    if devices is not None:
        return _added_up([(item.description, item.free_mib) for item in devices])
    return free_gpu_memory(chosen)


def free_gpu_memory(chosen: Collection[str] | None) -> FreeMemory:
    """Return the free memory of GPUs chosen by UUID or index; main memory if there are none.

    A GPU whose driver reports no memory size shares the main memory.
    """
    with open_devices("any") as found:
        sizes = [
            (device.info.name, number_or_none(device.gauges().memory_free_mib))
            for device in found.chosen(chosen).devices
        ]
    return _added_up([(name, free) for name, free in sizes if free is not None])


def free_main_memory() -> FreeMemory:
    """Return the free main memory within our own limits, which a server that we start inherits."""
    found = memory_allowance()
    return FreeMemory(
        "main memory",
        found.free_mib,
        on_gpu=False,
        total_mib=found.total_mib,
        limited_by=found.limited_by,
    )


def _added_up(parts: Sequence[tuple[str, float]]) -> FreeMemory:
    if not parts:
        return free_main_memory()
    name = " + ".join(name for name, _ in parts)
    return FreeMemory(name, sum(free for _, free in parts), on_gpu=True)


def _too_much(needs: ServerNeeds, name: str, need: MemoryNeed, free: FreeMemory) -> PreflightCheck:
    fits = least_profile(need.total_mib, free.free_mib)
    smaller = "a smaller quant or n_ctx"
    if free.limited_by:
        smaller += ", or a larger limit"
    rest = "; a server may put the rest into main memory, which is slower" if free.on_gpu else ""
    return PreflightCheck(
        name=_NAME,
        ok=needs.vram_guard is VramGuard.WARN,
        warning=True,
        detail=f"{name} takes {need}, {_limit(needs, free)}{rest}",
        remedy=f"--config vram_profile={fits.value}" if fits else smaller,
    )


def _limit(needs: ServerNeeds, free: FreeMemory) -> str:
    share = FREE_SHARE[needs.vram_profile]
    limit = f"; {free.limited_by}" if free.limited_by else ""
    return (
        f"{share * free.free_mib:.0f} MiB allowed: {share:.0%} of {free.free_mib:.0f} MiB free in "
        f"{free.name} (vram_profile {needs.vram_profile.value}{limit})"
    )
