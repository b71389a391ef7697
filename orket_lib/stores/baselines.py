"""The baselines in `storage/baselines/`: one locked history file for each task.

A file is named after its task. A test id that is not a safe file name gets a name with a hash; the
file itself holds the test id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from orket_lib.artifacts.baseline import Baseline, BaselineHistory
from orket_lib.artifacts.io import parse_model, read_json
from orket_lib.stores.files import VERSION, Entry, HistoryFile, history_files
from orket_lib.stores.retention import Per, newest_last, outdated
from orket_lib.stores.roots import StoreName
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.slugs import unique_slug

SCHEMA_VERSION: str = BaselineHistory.model_fields[VERSION].default
_TEST_ID = "test_id"


@dataclass(frozen=True)
class AddedRecords:
    """The result of adding records.

    Attributes:
        added: New records.
        replaced: Records that replaced a shorter one.
    """

    added: tuple[Baseline, ...]
    replaced: tuple[Baseline, ...]


@dataclass(frozen=True)
class BaselineStore:
    """The histories of all tasks.

    Args:
        root: The folder `storage`.
    """

    root: Path

    @property
    def folder(self) -> Path:
        """The folder of the histories."""
        return self.root / StoreName.BASELINES

    def path(self, test_id: str) -> Path:
        """Return the file of a task, which is always inside the folder."""
        return self.folder / f"{unique_slug(test_id)}.json"

    def files(self) -> tuple[Path, ...]:
        """Return all history files, by name; none when there is no folder.

        Raises:
            ArtifactError: The folder can't be read.
        """
        return history_files(self.folder)

    def test_ids(self) -> tuple[str, ...]:
        """Return the tasks that have a history, in the order of their files.

        Raises:
            ArtifactError: A file is damaged, or not one of ours.
        """
        return tuple(map(self.test_id_in, self.files()))

    def test_id_in(self, path: Path) -> str:
        """Return the task of a history file.

        Raises:
            ArtifactError: It is damaged, has no test id, or has the file name of another task.
        """
        content = read_json(path)
        test_id = content.get(_TEST_ID) if isinstance(content, dict) else None
        if not isinstance(test_id, str):
            raise ArtifactError(f"{path}: it has no {_TEST_ID}, so it is not a history")
        if self.path(test_id) != path:
            raise ArtifactError(
                f"{path}: holds {test_id}, whose file is {self.path(test_id).name}; rename it back"
            )
        return test_id

    def history(self, test_id: str) -> tuple[Baseline, ...]:
        """Return the records of a task, oldest first; none when it has no file.

        Raises:
            ArtifactError: The file is damaged, foreign, or of an unknown version.
        """
        records = _parsed(self._file(test_id).read())
        return tuple(records[index] for index in newest_last(records))

    def add(self, test_id: str, records: Iterable[Baseline]) -> AddedRecords:
        """Add records of new measurements, and fuller records of known ones.

        A measurement grows when rounds are added to it. Its fuller record replaces the shorter one
        and stays pinned if that was.

        Raises:
            ArtifactError: The file is damaged, or can't be written.
        """
        added: dict[str, Baseline] = {}
        replaced: dict[str, Baseline] = {}

        def change(entries: tuple[Entry, ...]) -> Sequence[Entry]:
            known = {_ref(record): record for record in _parsed(entries)}
            for record in records:
                ref = _ref(record)
                if ref not in known:
                    known[ref] = added[ref] = record
                elif _says_more(record, known[ref]):
                    fuller = _pinned(record, known[ref].baseline_metadata.pinned)
                    known[ref] = fuller
                    (added if ref in added else replaced)[ref] = fuller
            kept = (
                _dumped(replaced[ref]) if (ref := _ref_in(entry)) in replaced else entry
                for entry in entries
            )
            return [*kept, *map(_dumped, added.values())]

        self._file(test_id).update(change)
        return AddedRecords(tuple(added.values()), tuple(replaced.values()))

    def pin(self, test_id: str, ref: str, pinned: bool) -> bool:
        """Pin or unpin the record of a measurement; return whether the task has one.

        Raises:
            ArtifactError: The file is damaged, or can't be written.
        """

        def change(entries: tuple[Entry, ...]) -> Sequence[Entry]:
            return [
                {**entry, "baseline_metadata": {**entry["baseline_metadata"], "pinned": pinned}}
                if _ref(record) == ref
                else entry
                for entry, record in zip(entries, _parsed(entries), strict=True)
            ]

        after = self._change_existing(test_id, change)
        return any(_ref(record) == ref for record in after)

    def prune(
        self, test_id: str, keep_last: int, per: Per, dry_run: bool = False
    ) -> tuple[Baseline, ...]:
        """Remove and return outdated records; pinned records always stay.

        Args:
            test_id: The task.
            keep_last: How many of the newest unpinned records stay.
            per: Whether that is counted per task or per cell.
            dry_run: Remove nothing.

        Raises:
            ArtifactError: The file is damaged, or can't be written.
        """
        removed: list[Baseline] = []

        def change(entries: tuple[Entry, ...]) -> Sequence[Entry]:
            records = _parsed(entries)
            gone = outdated(records, keep_last, per)
            removed.extend(record for index, record in enumerate(records) if index in gone)
            return [entry for index, entry in enumerate(entries) if index not in gone]

        if dry_run:
            change(self._file(test_id).read())
        else:
            self._change_existing(test_id, change)
        return tuple(removed)

    def _change_existing(
        self, test_id: str, change: Callable[[tuple[Entry, ...]], Sequence[Entry]]
    ) -> list[Baseline]:
        """Change a history if it exists; do not create one."""
        if not self.path(test_id).exists():
            return []
        return _parsed(self._file(test_id).update(change))

    def _file(self, test_id: str) -> HistoryFile:
        header = {VERSION: SCHEMA_VERSION, _TEST_ID: test_id}
        return HistoryFile(self.path(test_id), header, Baseline)


def _parsed(entries: Iterable[Entry]) -> list[Baseline]:
    return [parse_model(entry, Baseline, "record") for entry in entries]


def _ref(record: Baseline) -> str:
    return record.baseline_metadata.test_run_id


def _ref_in(entry: Entry) -> str:
    return str(entry["baseline_metadata"]["test_run_id"])


def _dumped(record: Baseline) -> Entry:
    return record.model_dump(mode="json")


def _says_more(record: Baseline, known: Baseline) -> bool:
    """Tell whether a record is fuller than the known one of the same measurement."""
    runs, runs_known = record.gold_telemetry.runs, known.gold_telemetry.runs
    knows = record.baseline_metadata.clean is not None and known.baseline_metadata.clean is None
    return runs > runs_known or (runs == runs_known and knows)


def _pinned(record: Baseline, pinned: bool) -> Baseline:
    metadata = record.baseline_metadata.model_copy(update={"pinned": pinned})
    return record.model_copy(update={"baseline_metadata": metadata})
