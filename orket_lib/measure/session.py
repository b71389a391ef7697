"""A session: the model is served, warmed up, and known to be what the spec asks for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orket_lib.artifacts.run_report import Session
from orket_lib.artifacts.spec import MeasurementSpec
from orket_lib.measure.calibration import decode_clock, template_tokens
from orket_lib.measure.cooldown import cool_down
from orket_lib.measure.gpu_watch import gpu_watch, rest
from orket_lib.measure.opened import OpenSession
from orket_lib.measure.probe_requests import ProbeMaker
from orket_lib.measure.tokens import Tokens
from orket_lib.measure.warmup import warm_up
from orket_lib.providers.base import Model, Source
from orket_lib.providers.registry import provider_for
from orket_lib.tasks.sandbox.jobs import Sandbox
from orket_lib.telemetry.fingerprint import hardware_fingerprint, remote_machine
from orket_lib.telemetry.sampler import sampling
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.nulls import Null


@contextmanager
def open_session(
    spec: MeasurementSpec,
    source: Source,
    log: Path,
    samples: Path,
    index: int,
    sandbox: Sandbox | None = None,
) -> Iterator[OpenSession]:
    """Serve and warm up the spec's model, and watch the host, until the context ends.

    Args:
        spec: What to serve.
        source: From where.
        log: Where the server's own messages go.
        samples: Where the samples of the host go.
        index: How many times this measurement's model was loaded before.
        sandbox: Where code of answers is run.

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
        maker = ProbeMaker(model, spec)
        warmth = warm_up(lambda: _decode_once(model, maker), spec.controls.warmup_steps)
        clock, evidence = decode_clock(model, maker)
        record = Session(
            index=index,
            machine=remote_machine(source.place.remote) or hardware_fingerprint(),
            started_at=started,
            server_pid=model.pid,
            served=model.served,
            controls=model.controls,
            load=model.load,
            warmup=warmth,
            decode_clock=clock,
            decode_clock_evidence=evidence,
            template_tokens=template_tokens(model, maker),
            cooldown=cooled,
        )
        yield OpenSession(model, record, maker, origin_s, sandbox, sampler)


def _decode_once(model: Model, maker: ProbeMaker) -> float:
    """Generate once at probe size and return its decode time by our own clock, in seconds.

    Where the text comes in one piece, because the model ends it at once and the server can't keep
    it from that, it is the time of the whole request.
    """
    begin = time.perf_counter()
    seconds = Tokens.of(model.generate(maker.request()), None).client_decode_s
    return time.perf_counter() - begin if isinstance(seconds, Null) else seconds
