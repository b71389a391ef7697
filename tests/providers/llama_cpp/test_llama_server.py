"""The user's own `llama-server`, for real: started for a cell, and used where it runs already."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from nano import nano_file, nano_spec
from real_llama_server import LLAMA_SERVER, llama_server_of_others, unused_address

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import ArtifactIdentity, ControlSettings, MeasurementSpec
from orket_lib.measure.speed.calibration import calibrate
from orket_lib.measure.speed.probe_prompts import ProbeMaker
from orket_lib.providers.base import GenerationRequest, Source
from orket_lib.providers.llama_cpp import server as llama_server
from orket_lib.providers.llama_cpp.attach import attached
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.llama_cpp.embedded import EmbeddedProvider
from orket_lib.providers.llama_cpp.model import LlamaModel
from orket_lib.providers.llama_cpp.router import Router
from orket_lib.providers.llama_cpp.server import LlamaServerProvider, started
from orket_lib.vocabulary.errors import LoadError, ServerCrashed
from orket_lib.vocabulary.reasons import Reason

BINARY = os.environ.get(LLAMA_SERVER, "")
pytestmark = pytest.mark.skipif(
    not BINARY, reason=f"{LLAMA_SERVER} names no llama-server (.ci/build_llama_server makes one)"
)
QUESTION = GenerationRequest("Sort 3 1 2", 16, 0.0, seed=7, timeout_s=30.0)
DEADLINE_S = 20.0


def cell(tag: str = "Q4_K_M", **changes: Any) -> MeasurementSpec:
    return nano_spec(tag, provider="llama_server", **changes)


@contextmanager
def serving(tmp_path: Path, tag: str = "Q4_K_M", **changes: Any) -> Iterator[LlamaModel]:
    source = Source(nano_file(tag), ServerLocation(server_binary=BINARY))
    with LlamaServerProvider().serve(cell(tag, **changes), source, tmp_path / "log") as model:
        yield model


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_what_it_serves_is_the_file_of_the_cell(tmp_path: Path) -> None:
    found = {}
    for tag in ("Q8_0", "Q2_K"):
        with serving(tmp_path, tag) as model:
            assert (model.served.quant_tag, model.served.file_quant_tag) == (tag, tag)
            assert model.served.build is not None
            assert model.served.build.startswith("llama-server, llama.cpp b")
            found[tag] = model.served.sha256
    assert found == {tag: cell(tag).artifact.sha256 for tag in found}
    assert len(set(found.values())) == 2


@pytest.mark.parametrize("n_ctx", [512, 1536])
def test_the_context_is_set_and_read_back(tmp_path: Path, n_ctx: int) -> None:
    with serving(tmp_path, n_ctx=n_ctx) as model:
        assert model.served.n_ctx == n_ctx


def test_a_script_that_starts_it_is_as_good_as_the_binary(tmp_path: Path) -> None:
    script = tmp_path / "serve.sh"
    script.write_text(f'#!/bin/sh\n"{BINARY}" "$@"\nexit $?\n', encoding="utf-8")
    script.chmod(0o755)
    cpu = min(psutil.Process().cpu_affinity() or [0])
    spec = cell(controls=ControlSettings(seed=11, affinity_policy=str(cpu)))
    source = Source(nano_file("Q4_K_M"), ServerLocation(server_binary=str(script)))
    with LlamaServerProvider().serve(spec, source, tmp_path / "log") as model:
        assert model.pid is not None
        (real,) = psutil.Process(model.pid).children()
        assert model.generate(QUESTION).text
        assert all(control.held for control in model.controls)
    assert is_gone(real.pid)


def test_without_a_context_it_is_the_models_own(tmp_path: Path) -> None:
    with serving(tmp_path, n_ctx=None) as model:
        assert model.served.n_ctx == 2048


def test_threads_seed_and_cpus_are_applied_and_read_back(tmp_path: Path) -> None:
    cpu = min(psutil.Process().cpu_affinity() or [0])
    controls = ControlSettings(seed=11, threads=2, affinity_policy=str(cpu))
    with serving(tmp_path, controls=controls) as model:
        read_back = {control.name: control for control in model.controls}
        assert model.pid is not None
        assert psutil.Process(model.pid).cpu_affinity() == [cpu]
    assert {name: control.applied for name, control in read_back.items()} == {
        "seed": "11",
        "threads": "2",
        "affinity_policy": f"[{cpu}]",
    }
    assert all(control.held for control in read_back.values())


def test_the_users_arguments_reach_it(tmp_path: Path) -> None:
    with serving(tmp_path, server_args=("--alias", "my-own-name")) as model:
        assert {found["id"] for found in model._client.models()} == {"my-own-name"}


def test_an_argument_that_the_build_does_not_know_is_told_in_its_own_words(tmp_path: Path) -> None:
    with (
        pytest.raises(LoadError, match="error: invalid argument: --no-such-flag"),
        serving(tmp_path, server_args=("--no-such-flag",)),
    ):
        pytest.fail("it was served")


def test_the_key_is_on_no_command_line_and_needed(tmp_path: Path) -> None:
    with serving(tmp_path) as model:
        assert model.pid is not None
        key = model.address.api_key
        assert key is not None
        for process in (psutil.Process(model.pid), *psutil.Process(model.pid).parents()[:1]):
            assert key not in " ".join(process.cmdline())
        stranger = Source(nano_file("Q4_K_M"), ServerLocation(base_url=model.address.base_url))
        with pytest.raises(LoadError, match="401"), attached(cell(), stranger, tmp_path / "other"):
            pytest.fail("it answered a stranger")


def test_settings_of_llama_cpp_in_our_environment_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAMA_ARG_ALIAS", "from-the-environment")
    with serving(tmp_path) as model:
        assert "from-the-environment" not in str(model._client.models())


def test_a_port_that_somebody_else_takes_meanwhile_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(llama_server, "_free_port", lambda: taken.getsockname()[1])
        with pytest.raises(LoadError, match="couldn't bind"), serving(tmp_path):
            pytest.fail("it was served")


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="a port has one socket here")
def test_a_port_that_is_shared_with_somebody_else_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as shared:
        monkeypatch.setattr(llama_server, "_free_port", lambda: shared.getsockname()[1])
        source = Source(nano_file("Q4_K_M"), ServerLocation(server_binary=BINARY))
        sharing = cell(server_args=("--reuse-port",))
        shared.listen(0)
        with (
            pytest.raises(LoadError),
            started(sharing, source, tmp_path / "log"),
        ):
            pytest.fail("it was served")


_OWNER = """
import sys, time
from pathlib import Path
from nano import nano_file, nano_spec
from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.providers.base import Source
from orket_lib.providers.llama_cpp.attach import attached
from orket_lib.providers.llama_cpp.server import LlamaServerProvider
source = Source(nano_file("Q4_K_M"), ServerLocation(server_binary=sys.argv[1]))
spec = nano_spec("Q4_K_M", provider="llama_server")
with LlamaServerProvider().serve(spec, source, Path(sys.argv[2])) as model:
    print(model.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_when_we_are_ended_it_is_gone(tmp_path: Path, by: signal.Signals) -> None:
    paths = [str(Path(__file__).parents[2]), str(Path(__file__).parents[2] / "traps")]
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, BINARY, str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    owner.send_signal(by)
    owner.wait(timeout=DEADLINE_S)
    owner.stdout.close()
    deadline = time.monotonic() + DEADLINE_S
    while not is_gone(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.timed
def test_t04_its_decode_clock_is_found_out(tmp_path: Path) -> None:
    with serving(tmp_path, "F16") as model:
        maker = ProbeMaker(model, cell("F16"))
        model.generate(maker.request())
        found = calibrate(model, maker)
        assert found.decode_clock == "first_token", found.decode_clock_evidence
        same = EmbeddedProvider().serve(
            nano_spec("F16"), Source(nano_file("F16")), tmp_path / "embedded.log"
        )
        with same as other:
            again = calibrate(other, ProbeMaker(other, nano_spec("F16")))
            assert again.decode_clock == found.decode_clock


def test_a_context_that_is_shared_by_slots_is_the_part_of_one(tmp_path: Path) -> None:
    arguments = ("--ctx-size", "2048", "--parallel", "2")  # the last value counts
    with llama_server_of_others(nano_file("Q4_K_M"), tmp_path, *arguments) as address:
        source = Source(nano_file("Q4_K_M"), ServerLocation(base_url=address))
        asked = cell(controls=ControlSettings(seed=7), n_ctx=2048)
        with attached(asked, source, tmp_path / "log") as model:
            assert model.served.n_ctx == 1024


def test_a_server_of_others_that_is_restarted_with_another_model_is_seen(tmp_path: Path) -> None:
    address = unused_address()
    asked = cell("Q8_0", controls=ControlSettings(seed=7))
    first = llama_server_of_others(nano_file("Q8_0"), tmp_path, address=address)
    source = Source(nano_file("Q8_0"), ServerLocation(base_url=address))
    first.__enter__()
    with attached(asked, source, tmp_path / "log") as model:
        model.generate(QUESTION)
        assert model.disturbances() == ()
        first.__exit__(None, None, None)
        with llama_server_of_others(nano_file("Q2_K"), tmp_path, address=address):
            model.generate(replace(QUESTION, max_tokens=4))
            reasons = [seen.reason for seen in model.disturbances()]
    assert reasons[0] is Reason.SERVER_RESTARTED
    assert set(reasons[1:]) == {Reason.QUANT_IDENTITY_MISMATCH}


@pytest.fixture
def router(tmp_path: Path) -> Iterator[str]:
    """Return the address of a router over two models."""
    models = tmp_path / "models"
    models.mkdir()
    for tag in ("Q8_0", "Q2_K"):
        (models / nano_file(tag).name).symlink_to(nano_file(tag))  # a copy would be too young
    with llama_server_of_others(models, tmp_path, "--ctx-size", "1024") as address:
        yield address


@contextmanager
def routed(router: str, tmp_path: Path, tag: str, **place: Any) -> Iterator[LlamaModel]:
    spec = cell(tag, n_ctx=1024, controls=ControlSettings(seed=7)).model_copy(
        update={"artifact": ArtifactIdentity(tag=f"orket-nano-{tag}")}
    )
    with attached(
        spec, Source(None, ServerLocation(base_url=router, **place)), tmp_path / "log"
    ) as model:
        yield model


def loaded(router: str) -> list[str]:
    with closing(LlamaClient(router)) as client:
        return Router(client).loaded()


def test_a_router_loads_the_cells_model_and_unloads_it(router: str, tmp_path: Path) -> None:
    found = {}
    for tag in ("Q8_0", "Q2_K"):
        with routed(router, tmp_path, tag) as model:
            assert loaded(router) == [f"orket-nano-{tag}"]
            assert model.load.load_seconds is not None
            assert model.served.quant_tag == tag
            assert model.served.digest == cell(tag).artifact.sha256
            assert model.generate(QUESTION).text
            assert model.pid is not None
            words = psutil.Process(model.pid).cmdline()
            assert f"orket-nano-{tag}" in words, "the model's own process, not the router's"
            found[tag] = model.pid
        assert loaded(router) == []
        assert is_gone(found[tag])


def test_a_routers_model_that_somebody_else_loaded_stops_the_cell_by_name(
    router: str, tmp_path: Path
) -> None:
    with (
        closing(LlamaClient(router)) as client,
        Router(client).loading("orket-nano-Q2_K", False, print),
    ):
        for tag in ("Q8_0", "Q2_K"):
            with (
                pytest.raises(LoadError, match="has `orket-nano-Q2_K` loaded by another client"),
                routed(router, tmp_path, tag),
            ):
                pytest.fail("it was measured")
        assert loaded(router) == ["orket-nano-Q2_K"]
        with routed(router, tmp_path, "Q8_0", exclusive=True):
            assert loaded(router) == ["orket-nano-Q8_0"]
        log = (tmp_path / "log").read_text(encoding="utf-8")
        assert "unloaded `orket-nano-Q2_K`, which another client had loaded" in log


def test_a_model_that_is_loaded_beside_ours_is_seen(router: str, tmp_path: Path) -> None:
    with routed(router, tmp_path, "Q8_0") as model, closing(LlamaClient(router)) as client:
        model.generate(QUESTION)
        assert model.disturbances() == ()
        client.load_model("orket-nano-Q2_K")
        model.generate(QUESTION)
        (seen,) = model.disturbances()
        assert seen.reason is Reason.FOREIGN_REQUESTS
        assert seen.evidence == "`orket-nano-Q2_K` was loaded by another client"


def test_a_model_that_the_router_gave_up_is_not_loaded_again_behind_our_back(
    router: str, tmp_path: Path
) -> None:
    with routed(router, tmp_path, "Q8_0") as model, closing(LlamaClient(router)) as client:
        model.generate(QUESTION)
        client.unload_model("orket-nano-Q8_0")
        with pytest.raises(ServerCrashed, match="no longer has `orket-nano-Q8_0` loaded"):
            while True:
                model.generate(QUESTION)
        assert loaded(router) == []
