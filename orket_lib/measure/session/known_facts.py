"""The folder with the findings of earlier sessions; see `artifacts.server_facts`."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from orket_lib.artifacts.io import read_model, write_model
from orket_lib.artifacts.measurements.server_facts import (
    ModelKey,
    ModelProbes,
    ServerFacts,
    ServerKey,
)
from orket_lib.vocabulary.errors import ArtifactError

SERVER_FACTS = "server_facts"  # below the storage

_Facts = TypeVar("_Facts", ServerFacts, ModelProbes)


class KnownFacts:
    """The findings of earlier sessions.

    Args:
        folder: The folder; with None, nothing is known or kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def server(self, key: ServerKey | None) -> ServerFacts | None:
        """Return the findings about a server; None if there are none."""
        return self._read(key, ServerFacts)

    def model(self, key: ModelKey) -> ModelProbes | None:
        """Return the probe lengths of a model; None if they were not chosen yet."""
        return self._read(key, ModelProbes)

    def keep(self, facts: ServerFacts | ModelProbes) -> None:
        """Keep findings.

        Raises:
            ArtifactError: They can't be written (disk full).
        """
        if self._folder is not None:
            write_model(self._path(self._folder, facts.key), facts)

    def _read(self, key: ServerKey | ModelKey | None, kind: type[_Facts]) -> _Facts | None:
        """Return the findings under a key; a damaged file counts as missing."""
        if self._folder is None or key is None:
            return None
        try:
            found = read_model(self._path(self._folder, key), kind)
        except ArtifactError:
            return None
        return found if found.key == key else None

    @staticmethod
    def _path(folder: Path, key: ServerKey | ModelKey) -> Path:
        return folder / f"{key.digest()}.json"
