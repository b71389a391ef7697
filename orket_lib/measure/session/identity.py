"""Checks that the served model matches the spec: quant, context, controls, machine (T1, T2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orket_lib.artifacts.measurements.next_tokens import TokenLoad
from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.run_report import Observation, ServedModel, Session
from orket_lib.vocabulary import thresholds
from orket_lib.vocabulary.quants import can_be, is_vendor_tag, nominal_bits
from orket_lib.vocabulary.reasons import Reason


def identity_observations(spec: MeasurementSpec, session: Session | TokenLoad) -> list[Observation]:
    """Return the differences between the served model and the spec (T1, T2)."""
    served = session.served
    found = [*_quant_observations(spec, served), *_context_observations(spec, served)]
    if session.machine != spec.machine:
        evidence = f"{session.machine} instead of {spec.machine}"
        found.append(Observation.of(Reason.HARDWARE_MISMATCH, evidence))
    for control in session.controls:
        if not control.held:
            evidence = (
                f"{control.name}: asked for {control.requested}, "
                f"applied {control.applied or 'unknown'} ({control.source})"
            )
            found.append(Observation.of(Reason.MISSING_EXPERIMENTAL_CONTROLS, evidence))
    offload = session.offload if isinstance(session, Session) else None
    if offload and offload.contradiction:
        evidence = f"gpu_layers: {offload.contradiction}"
        found.append(Observation.of(Reason.MISSING_EXPERIMENTAL_CONTROLS, evidence))
    return found


def _quant_observations(spec: MeasurementSpec, served: ServedModel) -> Iterator[Observation]:
    asked = spec.artifact.sha256
    if asked is not None and served.sha256 is not None and asked != served.sha256:
        evidence = f"file {served.path} has SHA-256 {served.sha256}, planned was {asked}"
        yield Observation.of(Reason.QUANT_IDENTITY_MISMATCH, evidence)
    if asked is not None and served.sha256 is None:
        evidence = f"file {served.path} is the server's, and can't be hashed here"
        yield Observation.of(Reason.QUANT_IDENTITY_UNVERIFIED, evidence)
    pin = spec.artifact.pin
    if pin is not None and not (served.digest or "").startswith(pin):
        evidence = f"the server has digest {served.digest or 'unknown'}, the config asks for {pin}"
        yield Observation.of(Reason.QUANT_IDENTITY_MISMATCH, evidence)
    tags = {
        f"the server ({served.quant_source})": served.quant_tag,
        "the file's header": served.file_quant_tag,
    }
    for source, tag in tags.items():
        match = True if tag is None else can_be(spec.quant_tag, tag)
        if not match:
            # For a tag of the user's own, the file type in the header is not known.
            reason = (
                Reason.QUANT_IDENTITY_MISMATCH
                if match is False
                else Reason.QUANT_IDENTITY_UNVERIFIED
            )
            yield Observation.of(reason, f"{source} says {tag}, asked for {spec.quant_tag}")
    if not any(tags.values()):
        yield Observation.of(
            Reason.QUANT_IDENTITY_UNVERIFIED, "neither server nor file says its quant"
        )
    yield from _bits_observations(spec.quant_tag, served)


def _bits_observations(tag: str, served: ServedModel) -> Iterator[Observation]:
    """Compare the bits per weight counted in the file with those of its tag.

    Tensors whose shape doesn't fit a block format fall back to a larger one, so a file may have
    more bits than its tag (a note), but hardly fewer: then the header is wrong. A vendor's own mix
    may have fewer as well, because its composition is not documented.
    """
    counted, nominal = served.bits_per_weight, nominal_bits(tag)
    if counted is None or nominal is None:
        return
    evidence = f"the file has {counted:.2f} bits per weight, {tag} has about {nominal:g}"
    too_few = counted < nominal * thresholds.FEWEST_BITS_RATIO
    if too_few and not is_vendor_tag(tag):
        yield Observation.of(Reason.QUANT_IDENTITY_MISMATCH, evidence)
    elif too_few or counted > nominal * thresholds.MOST_BITS_RATIO:
        yield Observation.of(Reason.QUANT_IDENTITY_UNVERIFIED, evidence)


def _context_observations(spec: MeasurementSpec, served: ServedModel) -> Iterator[Observation]:
    if spec.n_ctx is None:
        return
    if served.n_ctx is None or served.n_ctx < spec.n_ctx:
        evidence = f"asked for {spec.n_ctx}, served {served.n_ctx or 'unknown'}"
        yield Observation.of(Reason.CONTEXT_MISMATCH, evidence)


def mixture_observations(sessions: Sequence[Session]) -> list[Observation]:
    """Return the differences between the loads of one measurement, which must be the same."""
    found = []
    for name in ("sha256", "digest", "quant_tag", "n_ctx", "build"):
        values = {getattr(session.served, name) for session in sessions}
        if len(values) > 1:
            listed = ", ".join(sorted(map(str, values)))
            evidence = f"{name} differs between the loads of this measurement: {listed}"
            found.append(Observation.of(Reason.QUANT_IDENTITY_MISMATCH, evidence))
    return found
