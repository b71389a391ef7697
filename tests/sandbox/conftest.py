"""Sandboxes to test: each kind with walls, for whoever runs the tests and for a plain user."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import NoReturn

import pytest
from hostile_runners import OTHER_UID, DrivenRunner, OwnRunner, Runner
from sandbox_targets import Targets

from orket_lib.artifacts.measurements.spec import WITH_WALLS
from orket_lib.sandbox.detect import Unavailable, find_sandbox
from orket_lib.sandbox.jobs import Sandbox

if sys.platform != "linux":
    collect_ignore_glob = ["test_sandbox_hostile*", "test_sandbox_lifetime*"]


# What a machine may lack; a sandbox that doesn't start for another reason is broken.
_LACKING = re.compile(
    "is not installed|needs Linux|no filter of system calls"
    "|Operation not permitted|Permission denied|Unknown option"
)


def sandbox_or_skip(kind: str) -> Sandbox:
    found = find_sandbox((kind,))
    if isinstance(found, Unavailable):
        skip_or_fail(found.reason)
    return found


def skip_or_fail(reason: str) -> NoReturn:
    if _LACKING.search(reason):
        pytest.skip(reason)
    pytest.fail(reason)


@pytest.fixture(scope="session", params=WITH_WALLS)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """A sandbox with walls, of each kind that works here."""
    return sandbox_or_skip(request.param)


@pytest.fixture(
    scope="session",
    params=[
        *WITH_WALLS,
        *(pytest.param(f"{kind}-as-another-user", marks=pytest.mark.slow) for kind in WITH_WALLS),
    ],
)
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    """Each kind, as whoever runs the tests, and as a user without rights where root runs them."""
    kind, _, other = request.param.partition("-as-")
    if not other:
        yield OwnRunner(sandbox_or_skip(kind))
        return
    if os.geteuid() != 0:
        pytest.skip("only root can become another user; this user is the other case already")
    python = _interpreter_for_all()
    if python is None:
        pytest.skip("no interpreter that another user may start can import orket_lib")
    driven = DrivenRunner(python, kind)
    if driven.unavailable:
        skip_or_fail(driven.unavailable)
    yield driven
    driven.close()


def _interpreter_for_all() -> str | None:
    """Return a Python of our version or later that a user without rights can use."""
    names = (sys.executable, shutil.which("python3", path="/usr/local/bin:/usr/bin"))
    return next(filter(_serves_nobody, filter(None, names)), None)


def _serves_nobody(python: str) -> bool:
    code = "import sys; assert sys.version_info >= (3, 11)"
    try:
        tried = subprocess.run(
            [python, "-c", code],
            user=OTHER_UID,
            group=OTHER_UID,
            extra_groups=[],
            capture_output=True,
        )
    except OSError:
        return False
    return tried.returncode == 0


@pytest.fixture
def targets(request: pytest.FixtureRequest) -> Iterator[Targets]:
    """What a program could get at."""
    runner = request.getfixturevalue("runner") if "runner" in request.fixturenames else None
    made = Targets(OTHER_UID if isinstance(runner, DrivenRunner) else None)
    yield made
    made.close()
