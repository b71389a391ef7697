"""An explorer artifact as a flat list of facts, so all three kinds are compared in the same way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from orket_lib.artifacts.base import Measured
from orket_lib.artifacts.history import ChangeKind, Scalar
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.frontier import Explorer, FrontierExplorer, MeasuredWith
from orket_lib.artifacts.views.thermal_profile import ThermalProfile

_DIGITS = 12  # of a config's hash, enough to tell configs apart


@dataclass(frozen=True)
class Fact:
    """One value of an artifact."""

    kind: ChangeKind
    where: str
    what: str
    value: Scalar


def facts(artifact: Explorer) -> Iterator[Fact]:
    """Yield all facts of an artifact, in its own order."""
    for label in ("hardware_fingerprint", "execution_lane", "vram_profile"):
        kind: ChangeKind = "machine" if label == "hardware_fingerprint" else "settings"
        yield Fact(kind, "", label, getattr(artifact, label))
    yield Fact("settings", "", "sweep", artifact.sweep)
    yield Fact(
        "settings", "", "config", (artifact.provenance.config_sha256 or "")[:_DIGITS] or None
    )
    if isinstance(artifact, FrontierExplorer):
        yield from _frontier(artifact)
    elif isinstance(artifact, ContextCeiling):
        yield from _context_ceiling(artifact)
    elif isinstance(artifact, ThermalProfile):
        yield from _thermal_profile(artifact)


def without_provenance(artifact: Explorer) -> list[str]:
    """Return the measured models and quants whose driver, build and file are unknown."""
    if isinstance(artifact, FrontierExplorer):
        return [
            f"{session.model_id} {row.quant_tag}"
            for session in artifact.sessions
            for row in session.quant_rows
            if row.served is None and row.adherence_score is not None
        ]
    assert isinstance(artifact, ContextCeiling | ThermalProfile)
    if artifact.served is None:
        return [f"{artifact.model_id} {artifact.quant_tag}"]
    return []


def _frontier(artifact: FrontierExplorer) -> Iterator[Fact]:
    yield Fact("settings", "", "include_invalid", artifact.include_invalid)
    for session in artifact.sessions:
        for pick in ("baseline_quant", "minimum_viable_quant", "best_value_quant"):
            yield Fact("verdict", session.model_id, pick, getattr(session, pick) or None)
        for row in session.quant_rows:
            where = f"{session.model_id} {row.quant_tag}"
            yield from _served(where, row.served)
            yield from _measured("quant", where, row, ("valid",))


def _context_ceiling(artifact: ContextCeiling) -> Iterator[Fact]:
    where = f"{artifact.model_id} {artifact.quant_tag}"
    yield from _thresholds(artifact.thresholds)
    for ceiling in ContextCeiling.readings():
        yield Fact("verdict", where, ceiling, getattr(artifact, ceiling))
    yield from _served(where, artifact.served)
    for point in artifact.points:
        yield from _measured(
            "context", f"{where} context {point.context}", point, ("valid", "passed")
        )


def _thermal_profile(artifact: ThermalProfile) -> Iterator[Fact]:
    where = f"{artifact.model_id} {artifact.quant_tag}"
    yield from _thresholds(artifact.thresholds)
    for verdict in ("heat_soak_detected", *ThermalProfile.readings()):
        yield Fact("verdict", where, verdict, getattr(artifact, verdict))
    yield Fact("verdict", where, "latency_trend", artifact.latency_trend)
    yield from _served(where, artifact.served)
    # By position, because records of old versions count runs from 0.
    for number, point in enumerate(artifact.points, 1):
        yield from _measured("run", f"{where} run {number}", point, ("polluted", "cooldown_ok"))


def _thresholds(thresholds: BaseModel) -> Iterator[Fact]:
    for name in type(thresholds).model_fields:
        yield Fact("settings", "", name, getattr(thresholds, name))


def _served(where: str, served: MeasuredWith | None) -> Iterator[Fact]:
    if served is None:
        return
    yield Fact("artifact", where, "sha256", served.sha256)
    yield Fact("artifact", where, "digest", served.digest)
    yield Fact("build", where, "build", served.build)
    for name, version in sorted(served.platform.items()):
        yield Fact("driver", where, name, version)


def _measured(
    thing: str, where: str, values: Measured, validity: tuple[str, ...]
) -> Iterator[Fact]:
    yield Fact("rows", where, thing, "there")
    for name in validity:
        yield Fact("validity", where, name, getattr(values, name))
    for name in values.readings():
        yield Fact("numbers", where, name, getattr(values, name))
