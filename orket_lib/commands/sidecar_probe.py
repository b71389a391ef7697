"""`orket sidecar-probe`: measure one model file on this machine's hardware, without a sweep."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from orket_lib.analysis.sidecar.parse import sidecar_fields
from orket_lib.artifacts.io import write_model
from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.sidecar import ServingSettings, SidecarReport, SidecarSpec
from orket_lib.artifacts.measurements.spec import ArtifactIdentity, ControlSettings
from orket_lib.commands._common import add_out, number, print_json, stamp, tell
from orket_lib.commands.measure._measurement_options import JobProgress, tell_failure
from orket_lib.measure.sidecar.sidecar import measure_sidecar
from orket_lib.providers.base import Source
from orket_lib.providers.gguf.file import model_sha256, read_gguf
from orket_lib.telemetry.fingerprint import hardware_fingerprint
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.quants import normalize_tag
from orket_lib.vocabulary.statuses import Lane, VramProfile

_N_CTX = 2048  # enough for a probe; a model's own context may not fit in memory
_PROBES = 3
_LONGEST_S = 7 * 86400.0  # timers overflow at much larger values
_ON_GPU = ("--n-gpu-layers", "999")  # all layers; some builds default to fewer


EXAMPLES = (
    "orket sidecar-probe --backend cpu --model nano-Q4_K_M.gguf --quant Q4_K_M --out sidecar.json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--backend", choices=["nvidia", "amd", "cpu"], required=True, help="what to run it on")
    add("--model", type=Path, required=True, help="GGUF file")
    add("--quant", required=True, help="its quant tag, such as Q4_K_M")
    add(
        "--server-binary",
        metavar="PROGRAM",
        help="llama-server for GPU backends (default: the one on PATH)",
    )
    add(
        "--timeout-sec",
        type=number(above=0, most=_LONGEST_S),
        default=900.0,
        help="time limit in seconds; default: %(default)g",
    )
    add("--json", action="store_true", help="also print the result as JSON")
    add_out(parser, "file for the result (sidecar.parse.v1)")


def run(options: argparse.Namespace) -> int:
    """Measure, parse, write. Missing hardware is a result, not an error."""
    fields = stamp()
    with tempfile.TemporaryDirectory(prefix="orket-probe-") as folder:
        measurement = measure_sidecar(
            _spec(options),
            Source(options.model, ServerLocation(server_binary=options.server_binary)),
            Path(folder),
            JobProgress(f"sidecar {options.model.stem} {options.quant}"),
            fields["provenance"],
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


def _spec(options: argparse.Namespace) -> SidecarSpec:
    try:
        sha256 = model_sha256(options.model)
    except OSError as error:
        raise ArtifactError(f"{options.model}: can't be read: {error.strerror}") from None
    read_gguf(options.model)  # an unreadable model is bad input, not a result
    on_gpu = options.backend != "cpu"  # the embedded llama.cpp is a CPU build
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
