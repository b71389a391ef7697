"""What measuring commands share: options, gates, model files, tasks, and progress."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from orket_lib.artifacts.disk import require_space
from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.canary import CanaryVerdict
from orket_lib.artifacts.measurements.request import AnyAsked, Recipe
from orket_lib.artifacts.measurements.serving import Places
from orket_lib.artifacts.measurements.sidecar import SidecarMeasurement
from orket_lib.artifacts.measurements.spec import TaskSelection
from orket_lib.artifacts.progress import Event, add, shown_elsewhere
from orket_lib.artifacts.views.preflight import Preflight
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.commands._common import provenance, tell
from orket_lib.preflight.gates import require_boot, require_preflight
from orket_lib.providers.base import Source
from orket_lib.providers.gguf.quantize import QuantizeRequest, quantize
from orket_lib.tasks.bank import Task, load_bank, selected
from orket_lib.telemetry.allowance.cpus import cpu_allowance
from orket_lib.telemetry.fingerprint import boot_id
from orket_lib.vocabulary.errors import ArtifactError, Refused
from orket_lib.vocabulary.reasons import Reason
from orket_lib.workflow.job_environment import in_batch_job

_REPORTS = 4  # printed lines about the steps of a measurement

Say = Callable[[str], None]


def add_measuring(
    parser: argparse.ArgumentParser, again: Sequence[str] = ("all",), canary: bool = True
) -> None:
    """Add the options of every measurement: verdicts, server location, storage, and attempt.

    Args:
        parser: Parser of the command.
        again: Choices of `--again`.
        canary: Whether the canary's verdict gates this measurement.
    """
    add = parser.add_argument
    add("--preflight", type=Path, help="preflight.json; nothing is measured if it failed")
    if canary:
        add("--canary", type=Path, help="canary verdict; nothing is measured if it failed")
    add("--place", type=Path, help="policy/place.json: where and with what the model is served")
    add("--storage-root", type=Path, default=Path("storage"), help="default: %(default)s")
    add("--again", choices=again, help="measure this even if the store has it")
    add("--attempt", type=int, default=0, help="attempt number to write into the receipt")


def sources(options: argparse.Namespace, asked: AnyAsked) -> Callable[[Say], Source]:
    """Return a function that finds a cell's model file, or makes it, right before it is loaded.

    Raises (when called):
        ArtifactError: The file is gone, or `--place` can't be read.
        QuantizeError: The file could not be made.
    """

    def find(say: Say) -> Source:
        file = None if asked.spec.artifact.tag else Path(asked.artifact)
        found = Source(file, _places(options).of(asked.spec.model_id))
        if found.artifact and not found.artifact.is_file():
            if asked.recipe is None:
                raise ArtifactError(f"{found.artifact.as_posix()}: the model file is gone")
            _make(asked, asked.recipe, found.artifact, say)
        return found

    return find


def _places(options: argparse.Namespace) -> Places:
    """Return where the models are served."""
    return read_model(options.place, Places) if options.place else Places()


def _make(asked: AnyAsked, recipe: Recipe, out: Path, say: Say) -> None:
    """Quantize a missing model file, and write a record of how."""
    identity = asked.spec.artifact
    request = QuantizeRequest(
        quant_tag=asked.spec.quant_tag,
        base=Path(recipe.base),
        base_sha256=identity.quantized_from,
        imatrix=Path(recipe.imatrix) if recipe.imatrix else None,
        imatrix_sha256=identity.imatrix,
        binary=recipe.binary,
        threads=cpu_allowance().workers,
        allow_requantize=recipe.allow_requantize,
    )
    made = quantize(request, out, say, provenance())
    if made:
        write_model(out.with_suffix(".json"), made)


def tell_failure(measurement: SidecarMeasurement) -> None:
    """Print why a sidecar's own measurement failed, in the server's words."""
    serving = measurement.serving
    if serving and serving.failure:
        tell(f"{serving.failure}: {serving.failure_detail}")


def require_preflight_of(options: argparse.Namespace) -> None:
    """Refuse to measure after a failed preflight or on a full disk.

    Raises:
        Refused: The preflight failed; the message names what is missing.
        ArtifactError: The disk is full; the message names it.
    """
    if options.preflight:
        require_preflight(read_model(options.preflight, Preflight))
    require_space([options.storage_root])


def opened_gates(options: argparse.Namespace) -> Callable[[], Observation | None]:
    """Return a function that refuses to measure after a failed preflight or canary.

    It is called only when something must be measured: stored parts are taken in any case. It
    returns what spoils the times of all that is measured, if anything.

    Raises (when called):
        Refused: One of them failed, or the canary is of another machine.
    """

    def require() -> Observation | None:
        require_preflight_of(options)
        verdict = read_model(options.canary, CanaryVerdict) if options.canary else None
        if verdict is None:
            return None
        if in_batch_job() and not _places(options).remote:
            require_boot(verdict, boot_id())
        if verdict.passed:
            return None
        if not verdict.may_measure:
            # The rule `pass_canary` prints the reasons, once.
            raise Refused(f"not measured, because the canary failed: see {options.canary}")
        return Observation.of(Reason.CANARY_LATENCY, "; ".join(verdict.explanations))

    return require


def tasks_of(bank_path: Path, wanted: TaskSelection) -> tuple[Task, ...]:
    """Return the tasks of a selection.

    Raises:
        ArtifactError: The bank changed since the selection was made.
    """
    tasks = selected(load_bank(bank_path), wanted)
    if tasks is None:
        raise ArtifactError(f"{bank_path}: changed since this measurement was planned; run again")
    return tasks


class JobProgress:
    """Progress of one measurement; see `measure.progress.Progress`.

    It goes into the sweep's progress file, and is printed unless that is shown elsewhere.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._total = 0
        self._done = 0

    def plan(self, steps: int, done: int) -> None:
        """Set the number of steps."""
        self._total, self._done = steps, done
        add(Event(kind="plan", title=self._title, total=steps, done=done))
        if done:
            self._print(f"resuming after {done} of {steps} steps")

    def say(self, text: str) -> None:
        """Say what happens next."""
        add(Event(kind="say", title=self._title, text=text))
        self._print(text)

    def step(self) -> None:
        """Advance by one step."""
        self._done += 1
        add(Event(kind="step", title=self._title))
        if self._done % max(1, -(-self._total // _REPORTS)) == 0 or self._done == self._total:
            self._print(f"{self._done} of {self._total} steps")

    def result(self, text: str) -> None:
        """Say what the measurement has shown."""
        add(Event(kind="result", title=self._title, text=f"{self._title}: {text}"))
        self._print(text)

    @property
    def measured(self) -> bool:
        """Whether any step was due."""
        return self._total > 0

    def _print(self, text: str) -> None:
        if not shown_elsewhere():
            tell(f"{self._title}: {text}")
