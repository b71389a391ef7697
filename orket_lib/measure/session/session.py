"""A session: the model is served, warmed up, and known to be what the spec asks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.run_report import Session
from orket_lib.measure.session.cooldown import cool_down
from orket_lib.measure.session.gpu_watch import gpu_watch, rest
from orket_lib.measure.session.known_facts import KnownFacts
from orket_lib.measure.session.open_session import OpenSession
from orket_lib.measure.session.readiness import get_ready
from orket_lib.measure.speed.budget import BUDGET
from orket_lib.providers.base import Source
from orket_lib.providers.registry import provider_for
from orket_lib.sandbox.jobs import Sandbox
from orket_lib.telemetry.fingerprint import hardware_fingerprint, remote_machine
from orket_lib.telemetry.sampler import sampling
from orket_lib.vocabulary.clock import utc_now


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
    """Serve and warm up the spec's model, and watch the host, until the context ends.

    Args:
        spec: What to serve.
        source: From where.
        log: Where the server's own messages go.
        samples: Where the samples of the host go.
        index: How many times this measurement's model was loaded before.
        sandbox: Where code of answers is run.
        facts: Folder with what earlier sessions found out; None keeps nothing.
        say: Tells whoever watches what happens.

    Raises:
        LoadError: The model does not load.
        ServerCrashed: The server died while it was warmed up.
    """
    cooled = cool_down(spec, source)
    started, origin_s = utc_now(), time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        provider_for(spec.provider).serve(spec, source, log) as model,
        sampling(samples, model.pid, origin_s, gpu_watch(spec, source, model, samples)) as sampler,
    ):
        rest(samples)
        machine = remote_machine(source.place.remote) or hardware_fingerprint()
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
        )
        yield OpenSession(model, record, ready.maker, origin_s, sandbox, sampler)
