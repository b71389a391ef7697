"""A provider is one class and one entry of traits: everything else follows from these."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from builders import generation, spec

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.printed.offers import OfferedModel, Offering
from orket_lib.artifacts.views.preflight import NeededModel, Needs
from orket_lib.config.loading.provider_limits import control_problems, serving_warnings
from orket_lib.config.model import SweepConfig
from orket_lib.doctor.missing_readings import missing_with
from orket_lib.doctor.models import look_at_servers
from orket_lib.preflight.memory import free_main_memory
from orket_lib.preflight.servers import check_server
from orket_lib.providers.base import (
    Generation,
    GenerationRequest,
    RunningModel,
    ServerAddress,
    Source,
)
from orket_lib.providers.catalog import Catalog
from orket_lib.providers.registry import ask_running, provider_for
from orket_lib.vocabulary.errors import Fault, ProviderError, RequestFailed
from orket_lib.vocabulary.providers import PROVIDERS, ProviderTraits

URL = "http://127.0.0.1:4242"
QUESTION = GenerationRequest("Say yes.", 8, 0.0, 1, 10.0)


class EchoProvider:
    """A sixth provider, which answers with the prompt."""

    @contextmanager
    def serve(self, spec: Any, source: Source, log: Path) -> Iterator[Any]:
        yield SimpleNamespace(generate=lambda request: generation(text=request.prompt))

    def catalog(
        self, base_url: str, api_key: str | None, closely: Collection[str] | None
    ) -> Catalog:
        if base_url != URL:
            raise RequestFailed("refused", Fault.REFUSED)
        offered = OfferedModel(name="echo:1", quant_tag="Q8_0", bytes=10**6, loaded=True)
        return Catalog(Offering(build="1.0", models=(offered,)), canonical=str.lower)

    def ask(self, model: RunningModel, request: GenerationRequest) -> Generation:
        return generation(text=f"{model.name}: {request.prompt}")


@pytest.fixture(autouse=True)
def echo(monkeypatch: pytest.MonkeyPatch) -> None:
    traits = ProviderTraits(
        name="echo",
        implementation=f"{__name__}:EchoProvider",
        default_url=URL,
        loads_models=True,
        reports_quant=True,
        start="echo-server --port {port}",
        pull="echo pull {tag}",
        unload="echo stop {tag}",
        key_notes={"n_ctx": "provider `echo` has no context"},
        never_reports={"init_latency": ("NOT_REPORTED", "it does not load")},
    )
    monkeypatch.setitem(PROVIDERS, "echo", traits)


def needs(tag: str, url: str | None = None, exclusive: bool = False) -> Needs:
    place = ServerLocation(base_url=url, exclusive=exclusive)
    return Needs(
        provider="echo",
        place=place,
        models=(NeededModel(model_id="m", quant_tag="Q8_0", file=None, tag=tag, pin=None),),
    )


def test_it_serves_a_cell_and_answers_a_running_model(tmp_path: Path) -> None:
    with provider_for("echo").serve(spec(), Source(None), tmp_path / "log") as model:
        assert model.generate(QUESTION).text == "Say yes."
    running = RunningModel("echo", ServerAddress(URL), "echo:1")
    assert ask_running(running, QUESTION).text == "echo:1: Say yes."


def test_preflight_looks_at_its_server() -> None:
    checks, weighed = check_server(needs("ECHO:1"), 5.0)
    server, tag, loaded = checks
    assert (server.name, server.ok) == (f"echo at {URL}", True)
    assert (tag.ok, tag.detail) == (True, "Q8_0")
    assert (loaded.warning, loaded.remedy) == (True, "echo stop echo:1")
    assert [model.bytes for model in weighed] == [10**6]


def test_preflight_says_what_downloads_its_model_and_starts_its_server() -> None:
    checks, _ = check_server(needs("other", exclusive=True), 5.0)
    assert [check.remedy for check in checks] == [None, "echo pull other"]
    checks, _ = check_server(needs("other", "http://127.0.0.1:7"), 5.0)
    assert [check.remedy for check in checks] == ["echo-server --port 7"]


def test_the_doctor_looks_at_its_server_and_knows_what_it_lacks() -> None:
    (server,) = look_at_servers({"echo": URL}, {}, free_main_memory(), 4096, 5.0)
    assert [model.name for model in server.models] == ["echo:1"]
    found = {it.reading: it.reason for it in missing_with("echo", True, False, True)}
    assert found == {"init_latency": "NOT_REPORTED"}


def test_a_config_is_checked_against_its_traits() -> None:
    asked: dict[str, Any] = {"n_ctx": 8, "threads": 2, "gpu_devices": ("0",)}
    config = SweepConfig.model_construct(provider="echo", **asked)
    (problem,) = control_problems(config)
    assert problem.startswith("threads: provider `echo` can't apply it")
    notes = list(serving_warnings(config))
    assert notes[0] == "n_ctx: provider `echo` has no context"
    assert notes[1].startswith("gpu_devices: no effect")


def test_a_name_without_an_entry_is_an_error() -> None:
    with pytest.raises(ProviderError, match="provider `nope`: there is none"):
        provider_for("nope")
