"""Cache of SHA-256 hashes of model files, by path, size and modification time.

Hashing 40 GB takes minutes, but a plan must take seconds, so hashes of unchanged files are read
from `storage/artifact_hashes.json`. A dry run uses the cache but doesn't write it. A measurement
hashes the bytes that it serves, so a stale entry can mislead only a plan.
"""

from __future__ import annotations

from pathlib import Path

from orket_lib.artifacts.io import read_json, sha256_of_file, write_json
from orket_lib.vocabulary.errors import ArtifactError


class HashCache:
    """File hashes, kept in one JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, dict[str, object]] = self._read()
        self._changed = False

    def sha256(self, path: Path) -> str:
        """Return the hex SHA-256 of a file; it is hashed only if it is new or changed."""
        stat = path.stat()
        key = path.resolve().as_posix()
        entry = self._known.get(key, {})
        if (entry.get("size"), entry.get("mtime_ns")) == (stat.st_size, stat.st_mtime_ns):
            return str(entry["sha256"])
        digest = sha256_of_file(path)
        self._known[key] = {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": digest}
        self._changed = True
        return digest

    def save(self) -> None:
        """Write the cache if it has new hashes."""
        if self._changed:
            write_json(self._path, self._known)
            self._changed = False

    def _read(self) -> dict[str, dict[str, object]]:
        try:
            content = read_json(self._path)
        except ArtifactError:
            return {}  # a cache: missing or damaged only costs time
        return {
            path: entry
            for path, entry in (content if isinstance(content, dict) else {}).items()
            if isinstance(entry, dict) and isinstance(entry.get("sha256"), str)
        }
