"""Bundles: ZIP archives of a sweep's files, which anybody can check.

A bundle is untrusted: an archive can hold paths that leave its folder, links, files without an end,
and other names than its manifest. Only plain files that the manifest lists are unpacked, within
limits, and each is compared with its hash.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from orket_lib.artifacts.bundle import BundledFile, BundleManifest
from orket_lib.artifacts.disk import why_not_written
from orket_lib.artifacts.io import read_model, replace_file
from orket_lib.vocabulary.errors import ArtifactError

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of ZIP; a real time would change the bytes of the archive
_PLAIN_FILE = 0o100644 << 16
_CHUNK = 2**20
_MOST_FILES = 200_000
_MOST_BYTES = 8 * 2**30
_MOST_MANIFEST_BYTES = 64 * 2**20
_LONGEST_PATH = 1000
# In no path of ours, and special on some system.
_STRANGE = re.compile(r'[\\:*?"<>|\x00-\x1f\x7f]')
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    UnicodeDecodeError,  # a name that is said to be UTF-8
)


@dataclass(frozen=True)
class Unpacked:
    """A bundle that was unpacked.

    Attributes:
        manifest: Its manifest.
        identity: SHA-256 of the manifest, which covers all files.
        signature: Whether it has one; its file is next to the manifest.
        problems: A line for each file that is missing, changed, or not in the manifest.
    """

    manifest: BundleManifest
    identity: str
    signature: bool
    problems: tuple[str, ...]


def pack(out: Path, manifest: bytes, files: Mapping[str, Path], signature: bytes | None) -> None:
    """Write a bundle; the same files make the same bytes.

    Args:
        out: The archive; replaced when it is complete.
        manifest: Content of its manifest.
        files: By their path in the archive.
        signature: Of the manifest, if there is one.

    Raises:
        ArtifactError: It can't be written, or a file can't be read, or is no more what the manifest
            says.
    """
    hashes = {it.path: it.sha256 for it in BundleManifest.model_validate_json(manifest).files}
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
            part = Path(folder, "bundle")
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
                archive.writestr(_entry(MANIFEST), manifest, compresslevel=9)
                if signature:
                    archive.writestr(_entry(SIGNATURE), signature, compresslevel=9)
                for name in sorted(files):
                    data = files[name].read_bytes()
                    if hashlib.sha256(data).hexdigest() != hashes.get(name):
                        raise ArtifactError(
                            f"{files[name]}: changed while it was packed; if the sweep is running, "
                            "wait until it has ended"
                        )
                    with archive.open(_entry(name), "w") as target:
                        target.write(data)
            replace_file(part, out)
    except OSError as error:
        raise ArtifactError(f"{out}: can't be written: {why_not_written(error, out)}") from error


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _FIRST_DAY)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, _PLAIN_FILE
    entry.create_system = 3  # Unix, on every system
    return entry


def unpack(bundle: Path, folder: Path) -> Unpacked:
    """Unpack a bundle into a folder that is its own.

    Args:
        bundle: The archive.
        folder: An empty folder.

    Raises:
        ArtifactError: It is no bundle, it is too large, or its manifest is damaged.
    """
    if not bundle.is_file():  # reading a pipe may never end
        said = "must be a file" if bundle.exists() else "there is no such file"
        raise ArtifactError(f"{bundle}: {said}")
    try:
        with zipfile.ZipFile(bundle) as archive:
            entries = _entries(archive, bundle)
            for name in (MANIFEST, SIGNATURE):
                if name in entries:
                    _extract(archive, entries[name], folder / name, _MOST_MANIFEST_BYTES)
            manifest = read_model(folder / MANIFEST, BundleManifest)
            problems = tuple(_problems(archive, entries, manifest, folder))
    except _DAMAGED as error:
        raise ArtifactError(f"{bundle}: not a bundle, or damaged: {error}") from None
    except OSError as error:
        raise ArtifactError(f"{bundle}: can't be unpacked: {error.strerror or error}") from error
    identity = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    return Unpacked(manifest, identity, (folder / SIGNATURE).is_file(), problems)


def _entries(archive: zipfile.ZipFile, bundle: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the entries of an archive by name.

    Raises:
        ArtifactError: They are too many or too large, or a name occurs twice.
    """
    found = archive.infolist()
    size = sum(entry.file_size for entry in found)
    if len(found) > _MOST_FILES or size > _MOST_BYTES:
        raise ArtifactError(
            f"{bundle}: {len(found)} files of {size / 2**30:.1f} GiB, too many for a bundle "
            f"(at most {_MOST_FILES}, and {_MOST_BYTES / 2**30:g} GiB)"
        )
    entries = {entry.filename: entry for entry in found}
    if len(entries) < len(found):
        raise ArtifactError(f"{bundle}: not a bundle: a name occurs twice in it")
    if MANIFEST not in entries:
        raise ArtifactError(f"{bundle}: not a bundle: it has no {MANIFEST}")
    return entries


def _problems(
    archive: zipfile.ZipFile,
    entries: Mapping[str, zipfile.ZipInfo],
    manifest: BundleManifest,
    folder: Path,
) -> Iterator[str]:
    """Unpack all files of the manifest, and yield what is wrong with them."""
    named = {file.path for file in manifest.files}
    for name in entries.keys() - named - {MANIFEST, SIGNATURE}:
        yield f"{name}: is not in the manifest"
    for file in manifest.files:
        entry = entries.get(file.path)
        if not is_plain(file.path):
            yield f"{file.path}: no path inside a bundle; not unpacked"
        elif entry is None:
            yield f"{file.path}: missing"
        else:
            yield from _changed(archive, entry, file, folder / file.path)


def _changed(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: BundledFile, target: Path
) -> Iterator[str]:
    try:
        actual = _extract(archive, entry, target, file.bytes)
    except _DAMAGED as error:
        yield f"{file.path}: changed: {error}"
        return
    if actual != file.sha256:
        yield (
            f"{file.path}: changed: its SHA-256 is {actual[:12]}..., not {file.sha256[:12]}... as "
            "in the manifest"
        )


def is_plain(name: str) -> bool:
    """Tell whether a path stays in its folder, and means the same on every system."""
    path = PurePosixPath(name)
    return (
        0 < len(name) <= _LONGEST_PATH
        and path.as_posix() == name
        and not path.is_absolute()
        and not {"", ".", ".."} & set(path.parts)
        and not _STRANGE.search(name)
    )


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, most: int) -> str:
    """Write an entry to a new file, and return its SHA-256.

    Raises:
        BadZipFile: It is longer than it may be; and the other `_DAMAGED`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), most
    with archive.open(entry) as source, target.open("xb") as stream:
        for chunk in _chunks(source):
            left -= len(chunk)
            if left < 0:
                raise zipfile.BadZipFile(f"more than {most} bytes")
            digest.update(chunk)
            stream.write(chunk)
    return digest.hexdigest()


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk
