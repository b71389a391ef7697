"""From where a cell is served, as the commands that measure are told."""

from __future__ import annotations

from pathlib import Path

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import ArtifactIdentity
from orket_lib.providers.base import Source


def source_of(identity: ArtifactIdentity, named: Path, place: ServerLocation) -> Source:
    """Return the source of a cell.

    Args:
        identity: Of the spec; a cell with a tag has no file.
        named: The model file, or the tag, as the workflow passes it.
        place: The server.
    """
    return Source(None if identity.tag else named, place)
