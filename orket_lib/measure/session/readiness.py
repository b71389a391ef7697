"""Prepares a served model for measurement: calibration, probe lengths and warm-up.

This takes time without grading anything, so it has a budget (T29). Findings of an earlier session
with the same file and build are reused; warm-up ends with its time limit, steady or not; and a
server that is too slow for full probes gets shorter ones, after the tasks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orket_lib.artifacts.measurements.readiness import Probing, Warmup
from orket_lib.artifacts.measurements.server_facts import (
    Finder,
    Findings,
    ModelKey,
    ModelProbes,
    Pace,
    ProbeLengths,
    ServerFacts,
    ServerKey,
)
from orket_lib.artifacts.measurements.spec import LOAD_FLAGS, MeasurementSpec, RunSpec
from orket_lib.artifacts.views.run_report import ServedModel
from orket_lib.measure.session.known_facts import KnownFacts
from orket_lib.measure.speed.budget import Budget
from orket_lib.measure.speed.calibration import calibrate
from orket_lib.measure.speed.probe_prompts import FEW_TOKENS, FULL, SHORTER, ProbeMaker, shortening
from orket_lib.measure.speed.token_metrics import Tokens
from orket_lib.measure.speed.warmup import warm_up
from orket_lib.providers.base import GenerationRequest, Model
from orket_lib.vocabulary.nulls import Null


@dataclass(frozen=True)
class Ready:
    """A model that is ready to be measured.

    Attributes:
        maker: Makes its probes.
        findings: The calibration.
        found_by: The earlier session that it is from; None for this one.
        warmup: The warm-up.
        probing: Probe lengths and order.
    """

    maker: ProbeMaker
    findings: Findings
    found_by: Finder | None
    warmup: Warmup
    probing: Probing


def get_ready(
    model: Model,
    spec: MeasurementSpec,
    machine: str,
    started_at: str,
    known: KnownFacts,
    budget: Budget,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> Ready:
    """Calibrate a served model and warm it up.

    Args:
        model: The served model.
        spec: What is measured.
        machine: Fingerprint of the machine that serves it.
        started_at: When the session began, in UTC.
        known: Findings of earlier sessions; new ones are added.
        budget: Time limits.
        say: Reports progress.
        clock: Returns the time in seconds.

    Raises:
        RequestFailed, RequestTimedOut, ServerCrashed: The model does not answer.
        ArtifactError: Findings can't be kept (disk full).
    """
    say("warming up")
    begun_s = clock()
    finder = Finder(cell=f"{spec.model_id} {spec.quant_tag}", started_at=started_at)
    findings, found_by = _findings(model, spec, machine, finder, known)
    lengths, chosen_by = _lengths(spec, machine, finder, known, findings.pace, budget)
    maker = ProbeMaker(model, spec, findings.costs).of_lengths(lengths)
    warmup = warm_up(
        lambda: _decode_s(model, maker.request() if lengths == FULL else maker.short(FEW_TOKENS)),
        spec.controls.warmup_steps,
        budget.ready_s - (clock() - begun_s),
        clock,
    )
    probing = _probing(spec, findings.pace, lengths, chosen_by, budget)
    for text in _notes(warmup, probing, lengths, findings.pace.seconds(lengths), budget):
        say(text)
    return Ready(maker, findings, found_by, warmup, probing)


def _findings(
    model: Model, spec: MeasurementSpec, machine: str, finder: Finder, known: KnownFacts
) -> tuple[Findings, Finder | None]:
    """Return the calibration, and the earlier session that it is from."""
    key = _server_key(model.served, spec, machine)
    facts = known.server(key) if key else None
    if facts:
        return facts.findings, facts.found_by
    findings = calibrate(model, ProbeMaker(model, spec))
    if key and findings.settled:
        known.keep(ServerFacts(key=key, found_by=finder, findings=findings))
    return findings, None


def _server_key(served: ServedModel, spec: MeasurementSpec, machine: str) -> ServerKey | None:
    """Return the key of findings; None if the server can't be recognized again."""
    model = served.sha256 or served.digest
    if model is None or served.build is None:
        return None
    return ServerKey(
        model=model,
        build=served.build,
        provider=spec.provider,
        server_args=spec.server_args,
        gpu_devices=spec.gpu_devices,
        n_ctx=served.n_ctx,
        threads=spec.controls.threads,
        thinking=spec.thinking,
        load={name: value for name in LOAD_FLAGS if (value := getattr(spec, name)) is not None},
        machine=machine,
    )


def _lengths(
    spec: MeasurementSpec,
    machine: str,
    finder: Finder,
    known: KnownFacts,
    pace: Pace,
    budget: Budget,
) -> tuple[ProbeLengths, Finder | None]:
    """Return the probe lengths, and the earlier session that chose them for this model."""
    key = ModelKey(
        model_id=spec.model_id,
        provider=spec.provider,
        gpu_devices=spec.gpu_devices,
        threads=spec.controls.threads,
        machine=machine,
    )
    chosen = known.model(key)
    if chosen:
        return chosen.lengths, chosen.found_by
    fitting = (each for each in (FULL, *SHORTER) if pace.seconds(each) <= budget.probe_s)
    lengths = next(fitting, SHORTER[-1])
    known.keep(ModelProbes(key=key, found_by=finder, lengths=lengths))
    return lengths, None


def _probing(
    spec: MeasurementSpec,
    pace: Pace,
    lengths: ProbeLengths,
    chosen_by: Finder | None,
    budget: Budget,
) -> Probing:
    all_s = spec.probe_runs * pace.seconds(lengths) if isinstance(spec, RunSpec) else 0.0
    return Probing(
        prompt_tokens=lengths.prompt_tokens,
        output_tokens=lengths.output_tokens,
        after_tasks=isinstance(spec, RunSpec) and (lengths != FULL or all_s > budget.probes_s),
        chosen_by=str(chosen_by) if chosen_by else None,
    )


def _notes(
    warmup: Warmup, probing: Probing, lengths: ProbeLengths, probe_s: float, budget: Budget
) -> Iterator[str]:
    """Yield what the user should know about warm-up and probes."""
    if warmup.note:
        yield f"warm-up: {warmup.note}; measuring anyway"
    later = ", and come after the tasks" if probing.after_tasks else ""
    shorter = shortening(lengths)
    if shorter:
        yield f"a slow server: probes have {shorter}{later}"
    if probe_s > budget.probe_s:
        yield f"a probe takes about {probe_s:.0f} s; its lengths are those of the other quants"


def _decode_s(model: Model, request: GenerationRequest) -> float:
    """Generate once and return the decode time in seconds: the server's, else by our clock.

    If the text did not arrive as it was generated, it is the time of the whole request.
    """
    begin_s = time.perf_counter()
    tokens = Tokens.of(model.generate(request), None)
    whole_s = time.perf_counter() - begin_s
    for seconds in (tokens.decode_s, tokens.client_decode_s):
        if seconds and not isinstance(seconds, Null):
            return seconds
    return whole_s
