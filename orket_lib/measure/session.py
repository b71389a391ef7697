"""A session: the model is served, warmed up, and known to be what the spec asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orket_lib.artifacts.run_report import Observation, ServedModel, Session
from orket_lib.artifacts.spec import MeasurementSpec
from orket_lib.measure.probes import ProbeMaker, decode_clock
from orket_lib.measure.tokens import Tokens
from orket_lib.measure.warmup import warm_up
from orket_lib.providers.base import Model
from orket_lib.providers.registry import provider_for
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import RequestFailed
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason


@dataclass(frozen=True)
class OpenSession:
    """A served, warm model with its record and its maker of probes."""

    model: Model
    record: Session
    maker: ProbeMaker


@contextmanager
def open_session(spec: MeasurementSpec, artifact: Path, log: Path) -> Iterator[OpenSession]:
    """Serve and warm up the spec's model until the context ends.

    Raises:
        LoadError: The model does not load.
        ServerCrashed: The server died while it was warmed up.
    """
    started = utc_now()
    log.parent.mkdir(parents=True, exist_ok=True)
    with provider_for(spec.provider).serve(spec, artifact, log) as model:
        maker = ProbeMaker(model, spec)
        warmth = warm_up(lambda: _decode_once(model, maker), spec.controls.warmup_steps)
        clock, evidence = decode_clock(model, maker)
        record = Session(
            started_at=started,
            server_pid=model.pid,
            served=model.served,
            controls=model.controls,
            load=model.load,
            warmup=warmth,
            decode_clock=clock,
            decode_clock_evidence=evidence,
        )
        yield OpenSession(model, record, maker)


def identity_observations(
    spec: MeasurementSpec, session: Session, machine: str
) -> list[Observation]:
    """Return how what is served differs from what the spec asks for (T1, T2)."""
    served = session.served
    found = [
        *_quant_observations(spec, served),
        *_context_observations(spec, served),
    ]
    if machine != spec.machine:
        found.append(
            Observation.of(Reason.HARDWARE_MISMATCH, f"{machine} instead of {spec.machine}")
        )
    for control in session.controls:
        if not control.held:
            evidence = (
                f"{control.name}: asked for {control.requested}, "
                f"applied {control.applied or 'unknown'} ({control.source})"
            )
            found.append(Observation.of(Reason.MISSING_EXPERIMENTAL_CONTROLS, evidence))
    return found


def _quant_observations(spec: MeasurementSpec, served: ServedModel) -> Iterator[Observation]:
    asked = spec.artifact.sha256
    if asked is not None and served.sha256 is not None and asked != served.sha256:
        evidence = f"file {served.path} has SHA-256 {served.sha256}, planned was {asked}"
        yield Observation.of(Reason.QUANT_IDENTITY_MISMATCH, evidence)
    tags = {
        f"the server ({served.quant_source})": served.quant_tag,
        "the file's header": served.file_quant_tag,
    }
    for source, tag in tags.items():
        if tag is not None and tag != spec.quant_tag:
            evidence = f"{source} says {tag}, asked for {spec.quant_tag}"
            yield Observation.of(Reason.QUANT_IDENTITY_MISMATCH, evidence)
    if not any(tags.values()):
        yield Observation.of(
            Reason.QUANT_IDENTITY_UNVERIFIED, "neither server nor file says its quant"
        )


def _context_observations(spec: MeasurementSpec, served: ServedModel) -> Iterator[Observation]:
    if spec.n_ctx is None:
        return
    if served.n_ctx is None or served.n_ctx < spec.n_ctx:
        evidence = f"asked for {spec.n_ctx}, served {served.n_ctx or 'unknown'}"
        yield Observation.of(Reason.CONTEXT_MISMATCH, evidence)


def _decode_once(model: Model, maker: ProbeMaker) -> float:
    """Generate once at probe size and return its decode time by our own clock, in seconds."""
    seconds = Tokens.of(model.generate(maker.request()), None).client_decode_s
    if isinstance(seconds, Null):
        raise RequestFailed("a warm-up generation brought fewer than two chunks of text")
    return seconds
