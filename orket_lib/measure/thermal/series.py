"""The measurement of a thermal series: the model is loaded once, and generates again and again.

An interrupted series starts over, because the machine has cooled down in the meantime.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.measurements.readiness import CooldownRecord
from orket_lib.artifacts.measurements.thermal_series import ThermalSeries, ThermalSpec
from orket_lib.artifacts.views.receipt import TakenPart
from orket_lib.artifacts.views.run_report import Probe, Session
from orket_lib.measure.failures import failure_status, with_log_errors
from orket_lib.measure.progress import Progress
from orket_lib.measure.session.cooldown import cool_to
from orket_lib.measure.session.device_selection import locked_devices
from orket_lib.measure.session.gpu_watch import says_main_memory
from orket_lib.measure.session.identity import identity_observations
from orket_lib.measure.session.sample_files import compress_samples, samples_path
from orket_lib.measure.session.session import OpenSession, open_session
from orket_lib.measure.speed.probes import run_probe
from orket_lib.measure.thermal.observer import ThermalWatch
from orket_lib.processes.device_lock import device_locks
from orket_lib.providers.base import Source
from orket_lib.stores.attempts import AttemptStore
from orket_lib.telemetry.environment import environment
from orket_lib.telemetry.fingerprint import boot_id, machine_of
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import LoadError, ProviderError, ServerCrashed
from orket_lib.vocabulary.statuses import RunStatus

SERVER_LOG = "server.log"


@dataclass
class _Repeat:
    """A repeat during the measurement."""

    rest: CooldownRecord
    probes: list[Probe] = field(default_factory=list)


@dataclass
class ThermalMeasurement:
    """The measurement of one series.

    Attributes:
        spec: What to measure.
        source: The model file or server.
        store: The store of the spec.
        progress: Receives the progress.
        provenance: Of the command.
        facts: Folder with the findings of earlier sessions; None keeps nothing.
    """

    spec: ThermalSpec
    source: Source
    store: AttemptStore
    progress: Progress
    provenance: Provenance
    facts: Path | None = None
    _measured_at: str = field(init=False)
    _session: Session | None = field(default=None, init=False)
    _repeats: list[_Repeat] = field(default_factory=list, init=False)

    def run(self) -> TakenPart:
        """Measure the series and seal it; a model that fails is a result as well.

        Raises:
            OrketError: The series could not be judged (disk full).
        """
        purpose = f"thermal series of {self.spec.model_id} {self.spec.quant_tag}"
        needed = locked_devices(self.spec.provider, self.spec.gpu_devices, self.source.place)
        with device_locks(needed, purpose, self.progress.say):
            self.store.begin()
            self._measured_at = utc_now()
            series = self._series(*self._measure())
            compress_samples(self.store.open)
            return self.store.seal(series, self._measured_at)

    def _measure(self) -> tuple[RunStatus, str | None]:
        """Serve the model and run all repeats; return the status, with a reason if it failed."""
        log = self.store.open / SERVER_LOG
        self.progress.plan(self.spec.repeats * self.spec.generations, 0)
        try:
            with open_session(
                self.spec,
                self.source,
                log,
                self._samples,
                0,
                facts=self.facts,
                say=self.progress.say,
            ) as opened:
                self._session = opened.record
                for _ in range(self.spec.repeats):
                    self._repeat(opened)
        except LoadError as error:
            return failure_status(RunStatus.LOAD_FAILED, log), with_log_errors(error, log)
        except ServerCrashed as error:
            return failure_status(RunStatus.CRASHED, log), with_log_errors(error, log)
        except ProviderError as error:
            return RunStatus.INCOMPLETE, str(error)
        return RunStatus.MEASURED, None

    def _repeat(self, opened: OpenSession) -> None:
        """Let the machine cool down, then run the generations of a repeat."""
        unused = says_main_memory(opened.record.served)
        rest = cool_to(self.spec.rests, self.spec, self.source, unused)
        self._repeats.append(_Repeat(rest))
        first = len(self._repeats[:-1]) * self.spec.generations
        for index in range(first, first + self.spec.generations):
            self._repeats[-1].probes.append(run_probe(opened, index))
            self.progress.step()

    @property
    def _samples(self) -> Path:
        return samples_path(self.store.open, 0)

    def _series(self, status: RunStatus, reason: str | None) -> ThermalSeries:
        """Return the series as far as it was measured, judged by the samples."""
        spec, remote = self.spec, self.source.place.remote
        unused = self._session is not None and says_main_memory(self._session.served)
        seen = ThermalWatch.of(self._samples, remote is not None, unused)
        begun = [repeat for repeat in self._repeats if repeat.probes]
        repeats = [
            seen.repeat(index, repeat.rest, repeat.probes) for index, repeat in enumerate(begun)
        ]
        return ThermalSeries(
            generated_at=utc_now(),
            provenance=self.provenance,
            status=status,
            status_reason=reason,
            model_id=spec.model_id,
            quant_tag=spec.quant_tag,
            measured_at=self._measured_at,
            finished_at=utc_now(),
            boot_id=boot_id(),
            hardware_fingerprint=machine_of(remote, spec.machine),
            cpus=seen.cpus,
            # Ours would be wrong for a remote machine.
            platform={} if remote else environment(),
            spec=spec,
            spec_digest=spec.digest(),
            session=self._session,
            host=seen.host if self._session else None,
            gpus=seen.gpu_summaries,
            gpus_absent=seen.gpus_absent,
            repeats=repeats,
            trace=seen.trace([repeat.window_s for repeat in repeats]),
            observations=identity_observations(spec, self._session) if self._session else (),
        )
