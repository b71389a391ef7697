"""Sandboxes of a checkout that lies in a folder with an unusual name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import orket_lib
from orket_lib.sandbox.detect import Unavailable, find_sandbox

_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import orket_lib
from orket_lib.sandbox.detect import find_sandbox
from orket_lib.sandbox.examples import Call, call_examples
assert orket_lib.__file__.startswith(sys.argv[1])
sandbox = find_sandbox((sys.argv[2],))
print(call_examples(sandbox, "def f(): return 42", "f", [Call()])[0].value)
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package below a folder with all that could be taken for a separator."""
    place = tmp_path_factory.mktemp("checkout") / "a,b c;d=e:f'g"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(orket_lib.__file__).parent, place / "orket_lib", ignore=ignored)
    return place


@pytest.mark.skipif(sys.platform != "linux", reason="these kinds need Linux")
@pytest.mark.parametrize("kind", ["bubblewrap", "namespaces", "rlimits"])
def test_a_sandbox_works_wherever_the_package_lies(kind: str, checkout: Path) -> None:
    here = find_sandbox((kind,))
    if isinstance(here, Unavailable):
        pytest.skip(here.reason)
    command = [sys.executable, "-c", _PROGRAM, str(checkout), kind]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert (ran.stdout, ran.returncode) == ("42\n", 0), ran.stderr
