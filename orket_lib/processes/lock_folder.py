"""The folder of lock files: one that all users and jobs of a machine see.

A container may have a read-only `/var/tmp`, or none. Every process in it then takes `/tmp` instead,
so they still exclude each other; those that see another `/var/tmp` are not excluded, which the
preflight says. `ORKET_LOCK_DIR` names another folder for everyone who sets it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orket_lib.vocabulary.errors import Refused

VARIABLE = "ORKET_LOCK_DIR"

REMEDY = (
    f"name a folder that all users and jobs of this machine can write to: export {VARIABLE}=FOLDER"
)

_NAME = "orket-locks"
_INSTEAD = Path("/tmp")
_GRANT_S = 30.0
_ALL_USERS = "*S-1-5-32-545"  # the SID of "Users", whose name is localized
# The same for all users of a machine or container, unlike missing rights.
_OF_THE_SYSTEM = (errno.EROFS, errno.ENOENT)


@dataclass(frozen=True)
class LockFolder:
    """Where the lock files are.

    Attributes:
        path: The folder.
        note: Whom its locks don't exclude; None if all measurements of this machine use it.
    """

    path: Path
    note: str | None = None


def lock_folder(usual: Path, environment: Mapping[str, str] = os.environ) -> LockFolder:
    """Return the folder of lock files, usable by all users.

    Args:
        usual: Folder of the machine that is taken without a setting.
        environment: May name another one.

    Raises:
        Refused: It can't be used; with the setting that names another one.
    """
    chosen = environment.get(VARIABLE)
    if chosen:
        return _chosen(Path(chosen))
    try:
        return LockFolder(_made(usual / _NAME))
    except OSError as error:
        if error.errno not in _OF_THE_SYSTEM or os.name == "nt":
            raise unusable(usual / _NAME, error) from None
        why = f"{usual}: {error.strerror}"
    try:
        instead = _made(_INSTEAD / _NAME)
    except OSError as error:
        raise unusable(usual / _NAME, OSError(f"{why}; {_INSTEAD}: {error.strerror}")) from None
    return LockFolder(
        instead, f"{why}; locks are in {instead}, and exclude only those that use it, too"
    )


def _chosen(path: Path) -> LockFolder:
    """Return a folder that the user named.

    Raises:
        Refused: It is not absolute, or can't be used.
    """
    if not path.is_absolute():
        raise Refused(f"{VARIABLE}: must be an absolute path (got {path})")
    try:
        made = _made(path)
    except OSError as error:
        raise unusable(path, error) from None
    return LockFolder(
        made, f"{VARIABLE} is set: only measurements that set it to {path} wait for each other"
    )


def unusable(path: Path, error: Exception) -> Refused:
    """Return the error for a lock folder, or a lock file, that can't be used."""
    reason = getattr(error, "strerror", None) or str(error)
    return Refused(f"{path}: locks can't be kept there: {reason}; {REMEDY}")


def _made(folder: Path) -> Path:
    """Return a folder, made if it is not there (no sticky bit: any user may open a lock).

    Raises:
        OSError: It can't be made or written, or something else is in its place.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
        _share(folder)
    if folder.is_symlink() or not folder.is_dir():  # a link may lead to another user's folder
        raise NotADirectoryError(errno.ENOTDIR, "the lock folder is not a folder", str(folder))
    if hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(folder))
    return folder


def _share(folder: Path) -> None:
    """Let all users write into a folder that we have just made."""
    if os.name != "nt":
        folder.chmod(0o777)  # the umask limits the mode of mkdir
        return
    # Otherwise other users could only read a lock file, and would wait for ever.
    grant = ["icacls", str(folder), "/grant", f"{_ALL_USERS}:(OI)(CI)M", "/q"]
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(grant, check=False, capture_output=True, timeout=_GRANT_S)
