"""Records of earlier sweeps: sorted by time, compared, and one metric over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from orket_lib.analysis.history.facts import Fact, facts, without_provenance
from orket_lib.artifacts.base import Measured
from orket_lib.artifacts.history import (
    Change,
    ChangeKind,
    HistoryComparison,
    HistoryPoint,
    HistoryRecord,
    HistorySeries,
    Scalar,
)
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.frontier import Explorer, FrontierExplorer, FrontierRow
from orket_lib.artifacts.views.thermal_profile import ThermalProfile
from orket_lib.vocabulary.clock import parse_time
from orket_lib.vocabulary.statuses import Lane

# Metrics that can be plotted over time, by store.
METRICS: Mapping[str, tuple[str, ...]] = {
    "frontiers": FrontierRow.readings(),
    "context_ceilings": ContextCeiling.readings(),
    "thermal_profiles": ThermalProfile.readings(),
}

_ORDER = get_args(ChangeKind)
_SERVED: tuple[ChangeKind, ...] = ("driver", "build", "artifact")


@dataclass(frozen=True)
class StoredArtifact:
    """An artifact in a store."""

    id: str
    store: str
    artifact: Explorer


def by_time(kept: Sequence[StoredArtifact]) -> list[StoredArtifact]:
    """Return records sorted by time, oldest first; times are parsed, not compared as text.

    Raises:
        ValueError: The time of a record is invalid.
    """
    return sorted(kept, key=lambda one: (parse_time(one.artifact.generated_at), one.id))


def described(kept: StoredArtifact) -> HistoryRecord:
    """Return the line of a record in a list."""
    artifact = kept.artifact
    return HistoryRecord(
        id=kept.id,
        generated_at=artifact.generated_at,
        store=kept.store,
        hardware_fingerprint=artifact.hardware_fingerprint,
        execution_lane=artifact.execution_lane,
        vram_profile=artifact.vram_profile,
        sweep=artifact.sweep,
        verdicts=tuple(_verdicts(artifact)),
        provenance_ref=artifact.provenance.ref,
        commit_sha=artifact.provenance.commit_sha,
    )


def models_of(artifact: Explorer) -> set[str]:
    """Return the models that a record is about."""
    if isinstance(artifact, FrontierExplorer):
        return {session.model_id for session in artifact.sessions}
    return {artifact.model_id}


def compare(old: StoredArtifact, new: StoredArtifact) -> HistoryComparison:
    """Return all differences between two records of one store.

    A row that only one record has is one difference. Drivers, builds and files are compared only if
    both records contain them.
    """
    before, after = (list(facts(one.artifact)) for one in (old, new))
    lone = _places(before, "rows") ^ _places(after, "rows")
    both_served = _places(before, "build") & _places(after, "build")
    was, now = ({(f.kind, f.where, f.what): f.value for f in side} for side in (before, after))
    grouped: dict[tuple[ChangeKind, str, Scalar, Scalar], list[str]] = {}
    for kind, where, what in {**was, **now}:
        if (kind != "rows" and where in lone) or (kind in _SERVED and where not in both_served):
            continue
        pair = was.get((kind, where, what)), now.get((kind, where, what))
        if pair[0] != pair[1]:
            grouped.setdefault((kind, what, *pair), []).append(where)
    changes = [
        Change(kind=kind, what=what, old=first, new=second, where=[one for one in where if one])
        for (kind, what, first, second), where in grouped.items()
    ]
    return HistoryComparison(
        old=described(old),
        new=described(new),
        changes=sorted(changes, key=lambda change: _ORDER.index(change.kind)),
        notes=[
            f"{where}: the {name} record doesn't contain driver, build and file"
            for name, one in (("old", old), ("new", new))
            for where in without_provenance(one.artifact)
        ],
    )


def over_time(
    kept: Sequence[StoredArtifact], metric: str, quant: str | None = None
) -> list[HistorySeries]:
    """Return a metric over time, one series per quant, sweep and machine.

    Args:
        kept: Records of one store.
        metric: One of its `METRICS`.
        quant: Only this quant; None means all.
    """
    series: dict[tuple[str, ...], list[HistoryPoint]] = {}
    lanes: dict[tuple[str, ...], Lane] = {}
    for one in by_time(kept):
        artifact = one.artifact
        machine = artifact.hardware_fingerprint or "unknown machine"
        for model_id, tag, valid, values in _measured(artifact):
            if quant not in (None, tag):
                continue
            lane = Lane.LAB if artifact.speeds_are_evidence else Lane.CI
            key = (model_id, tag, machine, lane, artifact.vram_profile, artifact.sweep or "?")
            lanes[key] = lane
            series.setdefault(key, []).append(
                HistoryPoint.of(
                    id=one.id,
                    generated_at=artifact.generated_at,
                    value=values.reading(metric),
                    valid=valid,
                )
            )
    differing = [len({key[index] for key in series}) > 1 for index in range(6)]
    return [
        HistorySeries(
            name=" ".join(
                part for part, tells in zip(key, [True, True, *differing[2:]], strict=True) if tells
            ),
            execution_lane=lanes[key],
            points=points,
        )
        for key, points in series.items()
    ]


def _places(side: Sequence[Fact], kind: ChangeKind) -> set[str]:
    return {fact.where for fact in side if fact.kind == kind}


def _measured(artifact: Explorer) -> Iterator[tuple[str, str, bool, Measured]]:
    """Yield model, quant, validity and readings of everything in a record."""
    if isinstance(artifact, FrontierExplorer):
        for session in artifact.sessions:
            for row in session.quant_rows:
                yield session.model_id, row.quant_tag, row.valid, row
    elif isinstance(artifact, ContextCeiling):
        valid = all(point.valid for point in artifact.points)
        yield artifact.model_id, artifact.quant_tag, valid, artifact
    elif isinstance(artifact, ThermalProfile):
        valid = not any(point.polluted for point in artifact.points)
        yield artifact.model_id, artifact.quant_tag, valid, artifact


def _verdicts(artifact: Explorer) -> Iterator[str]:
    if isinstance(artifact, FrontierExplorer):
        for session in artifact.sessions:
            smallest, best = session.minimum_viable_quant, session.best_value_quant
            named = f"{smallest} (best value {best})" if best else smallest
            yield f"{session.model_id}: {named or 'no quant'}"
    elif isinstance(artifact, ContextCeiling):
        ceiling = artifact.safe_context_ceiling
        yield f"{artifact.model_id} {artifact.quant_tag}: {ceiling or 'no'} tokens"
    elif isinstance(artifact, ThermalProfile):
        said = {True: "heat soak", False: "no heat soak", None: "no thermal verdict"}
        heat = said[artifact.heat_soak_detected]
        yield f"{artifact.model_id} {artifact.quant_tag}: {heat}"
