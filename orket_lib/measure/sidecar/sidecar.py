"""Runs the command of a sidecar with limits, and reads sensors meanwhile.

Whatever the command does is a result: it may hang, flood, fork, print nonsense or not exist. An
error is raised only if no result can be written.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.sidecar import (
    CapturedText,
    SensorReadings,
    ServedProbes,
    SidecarMeasurement,
    SidecarSpec,
)
from orket_lib.measure.progress import Progress
from orket_lib.measure.session.device_selection import locked_devices
from orket_lib.measure.sidecar.sensors import watching
from orket_lib.processes.bounded_command import Ended, run_bounded
from orket_lib.processes.command_template import filled, resolved_environment, without_secrets
from orket_lib.processes.device_lock import CPU, device_locks
from orket_lib.processes.which import find_program
from orket_lib.providers.base import Source
from orket_lib.providers.llama_cpp.binary import listed_devices
from orket_lib.telemetry.devices.opening import open_devices
from orket_lib.telemetry.fingerprint import boot_id, machine_of
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.providers import PROVIDERS

_UNAVAILABLE = {"nvidia": "nvidia_smi_unavailable", "amd": "amd_smi_unavailable"}
_HELD = "ORKET_DEVICE_HELD"  # set for commands: their parent holds the lock of the device
_NOTHING = CapturedText(text="", bytes=0)


@dataclass(frozen=True)
class _Seen:
    """The result of the command; without `ended` if it was not run."""

    error: str | None
    applicable: bool = True
    command: tuple[str, ...] = ()
    ended: Ended | None = None
    sensors: SensorReadings | None = None


def measure_sidecar(
    spec: SidecarSpec,
    source: Source,
    folder: Path,
    progress: Progress,
    provenance: Provenance,
    facts: Path | None = None,
) -> SidecarMeasurement:
    """Run a sidecar and return its measurement.

    Args:
        spec: What to run.
        source: The model file or server, for our own measurement.
        folder: For the server's log and samples.
        progress: Receives the progress.
        provenance: Of the command.
        facts: Folder with the findings of earlier sessions; None keeps nothing.
    """
    measured_at = utc_now()
    with tempfile.TemporaryDirectory(prefix="orket-sidecar-") as scratch:
        out_file = Path(scratch) / "sidecar_out.json"
        spec_file, place_file = Path(scratch) / "spec.json", Path(scratch) / "place.json"
        write_model(spec_file, spec)
        write_model(place_file, source.place)
        command = (
            command_of(spec, source, out_file)
            if spec.template
            else _own_command(spec_file, place_file, source, folder, out_file, facts)
        )
        seen = _run(spec, source, command, out_file, progress)
        serving = None if spec.template else _serving(out_file)
    ended = seen.ended
    return SidecarMeasurement(
        generated_at=utc_now(),
        provenance=provenance,
        measured_at=measured_at,
        boot_id=boot_id(),
        hardware_fingerprint=machine_of(None, spec.machine),
        spec=spec,
        spec_digest=spec.digest(),
        applicable=seen.applicable,
        error=seen.error,
        command=seen.command,
        exit_status=ended.exit_status if ended else None,
        seconds=ended.seconds if ended else None,
        stdout=ended.stdout if ended else _NOTHING,
        stderr=ended.stderr if ended else _NOTHING,
        # The output of our own measurement is in `serving`.
        out_file=ended.out_file if ended and spec.template else _NOTHING,
        serving=serving,
        sensors=seen.sensors,
    )


def command_of(spec: SidecarSpec, source: Source, out_file: Path) -> tuple[str, ...]:
    """Return the arguments of a template's command."""
    values = {
        "model_id": spec.model_id,
        "quant_tag": spec.quant_tag,
        "model_path": str(source.artifact or ""),
        "runtime_target": spec.runtime_target or "",
        "execution_mode": spec.execution_mode or "",
        "out_file": str(out_file),
    }
    return filled(spec.template or (), values)


def _run(
    spec: SidecarSpec,
    source: Source,
    command: tuple[str, ...],
    out_file: Path,
    progress: Progress,
) -> _Seen:
    """Run a command with its devices locked; if something is missing, return without waiting."""
    try:
        environment, secrets = resolved_environment(spec.environment)
    except KeyError as error:
        return _Seen(error=f"environment_missing:{error.args[0]}")
    with open_devices(spec.backend) as found:
        named = found.chosen(spec.serving.gpu_devices if spec.serving else None)
        on_gpu = spec.backend in _UNAVAILABLE
        if on_gpu:
            lacking = _UNAVAILABLE[spec.backend] if not named.devices else _no_server(spec, source)
            if lacking:
                return _Seen(error=lacking, applicable=False)
        with _devices(spec, source, progress):
            if on_gpu and _built_for_cpu(spec, source):
                return _Seen(error="llama_server_built_for_cpu", applicable=False)
            with watching(named.devices) as watch:
                ended = run_bounded(
                    command, {**environment, _HELD: CPU}, spec.timeout_sec, out_file
                )
        ended = ended.model_copy(
            update={
                part: without_secrets(getattr(ended, part), secrets)
                for part in ("stdout", "stderr", "out_file")
            }
        )
        return _Seen(ended.error, command=command, ended=ended, sensors=watch.readings())


def _no_server(spec: SidecarSpec, source: Source) -> str | None:
    """Return why our own measurement would not run on the GPU; None if it would."""
    if spec.serving and PROVIDERS[spec.serving.provider].on_cpu:
        return "embedded_serves_on_cpu"
    if _starts_llama_server(spec, source) and _binary(source) is None:
        return "llama_server_not_found"
    return None


def _built_for_cpu(spec: SidecarSpec, source: Source) -> bool:
    """Return whether the server lists no GPU; this uses the GPU, which must be locked."""
    binary = _binary(source) if _starts_llama_server(spec, source) else None
    return binary is not None and listed_devices(binary) == ()


def _starts_llama_server(spec: SidecarSpec, source: Source) -> bool:
    serving = spec.serving
    return bool(serving and PROVIDERS[serving.provider].starts_binary(source.place.base_url))


def _binary(source: Source) -> str | None:
    return find_program(source.place.server_binary or "llama-server")


def _devices(spec: SidecarSpec, source: Source, progress: Progress) -> AbstractContextManager[None]:
    """Hold the devices, unless this is `orket sidecar-probe` as the command of another sidecar."""
    if _HELD in os.environ:
        return nullcontext()
    serving = spec.serving
    needed: tuple[str, ...] = (CPU,)
    if spec.backend != "cpu":  # a template may use any GPU
        provider, named = (serving.provider, serving.gpu_devices) if serving else ("", None)
        needed = locked_devices(provider, named, source.place)
    purpose = f"sidecar of {spec.model_id} {spec.quant_tag}"
    return device_locks(needed, purpose, progress.say)


def _own_command(
    spec_file: Path,
    place_file: Path,
    source: Source,
    folder: Path,
    out_file: Path,
    facts: Path | None,
) -> tuple[str, ...]:
    paths = (spec_file, place_file, source.artifact or Path(), folder, out_file, facts)
    return (
        sys.executable,
        "-m",
        "orket_lib.measure.sidecar.probe_process",
        *(str(path) for path in paths if path),
    )


def _serving(result: Path) -> ServedProbes | None:
    """Return the result of our own measurement; None if it did not finish."""
    try:
        return read_model(result, ServedProbes)
    except ArtifactError:
        return None
