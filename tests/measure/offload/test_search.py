"""The search loads, probes and chooses as trying all numbers of layers would."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from builders import report, spec
from gpu_builders import HandmadeGpu, gpu
from gpu_llama_server import Gpu
from simulated_gpu import GpuProvider, OneGpu, searching

from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.offload import OffloadSearch
from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.measure.offload import search
from orket_lib.measure.offload.contradictions import contradiction
from orket_lib.measure.offload.search import OFFLOAD, with_layers
from orket_lib.measure.session.identity import identity_observations
from orket_lib.telemetry.devices.opening import Devices
from orket_lib.telemetry.devices.reading import DeviceProcess
from orket_lib.vocabulary.errors import LoadError
from orket_lib.vocabulary.failures import Cause
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OneGpu:
    return OneGpu(monkeypatch, tmp_path)


def forget(one: OneGpu, wanted: float | None = None) -> None:
    (one.folder / searching(wanted).folder / OFFLOAD).unlink(missing_ok=True)
    one.loads.clear()


def drawn(seed: int, noise: float) -> tuple[Gpu, float | None]:
    """Return a machine, and what is wanted of it: nothing, little, something, or too much."""
    draw = random.Random(seed)
    layers, cpu_ms = draw.randint(2, 100), draw.uniform(0.3, 8)
    gpu_ms = cpu_ms / draw.uniform(2, 20)
    fit = draw.choice((0, draw.randint(0, layers), layers))
    gpu = Gpu(layers, cpu_ms, gpu_ms, free_mib=fit * 100 + 50, layer_mib=100, noise=noise)
    slowest, fastest = 1 / gpu.token_s(0), 1 / gpu.token_s(layers)
    wanted = draw.choice((None, slowest * 0.5, draw.uniform(slowest, fastest), fastest * 2))
    return gpu, wanted


def test_it_finds_what_an_exhaustive_search_finds_in_few_loads(one: OneGpu) -> None:
    for seed in range(150):
        gpu, wanted = drawn(seed, noise=0.0)
        forget(one, wanted)
        found = one.search(gpu, wanted, seed=seed)
        assert found.layers == gpu.fewest(wanted), (seed, gpu, wanted)
        assert found.contradiction is None, (seed, found.contradiction)
        assert one.loads == [load.layers for load in found.loads]
        assert len(one.loads) <= math.log2(gpu.layers) + 2, (seed, gpu)


def test_noise_of_a_few_percent_moves_the_choice_no_further_than_itself(one: OneGpu) -> None:
    for seed in range(100):
        gpu, wanted = drawn(seed, noise=0.03)
        forget(one, wanted)
        found = one.search(gpu, wanted, seed=seed)
        assert found.contradiction is None, (seed, found.contradiction)
        assert len(one.loads) <= math.log2(gpu.layers) + 2
        reaches = [
            1 / gpu.token_s(it) / (wanted or math.inf) for it in (found.layers, found.layers - 1)
        ]
        if gpu.fewest(wanted) != found.layers:
            assert reaches[0] > 0.9 and reaches[1] < 1.15, (seed, gpu, wanted, found)


@pytest.mark.parametrize(
    ("gpu", "wanted", "sentence"),
    [
        (
            Gpu(layers=33, cpu_ms=3, gpu_ms=0.1),
            25.0,
            "21 of 33 layers on the GPU, the fewest that reach 25 tokens/s: 26.2 tokens/s; "
            "20 give 24.4",
        ),
        (
            Gpu(layers=33, cpu_ms=3, gpu_ms=0.1),
            1000.0,
            "24 of 33 layers on the GPU, the most that fit, which don't reach 1000 tokens/s: "
            "34 tokens/s; 16 give 19; with 25 it doesn't fit",
        ),
        (
            Gpu(layers=10, free_mib=99_000),
            None,
            "10 of 10 layers on the GPU, all of them: 200 tokens/s; 0 give 25",
        ),
        (
            Gpu(layers=10, free_mib=0),
            None,
            "0 of 10 layers on the GPU, the most that fit: 25 tokens/s; with 1 it doesn't fit",
        ),
        (
            Gpu(layers=10),
            20.0,
            "0 of 10 layers on the GPU, the fewest that reach 20 tokens/s: 25 tokens/s",
        ),
    ],
)
def test_the_choice_is_a_sentence(
    one: OneGpu, gpu: Gpu, wanted: float | None, sentence: str
) -> None:
    assert one.search(gpu, wanted).sentence == sentence


def test_a_server_that_logs_other_layers_or_none_is_not_searched_further(one: OneGpu) -> None:
    found = one.search(Gpu(lie="others"), decode_tps=100.0)
    assert found.contradiction is not None
    assert "5 layers on the GPU were asked for, and the server's log says 4" in found.contradiction
    assert one.loads == [5]
    assert "not believed" in found.sentence
    forget(one)
    found = one.search(Gpu(lie="silent"))
    assert found.contradiction is not None and "doesn't say how many" in found.contradiction


@pytest.mark.parametrize("wanted", [None, 1.0, 60.0])
def test_a_server_whose_layers_change_nothing_is_caught(one: OneGpu, wanted: float | None) -> None:
    found = one.search(Gpu(layers=33, cpu_ms=1, lie="ignores", free_mib=99_000), wanted)
    assert found.contradiction is not None and "make no difference" in found.contradiction


def test_layers_that_make_it_slower_are_caught(one: OneGpu) -> None:
    found = one.search(Gpu(cpu_ms=1, gpu_ms=4), decode_tps=1000.0)
    assert (
        found.contradiction is not None and "more layers must not be slower" in found.contradiction
    )


def test_memory_that_grows_with_the_layers_shows_that_they_are_there(one: OneGpu) -> None:
    loads = one.search(Gpu(lie="ignores")).loads
    assert contradiction(loads, 5) is not None
    mib = {0: 300.0, 5: 5300.0}
    seen = [it.model_copy(update={"vram_mib": mib[it.layers], "null_reasons": {}}) for it in loads]
    assert contradiction(seen, 5) is None  # a GPU that is just no faster
    hidden = [it.model_copy(update={"vram_mib": 300.0, "null_reasons": {}}) for it in loads]
    assert contradiction(hidden, 5) is not None


def test_what_cannot_fit_by_the_sizes_in_the_file_is_not_loaded(one: OneGpu) -> None:
    gpu = Gpu(layers=33, free_mib=12_000)
    found = one.search(gpu, listed_mib=12_500)
    assert found.layers == 12
    assert one.loads == [12, 0]
    assert found.bounds == (0, 12)
    assert found.bounded_by == ("13 take about 13000 MiB, and 12500 are free in a GPU",)
    forget(one)
    assert one.search(gpu, listed_mib=99_000).layers == 12  # the loads themselves tell
    assert max(one.loads) == 33


def test_wanted_gpu_memory_is_a_limit_where_it_is_free(one: OneGpu) -> None:
    found = one.search(Gpu(layers=33), listed_mib=24_000, vram_gib=8.0)
    assert found.layers == 8
    assert found.bounded_by == ("9 take about 9000 MiB, and 8192 are wanted at most",)


def test_measured_gpu_memory_beyond_the_wanted_is_too_many(
    one: OneGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OneGpu, "vram", lambda self: 1100.0 * self.loads[-1])
    found = one.search(Gpu(layers=33), vram_gib=8.0)
    assert found.layers == 7
    outcomes = {load.layers: load.outcome for load in found.loads}
    assert (outcomes[7], outcomes[8]) == ("loaded", "over_limit")


def test_where_nothing_loads_the_last_failure_is_the_cells(one: OneGpu) -> None:
    gpu = Gpu(layers=4, free_mib=-1)
    with pytest.raises(
        LoadError, match="with 0 layers on the GPU: cudaMalloc failed: out of memory"
    ):
        one.search(gpu)
    assert one.loads == [4, 1, 0]
    assert not list(one.folder.rglob(OFFLOAD))


def test_a_later_session_of_the_cell_does_not_search_again(one: OneGpu) -> None:
    gpu = Gpu(layers=20)
    first = one.search(gpu, decode_tps=50.0)
    one.loads.clear()
    assert one.search(gpu, decode_tps=50.0) == first
    assert one.loads == []
    again = one.search(gpu, decode_tps=60.0)  # another target is another cell
    assert one.loads and again.layers > first.layers
    assert len(list(one.folder.rglob(OFFLOAD))) == 2


def test_the_cell_is_served_with_what_was_found_and_keeps_its_digest(one: OneGpu) -> None:
    asked = searching(decode_tps=50.0)
    found = one.search(Gpu(layers=20), decode_tps=50.0)
    served_as = with_layers(asked, found)
    assert served_as.gpu_layers == found.layers
    assert asked.folder.endswith(found.spec_digest)
    assert with_layers(asked.model_copy(update={"gpu_layers": 3}), None).gpu_layers == 3


def test_it_is_read_back_as_it_was_written(one: OneGpu, tmp_path: Path) -> None:
    found = one.search(Gpu(layers=7, free_mib=3000))
    write_model(tmp_path / "x.json", found)
    assert read_model(tmp_path / "x.json", OffloadSearch) == found


def test_layers_that_are_not_believed_make_the_row_invalid(one: OneGpu) -> None:
    session = report().sessions[0]
    assert identity_observations(spec(), session) == []
    for liar in (Gpu(lie="ignores"), Gpu(lie="others")):
        forget(one)
        found = one.search(liar)
        (seen,) = identity_observations(spec(), session.model_copy(update={"offload": found}))
        assert seen.reason is Reason.MISSING_EXPERIMENTAL_CONTROLS
        assert seen.evidence == f"gpu_layers: {found.contradiction}"


@pytest.mark.parametrize(
    ("gpus", "found"),
    [
        ([], Null("NO_GPU")),
        ([gpu(listed=())], Null("NOT_SEEN_ON_A_GPU")),
        ([gpu(listed=(DeviceProcess(1, 99.0, 0.0),))], Null("NOT_SEEN_ON_A_GPU")),
        ([gpu(listed=Null("NOT_SUPPORTED"))], Null("NOT_SUPPORTED")),
        (
            [gpu(listed=(DeviceProcess(os.getpid(), Null("NOT_SUPPORTED"), 0.0),))],
            Null("NOT_SUPPORTED"),
        ),
        (
            [
                gpu(0, listed=(DeviceProcess(os.getpid(), 700.0, 0.0),)),
                gpu(1, listed=(DeviceProcess(os.getpid(), 800.0, 0.0),)),
            ],
            1500.0,
        ),
    ],
)
def test_gpu_memory_is_that_of_the_servers_processes(
    monkeypatch: pytest.MonkeyPatch, gpus: list[HandmadeGpu], found: float | Null
) -> None:
    @contextmanager
    def opened(_: str) -> Iterator[Devices]:
        yield Devices(tuple(gpus))

    monkeypatch.setattr(search, "open_devices", opened)
    assert search._vram_mib(os.getpid(), None) == found
    assert search._vram_mib(None, None) == Null("PROCESS_GONE")


def test_a_load_too_slow_for_any_request_wants_more_layers(one: OneGpu) -> None:
    slow = Gpu(layers=10, cpu_ms=500, gpu_ms=10, free_mib=9_500)  # 16 tokens take up to 80 s
    found = one.search(slow, 1.0)
    assert found.layers == slow.fewest(1.0) == 9
    assert {load.layers: load.null_reasons.get("decode_tps") for load in found.loads} == {
        10: "NOT_SERVED",
        4: "RUN_TIMEOUT",
        7: None,
        8: "RUN_TIMEOUT",
        9: None,
    }
    assert found.contradiction is None


def test_a_failure_other_than_of_memory_is_the_cells_own(
    one: OneGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve = GpuProvider.serve

    def broken_at(layers: int) -> None:
        def served(self: GpuProvider, wanted: MeasurementSpec, *rest: Any) -> Any:
            if wanted.gpu_layers == layers:
                raise LoadError("unknown architecture", Cause.UNREADABLE)
            return serve(self, wanted, *rest)

        monkeypatch.setattr(GpuProvider, "serve", served)

    broken_at(2)
    with pytest.raises(LoadError, match="unknown architecture"):
        one.search(Gpu(layers=5, free_mib=4_000))
    broken_at(0)  # it only shows what the layers are good for
    assert one.search(Gpu(layers=5)).layers == 5
