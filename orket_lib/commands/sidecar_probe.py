"""`orket sidecar-probe`: measure a model file on this machine's hardware, without a sweep."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.commands._common import add_out, print_json, stamp, tell
from orket_lib.vocabulary.errors import ArtifactError

if TYPE_CHECKING:
    from orket_lib.artifacts.measurements.sidecar import SidecarSpec
    from orket_lib.providers.base import Source

_N_CTX = 2048  # enough for a probe; a model's own context may not fit in memory
_PROBES = 3
_LONGEST_S = 7 * 86400.0  # a timer takes no number that is much larger
_ON_GPU = ("--n-gpu-layers", "999")  # all of them, also where that is no default


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--backend", choices=["nvidia", "amd", "cpu"], required=True)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--quant", required=True, help="its quant tag")
    parser.add_argument(
        "--server-binary",
        metavar="PROGRAM",
        help="llama-server with which a GPU is measured (default: the one on PATH)",
    )
    parser.add_argument("--timeout-sec", type=_seconds, default=900.0, help="time limit")
    parser.add_argument("--json", action="store_true", help="print the result, too")
    add_out(parser, "the result: sidecar.parse.v1")


def run(options: argparse.Namespace) -> int:
    """Measure, parse, write; hardware that is not here is a result."""
    import tempfile

    from orket_lib.analysis.sidecar.parse import sidecar_fields
    from orket_lib.artifacts.io import write_model
    from orket_lib.artifacts.measurements.sidecar import SidecarReport
    from orket_lib.commands.measure._measurement_options import console_progress, tell_failure
    from orket_lib.measure.sidecar.sidecar import measure_sidecar
    from orket_lib.vocabulary.statuses import Lane, VramProfile

    fields = stamp()
    with (
        tempfile.TemporaryDirectory(prefix="orket-probe-") as folder,
        console_progress(f"sidecar {options.model.stem} {options.quant}") as progress,
    ):
        measurement = measure_sidecar(
            _spec(options), _source(options), Path(folder), progress, fields["provenance"]
        )
    report = SidecarReport.of(
        **fields,
        execution_lane=Lane.LAB,
        vram_profile=VramProfile.SAFE,
        **sidecar_fields(measurement),
    )
    write_model(options.out, report)
    if options.json:
        print_json(report)
    errors = ", ".join(report.sidecar_parse_errors)
    tell(f"{report.sidecar_parse_status.value}{f': {errors}' if errors else ''}")
    tell_failure(measurement)
    return 0


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= _LONGEST_S:
        most = f"{_LONGEST_S:.0f}"
        raise argparse.ArgumentTypeError(
            f"must be a number of seconds > 0 and <= {most} (got {text!r})"
        )
    return value


def _source(options: argparse.Namespace) -> Source:
    from orket_lib.artifacts.measurements.serving import ServerLocation
    from orket_lib.providers.base import Source

    return Source(options.model, ServerLocation(server_binary=options.server_binary))


def _spec(options: argparse.Namespace) -> SidecarSpec:
    from orket_lib.artifacts.measurements.sidecar import ServingSettings, SidecarSpec
    from orket_lib.artifacts.measurements.spec import ArtifactIdentity, ControlSettings
    from orket_lib.providers.gguf.file import model_sha256, read_gguf
    from orket_lib.telemetry.fingerprint import hardware_fingerprint
    from orket_lib.vocabulary.quants import normalize_tag

    try:
        sha256 = model_sha256(options.model)
    except OSError as error:
        raise ArtifactError(f"{options.model}: can't be read: {error.strerror}") from None
    read_gguf(options.model)  # what is no model is bad input, and no result of this hardware
    on_gpu = options.backend != "cpu"  # what is embedded serves from main memory only
    return SidecarSpec(
        model_id=options.model.stem,
        quant_tag=normalize_tag(options.quant),
        artifact=ArtifactIdentity(sha256=sha256),
        machine=hardware_fingerprint(),
        backend=options.backend,
        template=None,
        timeout_sec=options.timeout_sec,
        serving=ServingSettings(
            provider="llama_server" if on_gpu else "embedded",
            provider_version=None,
            server_args=_ON_GPU if on_gpu else (),
            n_ctx=_N_CTX,
            temperature=0.0,
            task_timeout_sec=options.timeout_sec,
            controls=ControlSettings(),
            probe_runs=_PROBES,
        ),
    )
