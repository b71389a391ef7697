"""The store of measurements without parts: canaries, sidecars, thermal series, probabilities.

The folder of a spec's digest has one folder for each measurement, named by its time, with the
artifact and its raw files. Folders are added and never changed. A measurement is written to `open/`
and sealed by one rename.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from orket_lib.artifacts.base import Artifact
from orket_lib.artifacts.disk import why_not_written
from orket_lib.artifacts.io import read_model, sha256_of_file, write_model
from orket_lib.artifacts.views.receipt import PartKind, TakenPart
from orket_lib.vocabulary.clock import file_stamp
from orket_lib.vocabulary.errors import ArtifactError

_Model = TypeVar("_Model", bound=BaseModel)

OPEN = "open"
READ_ONLY = 0o444


@dataclass(frozen=True)
class AttemptStore:
    """The folder of one spec.

    Attributes:
        folder: The folder, named by the digest of the spec.
        kind: Kind of measurement; `<kind>.json` is the artifact.
    """

    folder: Path
    kind: PartKind

    @property
    def open(self) -> Path:
        """The folder of the measurement in progress."""
        return self.folder / OPEN

    @property
    def name(self) -> str:
        """The file name of the artifact."""
        return f"{self.kind}.json"

    def newest(self) -> TakenPart | None:
        """Return the newest measurement, or None."""
        return next(self.all(), None)

    def all(self) -> Iterator[TakenPart]:
        """Yield all measurements, newest first."""
        found = self.folder.glob(f"[0-9]*/{self.name}")
        for path in sorted(found, key=lambda path: path.parent.name, reverse=True):
            yield TakenPart(
                kind=self.kind,
                path=path.as_posix(),
                sha256=sha256_of_file(path),
                measured_at=moment_of(path.parent.name),
            )

    def begin(self) -> Path:
        """Return an empty folder to measure in; leftovers of a killed measurement are removed."""
        shutil.rmtree(self.open, ignore_errors=True)
        self.open.mkdir(parents=True, exist_ok=True)
        return self.open

    def seal(self, artifact: Artifact, measured_at: str, without: Iterable[str] = ()) -> TakenPart:
        """Write the artifact to the open folder, seal the folder, and return the artifact.

        Args:
            artifact: The artifact.
            measured_at: When the measurement began; names the folder.
            without: Files of the open folder that are not kept.

        Raises:
            ArtifactError: It can't be written (disk full).
        """
        write_model(self.open / self.name, artifact)
        for name in without:
            (self.open / name).unlink(missing_ok=True)
        target = self.folder / file_stamp(measured_at)
        publish(self.open, target)
        path = target / self.name
        return TakenPart(
            kind=self.kind,
            path=path.as_posix(),
            sha256=sha256_of_file(path),
            measured_at=measured_at,
        )


def read_taken(taken: TakenPart, kind: type[_Model]) -> _Model:
    """Return the content of a sealed file that a receipt or row refers to.

    Raises:
        ArtifactError: It is missing, or its SHA-256 is another one (T22).
    """
    path = Path(taken.path)
    try:
        actual = sha256_of_file(path)
    except OSError as error:
        raise ArtifactError(
            f"{path}: can't be read: {error.strerror or error}; delete the receipt that names it "
            "and run the same command again, which finds or measures another"
        ) from None
    if actual != taken.sha256:
        raise ArtifactError(
            f"{path}: a sealed file was changed: its SHA-256 is {actual[:12]}..., and "
            f"{taken.sha256[:12]}... was sealed. Restore it, or delete its folder and the receipt "
            "that names it and run the same command again, which measures that part again"
        )
    return read_model(path, kind)


def publish(folder: Path, target: Path) -> None:
    """Make the files of a folder read-only and rename it to its target.

    Files that also exist compressed are removed.

    Raises:
        ArtifactError: It can't be written.
    """
    try:
        for path in folder.rglob("*"):
            if path.with_name(f"{path.name}.gz").is_file():
                path.unlink()
            elif path.is_file() and not path.is_symlink():
                with suppress(OSError):  # a file system without modes
                    path.chmod(READ_ONLY)
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(target)
    except OSError as error:
        raise ArtifactError(
            f"{target}: can't be sealed: {why_not_written(error, target)}"
        ) from error


def moment_of(stamp: str) -> str:
    """Return the time of a folder's name: `20261123T150405.123Z` is 2026-11-23T15:04:05.123Z."""
    day, _, clock = stamp.partition("T")
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}"
