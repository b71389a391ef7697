"""Our own sidecar measurement, as a command: `python -m orket_lib.measure.sidecar.probe_process`.

Serves the model as a run does and measures its speeds beside the task runs. It is started like any
other sidecar command, so its time limit is enforced the same way. Arguments: spec, place, model
file or tag, folder for the server's log and samples, the file that the result goes to, and, where
there is one, the folder with what earlier sessions found out.
"""

from __future__ import annotations

import sys
from pathlib import Path

from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.sidecar import ServedProbes, SidecarSpec
from orket_lib.artifacts.measurements.spec import MeasurementSpec, TaskSelection
from orket_lib.artifacts.views.run_report import Probe
from orket_lib.measure.session.open_session import OpenSession
from orket_lib.measure.session.session import open_session
from orket_lib.measure.sources import source_of
from orket_lib.measure.speed.probes import run_probe
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.providers.base import GenerationRequest, Source
from orket_lib.vocabulary.errors import LoadError, ProviderError, ServerCrashed
from orket_lib.vocabulary.nulls import Null

_FLOOR_RUNS = 9
_WORDS = ("a", "1", ".", " the")  # one of them is one token for any tokenizer that we know
_NO_TASKS = TaskSelection(bank_id="", ids=(), sha256="")


def main() -> None:
    """Measure and write what was seen, whatever that is."""
    spec_path, place_path, artifact, folder, out, *facts = map(Path, sys.argv[1:])
    spec, place = read_model(spec_path, SidecarSpec), read_model(place_path, ServerLocation)
    source = source_of(spec.artifact, artifact, place)
    write_model(out, serve_probes(spec, source, folder, next(iter(facts), None)))


def serve_probes(
    spec: SidecarSpec, source: Source, folder: Path, facts: Path | None = None
) -> ServedProbes:
    """Serve a model, measure its speeds, and return them; a model that fails is a result too.

    Args:
        spec: What to serve; it must say how.
        source: From where.
        folder: For the server's log and the samples of the host.
        facts: Folder with what earlier sessions found out about servers; None keeps nothing.
    """
    probes: list[Probe] = []
    floor: list[float] = []
    session = failure = detail = None
    try:
        with open_session(
            serving_spec(spec),
            source,
            folder / "server.log",
            folder / "samples.csv",
            0,
            facts=facts,
        ) as opened:
            session = opened.record
            assert spec.serving is not None
            for index in range(spec.serving.probe_runs):
                probes.append(run_probe(opened, index))
            floor += request_floor_ms(opened, spec)
    except LoadError as error:
        failure, detail = "model_not_loaded", str(error)
    except ServerCrashed as error:
        failure, detail = "server_crashed", str(error)
    except ProviderError as error:
        failure, detail = "serving_failed", str(error)
    return ServedProbes.model_validate(
        {
            "failure": failure,
            "failure_detail": detail,
            "session": session,
            "probes": probes,
            "floor_ms": floor,
        }
    )


def serving_spec(spec: SidecarSpec) -> MeasurementSpec:
    """Return what a session needs to know: the sidecar's cell, served as a run serves it."""
    serving = spec.serving
    assert serving is not None
    return MeasurementSpec(
        contract=serving.contract,
        model_id=spec.model_id,
        quant_tag=spec.quant_tag,
        provider=serving.provider,
        provider_version=serving.provider_version,
        server_args=serving.server_args,
        gpu_devices=serving.gpu_devices,
        artifact=spec.artifact,
        n_ctx=serving.n_ctx,
        temperature=serving.temperature,
        max_output_tokens=1,
        task_timeout_sec=serving.task_timeout_sec,
        controls=serving.controls,
        tasks=_NO_TASKS,
        machine=spec.machine,
    )


def request_floor_ms(opened: OpenSession, spec: SidecarSpec) -> list[float]:
    """Return TTFTs of the smallest request there is: what a request costs before the model works.

    A generation that brings no text has no TTFT and leaves none.
    """
    serving = spec.serving
    assert serving is not None
    counts = {word: opened.model.count_tokens(word) for word in _WORDS}
    request = GenerationRequest(
        prompt=min(counts, key=lambda word: counts[word] or 1),
        max_tokens=1,
        temperature=serving.temperature,
        seed=serving.controls.seed,
        timeout_s=serving.task_timeout_sec,
        ignore_eos=True,
    )
    times = [
        Tokens.of(opened.model.generate(request), opened.record.decode_clock).ttft_ms
        for _ in range(_FLOOR_RUNS)
    ]
    return [value for value in times if not isinstance(value, Null)]


if __name__ == "__main__":
    main()
