"""One history file: a list of records that several processes may change concurrently.

A change is read, made and written under a lock, and the file is replaced in one step: writers do
not lose each other's records, a killed writer leaves the file as it was, and readers need no lock.
A file that is damaged, of another kind or of an unknown version is an error and is left unchanged:
silently starting a new history would lose the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import BaseModel

from orket_lib.artifacts.io import parse_model, read_json, write_json
from orket_lib.vocabulary.errors import ArtifactError

VERSION = "schema_version"
_HISTORY = "history"
_LONGEST_WAIT_S = 120.0
_POLL_S = 0.01
# Length of the random part of `tempfile`'s names, before `.part`.
_RANDOM_LENGTH = 8

Entry = dict[str, Any]


@dataclass(frozen=True)
class HistoryFile:
    """A JSON file `{<header>, "history": [record, ...]}`.

    Records are checked against their model but written back as they were read, so fields of a newer
    minor version are kept. So are other keys of the file.

    Args:
        path: The file; the first change creates it and its folder.
        header: Keys that identify the file. A missing `schema_version` means the first version;
            every other key must have this value.
        record: Model of the records.
    """

    path: Path
    header: Mapping[str, str]
    record: type[BaseModel]

    def read(self) -> tuple[Entry, ...]:
        """Return the records in file order; none when there is no file.

        Raises:
            ArtifactError: The file is damaged, foreign, or of an unknown version.
        """
        return tuple(self._content()[_HISTORY])

    def update(self, change: Callable[[tuple[Entry, ...]], Sequence[Entry]]) -> tuple[Entry, ...]:
        """Replace the records by the result of `change`, and return them.

        `change` is called once, under the lock. The file is not written if nothing changes or
        `change` raises.

        Raises:
            ArtifactError: The file is damaged, foreign, of an unknown version, or can't be written,
                or another process holds its lock for minutes.
        """
        with self._locked():
            content = self._content()
            before = tuple(content[_HISTORY])
            after = tuple(change(before))
            if after != before:
                self._check(after)
                write_json(self.path, {**content, _HISTORY: list(after)})
            return after

    def _content(self) -> dict[str, Any]:
        """Return the checked content of the file."""
        if not _is_there(self.path):
            return {**self.header, _HISTORY: []}
        try:
            content = read_json(self.path)
            if not isinstance(content, dict) or not isinstance(content.get(_HISTORY), list):
                raise ArtifactError(f'{self.path}: it has no list "{_HISTORY}"')
            for key, value in self.header.items():
                found = content.get(key, value if key == VERSION else None)
                if found != value:
                    raise ArtifactError(f"{self.path}: {key} is {found!r}, not {value!r}")
            self._check(content[_HISTORY])
        except ArtifactError as error:
            raise ArtifactError(
                f"{error}\nthe file was left as it is; repair it, or move it away to begin anew"
            ) from error
        return {**self.header, **content}

    def _check(self, history: Sequence[Any]) -> None:
        for index, entry in enumerate(history):
            parse_model(entry, self.record, f"{self.path}: {_HISTORY}.{index}")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(self.path.with_name(f".{self.path.name}.lock"), poll_interval=_POLL_S)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=_LONGEST_WAIT_S)
        except Timeout:
            raise ArtifactError(
                f"{self.path}: another process has held its lock for {_LONGEST_WAIT_S:g} s"
            ) from None
        except NotImplementedError:
            raise ArtifactError(f"{self.path}: its file system does not support locks") from None
        except OSError as error:
            raise ArtifactError(
                f"{self.path}: can't be locked for writing: {error.strerror or error}"
            ) from error
        try:
            self._remove_parts()
            yield
        finally:
            lock.release()

    def _remove_parts(self) -> None:
        """Remove temporary files of killed writers; no other writer is alive under the lock."""
        prefix = f".{self.path.name}."
        for part in self.path.parent.glob(".*.part"):
            middle = part.name.removesuffix(".part").removeprefix(prefix)
            if len(middle) == _RANDOM_LENGTH and part.name.startswith(prefix):
                part.unlink(missing_ok=True)


def history_files(folder: Path) -> tuple[Path, ...]:
    """Return the history files of a folder, by name; none when there is no folder.

    Raises:
        ArtifactError: It can't be read, which does not mean that it is empty.
    """
    if not _is_there(folder):
        return ()
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise _unreadable(folder, error) from error
    return tuple(path for path in found if path.suffix == ".json" and path.name[0] != ".")


def _is_there(path: Path) -> bool:
    """Tell whether a path exists; a broken link does.

    Raises:
        ArtifactError: Its folder can't be read.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unreadable(path, error) from error
    return True


def _unreadable(path: Path, error: OSError) -> ArtifactError:
    return ArtifactError(f"{path}: can't be read: {error.strerror or error}")
