"""The memory guard: what a model will take against what is free where it will be served.

Models are served one at a time, so each is held against all that is free, and the VRAM profile says
how much of that it may take. What is free is asked now, what a model takes is an estimate: so the
guard warns, unless the config asks it to refuse.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import psutil

from orket_lib.artifacts.views.preflight import Needs, PreflightCheck
from orket_lib.preflight.memory_profiles import FREE_SHARE, least_profile
from orket_lib.processes.which import find_program
from orket_lib.providers.gguf.memory_estimate import MemoryNeed, ModelShape, memory_need
from orket_lib.providers.llama_cpp.binary import listed_devices
from orket_lib.telemetry.devices.opening import open_devices
from orket_lib.telemetry.devices.reading import number_or_none
from orket_lib.vocabulary.statuses import VramGuard

_MIB = 1024**2
_NAME = "memory"


@dataclass(frozen=True)
class Weighed:
    """A model whose weight is known.

    Attributes:
        name: File or tag.
        bytes: Size of its weights.
        shape: What its KV cache depends on; None when that is not known.
    """

    name: str
    bytes: int
    shape: ModelShape | None


@dataclass(frozen=True)
class Room:
    """Where a model will be served.

    Attributes:
        name: In words.
        free_mib: That are free there now.
        on_gpu: Whether a server may put into main memory what doesn't fit.
    """

    name: str
    free_mib: float
    on_gpu: bool


def memory_checks(needs: Needs, weighed: Sequence[Weighed]) -> Iterator[PreflightCheck]:
    """Yield a check for each model that may take too much, or one for all of them."""
    host = needs.place.remote
    if host is not None:
        detail = f"{host} is another machine: what is free there can't be seen from here"
        yield PreflightCheck(name=_NAME, ok=True, detail=detail)
        return
    if needs.provider == "openai" or (needs.provider == "llama_server" and needs.place.base_url):
        detail = "the server has loaded its model already, nothing more will be taken"
        yield PreflightCheck(name=_NAME, ok=True, detail=detail)
        return
    if not weighed:
        detail = "the sizes of the models are not known: nothing was compared"
        yield PreflightCheck(name=_NAME, ok=True, detail=detail)
        return
    room = room_of(needs)
    takes = [(model.name, memory_need(model.bytes, model.shape, needs.n_ctx)) for model in weighed]
    allowed = FREE_SHARE[needs.vram_profile] * room.free_mib
    heavy = [(name, need) for name, need in takes if need.total_mib > allowed]
    for name, need in heavy:
        yield _too_much(needs, name, need, room)
    if not heavy:
        name, need = max(takes, key=lambda item: item[1].total_mib)
        detail = f"{name} takes most: {need}, {_limit(needs, room)}"
        yield PreflightCheck(name=_NAME, ok=True, detail=detail)


def room_of(needs: Needs) -> Room:
    """Return where the models of a sweep will be served.

    A server that we start is asked which GPUs it can use. Where it doesn't say, and of others, it
    is assumed that they use all GPUs, or those that the config names.
    """
    if needs.cpu_only:
        return main_memory()
    binary = find_program(needs.programs.get("server_binary") or "")
    devices = listed_devices(binary) if binary and needs.gpu_devices is None else None
    if devices is not None:
        return _together([(item.description, item.free_mib) for item in devices])
    return gpu_room(needs.gpu_devices)


def gpu_room(chosen: Collection[str] | None) -> Room:
    """Return the GPUs that are chosen, by UUID or index, or main memory where there are none.

    Main memory, too, where the driver tells no size of its own: there both are the same memory.
    """
    with open_devices("any") as found:
        told = [
            (device.info.name, number_or_none(device.gauges().memory_free_mib))
            for device in found.chosen(chosen).devices
        ]
    return _together([(name, free) for name, free in told if free is not None])


def main_memory() -> Room:
    """Return main memory."""
    return Room("main memory", psutil.virtual_memory().available / _MIB, on_gpu=False)


def _together(parts: Sequence[tuple[str, float]]) -> Room:
    if not parts:
        return main_memory()
    name = " + ".join(name for name, _ in parts)
    return Room(name, sum(free for _, free in parts), on_gpu=True)


def _too_much(needs: Needs, name: str, need: MemoryNeed, room: Room) -> PreflightCheck:
    fits = least_profile(need.total_mib, room.free_mib)
    rest = "; a server may put the rest into main memory, which is slower" if room.on_gpu else ""
    return PreflightCheck(
        name=_NAME,
        ok=needs.vram_guard is VramGuard.WARN,
        warning=True,
        detail=f"{name} takes {need}, {_limit(needs, room)}{rest}",
        remedy=f"--config vram_profile={fits.value}" if fits else "a smaller quant or n_ctx",
    )


def _limit(needs: Needs, room: Room) -> str:
    share = FREE_SHARE[needs.vram_profile]
    return (
        f"{share * room.free_mib:.0f} MiB allowed: {share:.0%} of {room.free_mib:.0f} MiB free in "
        f"{room.name} (vram_profile {needs.vram_profile.value})"
    )
