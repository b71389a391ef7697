"""A session: a served, warm model, whose machine is sampled."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.run_report import Observation, Session
from orket_lib.measure.offload.search import found_layers, with_layers
from orket_lib.measure.session.cooldown import cool_down
from orket_lib.measure.session.gpu_watch import gpu_watch, rest
from orket_lib.measure.session.known_facts import KnownFacts
from orket_lib.measure.session.readiness import get_ready
from orket_lib.measure.session.same_server import require_same_server
from orket_lib.measure.speed.budget import BUDGET
from orket_lib.measure.speed.probe_prompts import ProbeMaker
from orket_lib.providers.base import Model, Source
from orket_lib.providers.registry import provider_for
from orket_lib.providers.tool_check import tool_gap
from orket_lib.sandbox.jobs import Sandbox
from orket_lib.telemetry.fingerprint import machine_of
from orket_lib.telemetry.sampler import RunningSampler, sampling
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.null_reasons import NullReason


@dataclass(frozen=True)
class OpenSession:
    """A served, warm model.

    Attributes:
        model: The served model.
        record: What is known about it.
        maker: Makes its speed probes.
        origin_s: Monotonic clock at the session's start.
        sandbox: Where code of answers is run; None if no task needs one.
        sampler: Samples the machine.
    """

    model: Model
    record: Session
    maker: ProbeMaker
    origin_s: float
    sandbox: Sandbox | None = None
    sampler: RunningSampler | None = None

    @property
    def probes_last(self) -> bool:
        """Whether probes come after the tasks, because they are slow here."""
        return self.record.probing is not None and self.record.probing.after_tasks

    @cached_property
    def tool_gap(self) -> NullReason | None:
        """Why the model can't be offered tools; found out when a task first has some."""
        return tool_gap(self.model)

    def disturbances(self) -> tuple[Observation, ...]:
        """Return what else happened on the server since the last call; see `Model.disturbances`.

        If the server was restarted, the sampler follows the new process.
        """
        found = self.model.disturbances()
        if self.sampler:
            self.sampler.follow(self.model.pid)
        return found

    def now_s(self) -> float:
        """Return the seconds since the session began, on the clock of the samples."""
        return time.monotonic() - self.origin_s


@contextmanager
def open_session(
    spec: MeasurementSpec,
    source: Source,
    log: Path,
    samples: Path,
    index: int,
    sandbox: Sandbox | None = None,
    facts: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[OpenSession]:
    """Serve and warm up the spec's model, and sample the machine, until the context ends.

    Args:
        spec: What to serve.
        source: The model file or server.
        log: Path of the server's log.
        samples: Path of the host's samples.
        index: Index of this load within the measurement.
        sandbox: Where code of answers is run.
        facts: Folder of the store with the findings of earlier sessions; None keeps nothing.
        say: Reports progress.

    Raises:
        LoadError: The model does not load.
        ServerCrashed: The server died during warm-up.
    """
    require_same_server(spec, source)
    log.parent.mkdir(parents=True, exist_ok=True)
    offload = found_layers(spec, source, log, facts.parent if facts else None, say)
    spec = with_layers(spec, offload)
    cooled = cool_down(spec, source)
    started, origin_s = utc_now(), time.monotonic()
    with (
        provider_for(spec.provider).serve(spec, source, log) as model,
        sampling(samples, model.pid, origin_s, gpu_watch(spec, source, model, samples)) as sampler,
    ):
        rest(samples)
        machine = machine_of(source.place.remote, spec.machine)
        ready = get_ready(model, spec, machine, started, KnownFacts(facts), BUDGET, say)
        record = Session(
            index=index,
            machine=machine,
            started_at=started,
            server_pid=model.pid,
            served=model.served,
            controls=model.controls,
            load=model.load,
            warmup=ready.warmup,
            decode_clock=ready.findings.decode_clock,
            decode_clock_evidence=ready.findings.decode_clock_evidence,
            template_tokens=ready.findings.template_tokens,
            found_by=str(ready.found_by) if ready.found_by else None,
            probing=ready.probing,
            cooldown=cooled,
            offload=offload,
        )
        yield OpenSession(model, record, ready.maker, origin_s, sandbox, sampler)
