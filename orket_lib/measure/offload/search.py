"""Finds the layers on the GPU for a cell whose config says `gpu_layers: search`.

The model is loaded with different numbers of layers, its speed probed and its memory read. The
search is kept beside the cell's measurements, so that its later sessions, and its canary, contexts
and thermal series, are served alike without another search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.offload import OffloadLoad, OffloadSearch
from orket_lib.artifacts.measurements.spec import SEARCH, MeasurementSpec, OffloadTargets
from orket_lib.measure.offload.bisection import Verdict, bisect_layers
from orket_lib.measure.offload.contradictions import contradiction
from orket_lib.measure.offload.guard import bounds_of
from orket_lib.measure.offload.speeds import Speed, speed_of
from orket_lib.preflight.memory import FreeMemory, free_for_server, free_main_memory
from orket_lib.providers.base import Model, Source
from orket_lib.providers.gguf.file import read_servable
from orket_lib.providers.registry import provider_for
from orket_lib.telemetry.devices.opening import open_devices
from orket_lib.telemetry.host import peak_rss_mib
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import LoadError, ProviderError, RequestTimedOut, ServerCrashed
from orket_lib.vocabulary.failures import Cause, Starved
from orket_lib.vocabulary.nulls import Null, any_of, first_null, known
from orket_lib.vocabulary.units import MIB_PER_GIB

OFFLOAD = "offload.json"

_NO_GPU, _UNSEEN = Null("NO_GPU"), Null("NOT_SEEN_ON_A_GPU")
_FAILED, _TIMEOUT = Null("NOT_SERVED"), Null("RUN_TIMEOUT")


def found_layers(
    spec: MeasurementSpec,
    source: Source,
    log: Path,
    storage: Path | None,
    say: Callable[[str], None],
) -> OffloadSearch | None:
    """Return the search of a cell: that of an earlier session, or a new one.

    Args:
        spec: Of any measurement of the cell.
        source: The model file.
        log: Path of the server's log.
        storage: Root of the store; None keeps nothing.
        say: Reports progress.

    Returns:
        None if the spec doesn't ask for a search.

    Raises:
        LoadError: The model loads with no number of layers.
        ProviderError: A load failed for another reason than memory.
    """
    if spec.gpu_layers != SEARCH:
        return None
    if storage is not None and (kept := kept_search(storage, spec)):
        return kept
    found = _Search(spec, source, log, say).run()
    say(f"found {found.sentence}")
    if storage is not None:
        write_model(storage / spec.folder / OFFLOAD, found)
    return found


def kept_search(storage: Path, spec: MeasurementSpec) -> OffloadSearch | None:
    """Return the search of an earlier session of the cell; None if there is none.

    Raises:
        ArtifactError: It is damaged.
    """
    path = storage / spec.folder / OFFLOAD
    return read_model(path, OffloadSearch) if path.is_file() else None


def with_layers(spec: MeasurementSpec, found: OffloadSearch | None) -> MeasurementSpec:
    """Return how a cell is served: with the layers that were found."""
    return spec if found is None else _with(spec, found.layers)


def _with(spec: MeasurementSpec, layers: int) -> MeasurementSpec:
    return spec.model_copy(update={"gpu_layers": layers, "offload": None})


class _Disbelieved(Exception):
    """A load is served with other layers than it was asked for; the search makes no sense."""


@dataclass
class _Search:
    """A search under way."""

    spec: MeasurementSpec
    source: Source
    log: Path
    say: Callable[[str], None]
    loads: list[OffloadLoad] = field(default_factory=list)
    failed: ProviderError | None = None

    def run(self) -> OffloadSearch:
        if self.source.artifact is None:
            raise LoadError("gpu_layers: `search` needs a model file", Cause.NOT_SET_UP)
        facts = read_servable(self.source.artifact)
        if not facts.layers:
            raise LoadError("gpu_layers: `search` knows no layers in this file", Cause.UNREADABLE)
        free = free_for_server(self.source.place.server_binary, self.spec.gpu_devices)
        on_gpu: FreeMemory | None = free if free.on_gpu else None
        bounds, most = bounds_of(facts, self.spec, on_gpu, free_main_memory()), len(facts.layers)
        layers = self._choice(bounds.least, bounds.most)
        return OffloadSearch.of(
            spec_digest=self.spec.folder.rpartition("/")[2],
            found_at=utc_now(),
            targets=self._targets,
            most=most,
            free_vram_mib=on_gpu.free_mib if on_gpu else _NO_GPU,
            bounds=(bounds.least, bounds.most),
            bounded_by=bounds.why,
            loads=tuple(self.loads),
            layers=layers,
            why=self._why(layers, most),
            contradiction=contradiction(self.loads, most),
        )

    @property
    def _targets(self) -> OffloadTargets:
        return self.spec.offload or OffloadTargets()

    def _choice(self, least: int, most: int) -> int:
        """Return the layers to serve with.

        Raises:
            LoadError: No load succeeded.
            ProviderError: One failed for another reason than memory.
        """
        try:
            found = bisect_layers(least, most, self._look)
            if found is not None and len(self.loads) == 1 and most > least:
                # Nothing else shows what the layers are good for; the choice doesn't depend on it.
                with suppress(ProviderError):
                    self._look(least)
        except _Disbelieved:
            found = self.loads[-1].layers
        if found is None:
            assert self.failed is not None
            tried = f"with {self.loads[-1].layers} layers on the GPU"
            raise LoadError(f"{tried}: {self.failed}", self.failed.evidence)
        return found

    def _look(self, layers: int) -> Verdict:
        self.say(f"searching layers on the GPU: loading with {layers}")
        load = self._loaded(layers)
        self.loads.append(load)
        if load.loaded and not load.held:
            raise _Disbelieved
        return self._judged(load)

    def _judged(self, load: OffloadLoad) -> Verdict:
        if load.outcome in ("gpu_full", "over_limit"):
            return Verdict.TOO_MANY
        if load.outcome == "memory_full":
            return Verdict.NO_MAIN_MEMORY
        wanted = self._targets.decode_tps
        reached = wanted is not None and (load.slowest_tps or 0.0) >= wanted
        return Verdict.ENOUGH if reached else Verdict.MORE

    def _why(self, layers: int, most: int) -> str:
        load = next(load for load in self.loads if load.layers == layers)
        if not load.held:
            return "the last that were tried"
        fit = "all of them" if layers == most else "the most that fit"
        wanted = self._targets.decode_tps
        if wanted is None:
            return fit
        if self._judged(load) is Verdict.ENOUGH:
            return f"the fewest that reach {wanted:g} tokens/s"
        return f"{fit}, which don't reach {wanted:g} tokens/s"

    def _loaded(self, layers: int) -> OffloadLoad:
        """Load the model, probe it and end it; a lack of memory is a result."""
        spec = _with(self.spec, layers)
        try:
            with provider_for(spec.provider).serve(spec, self.source, self.log) as model:
                return self._probed(model, layers)
        except (LoadError, ServerCrashed) as error:
            starved = error.evidence.starved
            if starved is None:
                raise
            self.failed = error
            figures = ("decode_tps", "slowest_tps", "vram_mib", "rss_mib", "load_seconds")
            return OffloadLoad.of(
                layers=layers,
                applied=None,
                held=False,
                outcome="gpu_full" if starved is Starved.GPU else "memory_full",
                detail=str(error),
                **dict.fromkeys(figures, _FAILED),
            )

    def _probed(self, model: Model, layers: int) -> OffloadLoad:
        control = next((it for it in model.controls if it.name == "gpu_layers"), None)
        try:
            speed = speed_of(model, self.spec, self._targets.decode_tps)
        except RequestTimedOut:  # slower than anything that a task may take
            speed = Speed(_TIMEOUT, _TIMEOUT, 0)
        vram = _vram_mib(model.pid, self.spec.gpu_devices)
        limit = self._targets.vram_gib
        over = limit is not None and not isinstance(vram, Null) and vram > limit * MIB_PER_GIB
        return OffloadLoad.of(
            layers=layers,
            applied=control.applied if control else None,
            held=control is not None and control.held,
            outcome="over_limit" if over else "loaded",
            decode_tps=speed.median,
            slowest_tps=speed.slowest,
            probe_tokens=speed.tokens,
            vram_mib=vram,
            rss_mib=peak_rss_mib(model.pid),
            load_seconds=model.load.reading("load_seconds"),
        )


def _vram_mib(pid: int | None, chosen: Sequence[str] | None) -> float | Null:
    """Return the GPU memory of a server's processes, by the driver."""
    if pid is None:
        return Null("PROCESS_GONE")
    try:
        ours = {pid, *(it.pid for it in psutil.Process(pid).children(recursive=True))}
    except psutil.Error:
        return Null("PROCESS_GONE")
    with open_devices("any") as found:
        devices = found.chosen(chosen).devices
        if not devices:
            return _NO_GPU
        listed = [device.processes(ours) for device in devices]
    held = [it.used_mib for processes in known(listed) for it in processes if it.pid in ours]
    return any_of(held, sum, first_null(listed) or _UNSEEN)
