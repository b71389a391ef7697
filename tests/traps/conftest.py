"""A real server, served once, and a real cell, measured once, for all tests of traps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

# The tests of traps and those of telemetry share the helper that works in others' name.
import pytest
from nano import measure, nano_file, nano_spec

from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.measure.session import session
from orket_lib.measure.speed.budget import BUDGET
from orket_lib.measure.speed.probe_prompts import ProbeMaker
from orket_lib.processes import device_lock
from orket_lib.providers.base import Source
from orket_lib.providers.llama_cpp.embedded import EmbeddedProvider
from orket_lib.providers.llama_cpp.model import LlamaModel


@pytest.fixture(autouse=True)
def soon_warm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine be warmed up no longer than a quiet one needs: no speed is judged here."""
    monkeypatch.setattr(session, "BUDGET", replace(BUDGET, ready_s=1.0))


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaModel]:
    """Return the reference model behind a real server; F16, whose tokens take longest."""
    log = tmp_path_factory.mktemp("served") / "server.log"
    with EmbeddedProvider().serve(nano_spec("F16"), Source(nano_file("F16")), log) as served:
        yield served


@pytest.fixture(scope="session")
def maker(model: LlamaModel) -> ProbeMaker:
    """Return what makes probes for that model."""
    return ProbeMaker(model, nano_spec("F16"))


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> RunReport:
    """Return the report of a small real cell: three tasks, two runs of each, two probes."""
    folder = tmp_path_factory.mktemp("measured")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device_lock, "_machine_folder", lambda: folder)
        for attempt in range(3):
            found = measure(folder / f"cell-{attempt}", nano_spec("Q2_K"))
            # Other work may hide from which event the server's clock counts; rates are ours then.
            if all(probe.decode_intervals is not None for probe in found.probes):
                break
        return found
