"""The control groups of this process and their ancestors, on Linux; v1, v2 and both at once.

A limit of any ancestor holds for the process, so all that can be seen are asked. In a container,
the visible tree may begin in the middle: what lies above it can't be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path("/")  # of the file system; tests give a folder of files instead

_OCTAL = re.compile(r"\\([0-7]{3})")  # how /proc/self/mountinfo writes spaces in paths


@dataclass(frozen=True)
class Group:
    """A control group that this process is in.

    Attributes:
        folder: With the group's files.
        name: Path of the group, as far as it is visible.
        version: 1 or 2.
    """

    folder: Path
    name: str
    version: int

    def words(self, file: str) -> list[str]:
        """Return the words in one of the group's files; empty if it can't be read."""
        try:
            return (self.folder / file).read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError):
            return []

    def number(self, file: str) -> int | None:
        """Return the number in a file; None without one (`max`: no limit)."""
        words = self.words(file)
        return _integer(words[0]) if len(words) == 1 else None

    def table(self, file: str) -> dict[str, int]:
        """Return the numbers in a file of lines such as `nr_periods 12`."""
        words = self.words(file)
        pairs = zip(words[::2], words[1::2], strict=False)
        return {name: found for name, text in pairs if (found := _integer(text)) is not None}

    def pids(self) -> set[int]:
        """Return the processes in the group and in the groups below it."""
        found: set[int] = set()
        for path in self.folder.rglob("cgroup.procs"):
            try:
                words = path.read_text(encoding="ascii").split()
            except OSError:
                continue  # it was removed in the meantime
            found.update(map(int, words))
        return found


@dataclass(frozen=True)
class _Mount:
    """A mounted tree of groups.

    Attributes:
        root: The group that is its uppermost folder.
        point: Where it is mounted.
        controllers: Of v1; None for v2.
    """

    root: PurePosixPath
    point: Path
    controllers: frozenset[str] | None


def groups(controller: str, root: Path = ROOT) -> tuple[Group, ...]:
    """Return the group of this process and its visible ancestors, the innermost first.

    Args:
        controller: `cpu`, `cpuset` or `memory`.
        root: Root of the file system.
    """
    found = _membership(controller, root)
    if found is None:
        return ()
    version, path = found
    mounts = [
        mount
        for mount in _mounts(root)
        if (mount.controllers is None if version == 2 else controller in (mount.controllers or ()))
    ]
    placed = [(below, mount) for mount in mounts if (below := _below(path, mount.root)) is not None]
    if placed:  # the one that shows most ancestors
        below, mount = max(placed, key=lambda item: len(item[0]))
    elif mounts:  # a container may see its group's path by another name; it mounts its own groups
        below, mount = (), mounts[0]
    else:
        return ()
    return tuple(_upwards(below, mount, version))


def _upwards(below: tuple[str, ...], mount: _Mount, version: int) -> Iterator[Group]:
    for count in range(len(below), -1, -1):
        folder = mount.point.joinpath(*below[:count])
        if folder.is_dir():
            yield Group(folder, str(PurePosixPath("/", *below[:count])), version)


def _below(path: PurePosixPath, root: PurePosixPath) -> tuple[str, ...] | None:
    """Return the path of a group below the root of a mount; None if it is elsewhere."""
    above = root.parts[1:]
    if above and set(above) == {".."}:  # the mount begins above our namespace
        return ()
    if ".." in path.parts or not path.is_relative_to(root):
        return None
    return path.relative_to(root).parts


def _membership(controller: str, root: Path) -> tuple[int, PurePosixPath] | None:
    """Return the version of a controller's tree, and the path of our group in it."""
    unified = None
    for line in _lines(root / "proc/self/cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            return 1, PurePosixPath(path)
        if number == "0" and not controllers:
            unified = 2, PurePosixPath(path)
    return unified


def _mounts(root: Path) -> Iterator[_Mount]:
    for line in _lines(root / "proc/self/mountinfo"):
        fields, _, kind = line.partition(" - ")
        words, described = fields.split(), kind.split()
        if len(words) < 5 or len(described) < 3 or described[0] not in ("cgroup", "cgroup2"):
            continue
        point = root / _unescaped(words[4]).lstrip("/")
        options = frozenset(described[2].split(","))
        controllers = options if described[0] == "cgroup" else None
        yield _Mount(PurePosixPath(_unescaped(words[3])), point, controllers)


def _unescaped(text: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), text)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _integer(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
