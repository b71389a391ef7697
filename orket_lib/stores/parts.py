"""The store of a cell's measurements: sealed parts, which are added and never changed.

    storage/runs/<model>/<quant>/<digest>/
        spec.json              what is served and how
        open/                  measurement in progress: journal, samples, the server's log
        parts/<measured_at>/   sealed measurement: index.json, the parts, journal and samples

Sealing is one rename, so a part is complete or absent. No rule of the workflow declares anything in
here as its output, so Snakemake never deletes a measurement or calls it stale.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orket_lib.artifacts.io import read_model, sha256_of_file, write_model
from orket_lib.artifacts.measurements.parts import (
    Answer,
    IndexedPart,
    Item,
    Part,
    PartIndex,
    SealedProbe,
)
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.artifacts.views.receipt import PartKind, TakenPart
from orket_lib.stores.attempts import OPEN, publish, read_taken
from orket_lib.telemetry.allowance.memory import exceeds_limit
from orket_lib.vocabulary.clock import file_stamp
from orket_lib.vocabulary.statuses import Again

PARTS, INDEX, SPEC = "parts", "index.json", "spec.json"


@dataclass(frozen=True)
class Wanted:
    """What a sweep needs from a cell in one round.

    Attributes:
        probes: Speed probes.
        answers: Each repetition of each task.
    """

    probes: frozenset[Item]
    answers: frozenset[Item]

    @classmethod
    def of(cls, spec: RunSpec, number: int = 1) -> Wanted:
        """Return what a spec needs in a round, counted from 1."""
        probe_key = spec.probe_key  # a digest, the same for all probes
        return cls(
            probes=frozenset((probe_key, number, index) for index in range(spec.probe_runs)),
            answers=frozenset(
                (spec.tasks.keys[place], number, index) for place, index in spec.asked()
            ),
        )

    def __bool__(self) -> bool:
        """Whether it is not empty."""
        return bool(self.probes or self.answers)

    def again(self, part: Again | None) -> Wanted:
        """Return what is measured again even if it is stored: nothing without a part."""
        return Wanted(
            self.probes if part in ("probes", "all") else frozenset(),
            self.answers if part in ("runs", "all") else frozenset(),
        )

    def without(self, items: Iterable[tuple[PartKind, Item]]) -> Wanted:
        """Return what is left without the given items."""
        there = set(items)
        return Wanted(
            frozenset(item for item in self.probes if ("probes", item) not in there),
            frozenset(item for item in self.answers if ("answers", item) not in there),
        )


@dataclass(frozen=True)
class StoredPart:
    """A sealed part, as listed in its index.

    Attributes:
        taken: Its entry in a receipt.
        items: The probes or answers that it holds.
    """

    taken: TakenPart
    items: frozenset[Item]


@dataclass(frozen=True)
class Found:
    """Which of the wanted items are in the store.

    Attributes:
        parts: Parts that hold them, oldest first; if several hold an item, the newest counts.
        missing: Items that no part holds.
        failure: A newer failure, which says that this cell can't be measured here; or None.
    """

    parts: tuple[TakenPart, ...]
    missing: Wanted
    failure: TakenPart | None


@dataclass(frozen=True)
class CellStore:
    """The folder of one cell.

    Attributes:
        folder: `storage/runs/<model>/<quant>/<digest>`.
    """

    folder: Path

    @property
    def open(self) -> Path:
        """The folder of the measurement in progress."""
        return self.folder / OPEN

    def parts(self) -> list[StoredPart]:
        """Return all sealed parts, newest first.

        Raises:
            ArtifactError: An index is damaged.
        """
        folder = self.folder / PARTS
        try:
            stamps = sorted((path.name for path in folder.iterdir()), reverse=True)
        except FileNotFoundError:
            return []
        return [part for stamp in stamps for part in _indexed(folder / stamp)]

    def find(self, wanted: Wanted) -> Found:
        """Return which parts hold the wanted items, and which items are missing."""
        left, failure = wanted, None
        taken: list[TakenPart] = []
        for part in self.parts():
            if part.taken.kind == "failure":
                if left and not taken and failure is None and not _outgrown(part.taken):
                    failure = part.taken
                continue
            rest = left.without((part.taken.kind, item) for item in part.items)
            if rest != left:
                taken.append(part.taken)
                left = rest
        if not left:
            failure = None
        return Found(tuple(reversed(taken)), left, failure)

    def describe(self, spec: RunSpec) -> None:
        """Write the spec once, for people who look into the folder."""
        path = self.folder / SPEC
        if not path.is_file():
            write_model(path, spec)

    def seal(self, parts: Sequence[Part]) -> None:
        """Write the parts into the open folder, and seal the folder.

        Raises:
            ArtifactError: It can't be written (disk full).
        """
        indexed = tuple(_write(self.open, part) for part in parts)
        index = PartIndex(measured_at=parts[0].measured_at, parts=indexed)
        write_model(self.open / INDEX, index)
        self.finish_sealing()

    def finish_sealing(self) -> None:
        """Finish a sealing that was killed half-way, if there is one.

        Raises:
            ArtifactError: It can't be written.
        """
        if not (self.open / INDEX).is_file():
            return
        measured_at = read_model(self.open / INDEX, PartIndex).measured_at
        publish(self.open, self.folder / PARTS / file_stamp(measured_at))


def read_part(taken: TakenPart) -> Part:
    """Return a part that a receipt or row refers to; see `read_taken`."""
    return read_taken(taken, Part)


def _outgrown(taken: TakenPart) -> bool:
    """Return whether memory ran out under a limit of a container or job that is gone (T35)."""
    failure = read_part(taken).failure
    return failure is not None and exceeds_limit(failure.memory_limit_mib)


def _indexed(folder: Path) -> Iterator[StoredPart]:
    path = folder / INDEX
    if not path.is_file():
        return
    index = read_model(path, PartIndex)
    for part in index.parts:
        taken = TakenPart(
            kind=part.kind,
            path=(folder / part.file).as_posix(),
            sha256=part.sha256,
            measured_at=index.measured_at,
        )
        yield StoredPart(taken, frozenset(part.items))


def _write(folder: Path, part: Part) -> IndexedPart:
    path = folder / f"{part.kind}.json"
    write_model(path, part)
    steps: tuple[SealedProbe | Answer, ...] = (*part.probes, *part.answers)
    items = tuple(step.item for step in steps)
    return IndexedPart(kind=part.kind, file=path.name, sha256=sha256_of_file(path), items=items)
