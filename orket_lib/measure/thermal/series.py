"""The measurement of a thermal series: the model is loaded once, and worked again and again.

A series that was interrupted begins anew, because a machine that was idle in between is not the
machine that was getting warm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from orket_lib.artifacts.base import Provenance
from orket_lib.artifacts.measurements.readiness import CooldownRecord
from orket_lib.artifacts.measurements.thermal_series import ThermalSeries, ThermalSpec
from orket_lib.artifacts.views.receipt import TakenPart
from orket_lib.artifacts.views.run_report import Probe, Session
from orket_lib.measure.progress import Progress
from orket_lib.measure.session.cooldown import cool_to
from orket_lib.measure.session.device_selection import locked_devices
from orket_lib.measure.session.gpu_watch import says_main_memory
from orket_lib.measure.session.identity import identity_observations
from orket_lib.measure.session.open_session import OpenSession
from orket_lib.measure.session.sample_files import compress_samples, samples_path
from orket_lib.measure.session.server_failure import failure_status, with_last_words
from orket_lib.measure.session.session import open_session
from orket_lib.measure.speed.probes import run_probe
from orket_lib.measure.thermal.observer import ThermalWatch
from orket_lib.processes.device_lock import device_locks
from orket_lib.providers.base import Source
from orket_lib.stores.attempts import AttemptStore
from orket_lib.telemetry.environment import environment
from orket_lib.telemetry.fingerprint import boot_id, hardware_fingerprint, remote_machine
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import LoadError, ProviderError, ServerCrashed
from orket_lib.vocabulary.statuses import RunStatus

SERVER_LOG = "server.log"


@dataclass
class _Repeat:
    """A repeat that is being measured."""

    rest: CooldownRecord
    probes: list[Probe] = field(default_factory=list)


class ThermalMeasurement:
    """The measurement of one series.

    Args:
        spec: What to measure.
        source: From where it is served.
        store: Of the spec.
        progress: Who watches.
        provenance: Of the caller.
        facts: Folder with what earlier sessions found out about servers; None keeps nothing.
    """

    def __init__(
        self,
        spec: ThermalSpec,
        source: Source,
        store: AttemptStore,
        progress: Progress,
        provenance: Provenance,
        facts: Path | None = None,
    ) -> None:
        self._spec = spec
        self._source = source
        self._store = store
        self._progress = progress
        self._provenance = provenance
        self._facts = facts
        self._measured_at: str
        self._session: Session | None = None
        self._repeats: list[_Repeat] = []

    def run(self) -> TakenPart:
        """Measure, seal what was seen, and return it; a model that fails is a result, too.

        Raises:
            OrketError: The series could not be judged (disk full).
        """
        purpose = f"thermal series of {self._spec.model_id} {self._spec.quant_tag}"
        needed = locked_devices(self._spec.provider, self._spec.gpu_devices, self._source.place)
        with device_locks(needed, purpose, self._progress.say):
            self._store.begin()
            self._measured_at = utc_now()
            series = self._as_it_stands(*self._measure())
            compress_samples(self._store.open)
            return self._store.seal(series, self._measured_at)

    def _measure(self) -> tuple[RunStatus, str | None]:
        """Serve the model and do all repeats; return how it ended."""
        log = self._store.open / SERVER_LOG
        self._progress.plan(self._spec.repeats * self._spec.generations, 0)
        try:
            with open_session(
                self._spec,
                self._source,
                log,
                self._samples,
                0,
                facts=self._facts,
                say=self._progress.say,
            ) as opened:
                self._session = opened.record
                for _ in range(self._spec.repeats):
                    self._repeat(opened)
        except LoadError as error:
            return failure_status(RunStatus.LOAD_FAILED, log), with_last_words(error, log)
        except ServerCrashed as error:
            return failure_status(RunStatus.CRASHED, log), with_last_words(error, log)
        except ProviderError as error:
            return RunStatus.INCOMPLETE, str(error)
        return RunStatus.MEASURED, None

    def _repeat(self, opened: OpenSession) -> None:
        """Let the machine cool down, then work it once."""
        unused = says_main_memory(opened.record.served)
        rest = cool_to(self._spec.rests, self._spec, self._source, unused)
        self._repeats.append(_Repeat(rest))
        first = len(self._repeats[:-1]) * self._spec.generations
        for index in range(first, first + self._spec.generations):
            self._repeats[-1].probes.append(run_probe(opened, index))
            self._progress.step()

    @property
    def _samples(self) -> Path:
        return samples_path(self._store.open, 0)

    def _as_it_stands(self, status: RunStatus, reason: str | None) -> ThermalSeries:
        """Return the series as far as it was measured, held against the samples so far."""
        spec, remote = self._spec, self._source.place.remote
        unused = self._session is not None and says_main_memory(self._session.served)
        seen = ThermalWatch.of(self._samples, remote is not None, unused)
        begun = [repeat for repeat in self._repeats if repeat.probes]
        repeats = [
            seen.repeat(index, repeat.rest, repeat.probes) for index, repeat in enumerate(begun)
        ]
        return ThermalSeries(
            generated_at=utc_now(),
            provenance=self._provenance,
            status=status,
            status_reason=reason,
            model_id=spec.model_id,
            quant_tag=spec.quant_tag,
            measured_at=self._measured_at,
            finished_at=utc_now(),
            boot_id=boot_id(),
            hardware_fingerprint=remote_machine(remote) or hardware_fingerprint(),
            cpus=seen.cpus,
            # Of a machine that we only know by its name, ours would be a false word.
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
