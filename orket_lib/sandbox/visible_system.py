"""What is visible in a sandbox: an interpreter, its libraries, the system's programs.

This is decided outside, so that all kinds of sandbox show the same. The interpreter is the one that
runs us, without its site-packages: an answer may use the standard library.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = "/box"  # the working folder inside
# Not /dev/zero: a shared mapping of it is memory that belongs to no process, see `seccomp`.
DEVICES = ("/dev/full", "/dev/null", "/dev/random", "/dev/urandom")

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/ld.so.cache")
# Without -E, the interpreter reads the environment, of which we set every variable: with a fixed
# hash seed, an answer that depends on the order of a set always gets the same verdict.
_OPTIONS = ("-s", "-S", "-B")
# Starts a program as the interpreter would. `exit` and `quit` are part of `site`, which `-S` skips.
_START = """def start():
    import builtins, os, sys
    from _sitebuiltins import Quitter
    for name in ("exit", "quit"):
        setattr(builtins, name, Quitter(name, "the end of the input"))
    del sys.argv[0]
    path = os.path.abspath(sys.argv[0])
    sys.path[0] = os.path.dirname(path)
    own = sys.modules["__main__"].__dict__
    del own["start"]
    own["__file__"] = path
    with open(path, "rb") as stream:
        code = compile(stream.read(), path, "exec", dont_inherit=True)
    exec(code, own)
start()
"""
# Our modules are loaded without their parent packages, whose import would take longer.
_PACKAGES = ("orket_lib", "orket_lib.sandbox", "orket_lib.sandbox.inside")
_BOOT = f"""import sys
folder, module = sys.argv.pop(1), sys.argv.pop(1)
for name in {_PACKAGES}:
    package = sys.modules[name] = type(sys)(name)
    package.__path__ = [folder]
main = __import__(name + "." + module, fromlist=["main"]).main
main(*sys.argv[1:])
"""


@dataclass(frozen=True)
class VisibleSystem:
    """What is visible inside.

    Attributes:
        python: Path of the interpreter.
        shown: Paths that are mounted read-only.
        links: Targets of symbolic links, by path.
        environment: All environment variables.
    """

    python: str
    shown: tuple[str, ...]
    links: Mapping[str, str]
    environment: Mapping[str, str]

    def command(self, argv: Sequence[str]) -> list[str]:
        """Return the command that runs a Python program inside; it can import files in its folder.

        Args:
            argv: The program's file and its arguments, or options of the interpreter.
        """
        start = [] if argv[0].startswith("-") else ["-c", _START]
        return [self.python, *_OPTIONS, *start, *argv]

    def module_command(self, module: str, folder: str, *arguments: object) -> list[str]:
        """Return the command that runs `main` of a module of `inside`, which is in `folder`."""
        return self.command(["-P", "-c", _BOOT, folder, module, *map(str, arguments)])


@cache
def visible_system() -> VisibleSystem:
    """Return what is visible in the sandboxes of this process."""
    shown = [path for path in _SYSTEM if Path(path).exists() and not Path(path).is_symlink()]
    links = {path: str(Path(path).readlink()) for path in _SYSTEM if Path(path).is_symlink()}
    python = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    prefix = Path(sys.base_prefix).resolve()
    # Not the prefix itself, which may be `~/.local`.
    for path in (Path(python), prefix / "lib", prefix / "lib64"):
        if path.exists() and not any(path.is_relative_to(above) for above in shown):
            shown.append(str(path))
    environment = {
        "HOME": FOLDER,
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",  # each arena takes 64 MiB of the limited address space
        "PATH": "/usr/bin:/bin",
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "TMPDIR": FOLDER,
    }
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        environment["LD_LIBRARY_PATH"] = f"{prefix}/lib"
    return VisibleSystem(python, tuple(shown), links, environment)
