"""Our own sidecar measurement, as a command: `python -m orket_lib.measure.sidecar.probe_process`.

Serves the model as a run does and measures its speed. It is started like any other sidecar command,
so that its time limit is enforced the same way. Arguments: spec, server location, model file or
tag, folder for the server's log and samples, result file and, optionally, the folder with the
findings of earlier sessions.
"""

from __future__ import annotations

import sys
from pathlib import Path

from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.sidecar import ServedProbes, SidecarSpec
from orket_lib.artifacts.measurements.spec import MeasurementSpec, TaskSelection
from orket_lib.artifacts.views.run_report import Probe
from orket_lib.measure.request import request_for
from orket_lib.measure.session.session import OpenSession, open_session
from orket_lib.measure.speed.probes import run_probe
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.providers.base import Source
from orket_lib.vocabulary.errors import LoadError, ProviderError, ServerCrashed
from orket_lib.vocabulary.nulls import Null

_FLOOR_RUNS = 9
_WORDS = ("a", "1", ".", " the")  # every tokenizer we know has one of them as a single token
_NO_TASKS = TaskSelection(bank_id="", ids=(), sha256="")


def main() -> None:
    """Measure, and write the result."""
    spec_path, place_path, artifact, folder, out, *facts = map(Path, sys.argv[1:])
    spec, place = read_model(spec_path, SidecarSpec), read_model(place_path, ServerLocation)
    source = Source(None if spec.artifact.tag else artifact, place)
    write_model(out, serve_probes(spec, source, folder, next(iter(facts), None)))


def serve_probes(
    spec: SidecarSpec, source: Source, folder: Path, facts: Path | None = None
) -> ServedProbes:
    """Serve a model and measure its speed; a model that fails is a result as well.

    Args:
        spec: What to serve; `serving` is required.
        source: The model file or server.
        folder: For the server's log and the samples of the host.
        facts: Folder with the findings of earlier sessions; None keeps nothing.
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
    """Return the spec of the session: the sidecar's cell, served as in a run."""
    serving = spec.serving
    assert serving is not None
    return MeasurementSpec(
        **serving.model_dump(exclude={"probe_runs"}),
        model_id=spec.model_id,
        quant_tag=spec.quant_tag,
        artifact=spec.artifact,
        max_output_tokens=1,
        tasks=_NO_TASKS,
        machine=spec.machine,
    )


def request_floor_ms(opened: OpenSession, spec: SidecarSpec) -> list[float]:
    """Return the TTFTs of minimal requests: the overhead of a request without the model's work.

    A generation without text has no TTFT and is left out.
    """
    counts = {word: opened.model.count_tokens(word) for word in _WORDS}
    prompt = min(counts, key=lambda word: counts[word] or 1)
    request = request_for(serving_spec(spec), prompt, 1, ignore_eos=True)
    times = [
        Tokens.of(opened.model.generate(request), opened.record.decode_clock).ttft_ms
        for _ in range(_FLOOR_RUNS)
    ]
    return [value for value in times if not isinstance(value, Null)]


if __name__ == "__main__":
    main()
