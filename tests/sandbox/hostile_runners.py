"""How a hostile program gets into a sandbox: from this process, or from one of another user."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Protocol

from hostile_programs import Hostile
from sandbox_targets import Seen, Targets, Watch

from orket_lib.sandbox.jobs import PYTHON, Outcome, Program, Sandbox

OTHER_UID = 65534
STDIN = "what it is given"
_HERE = Path(__file__).parent


class Runner(Protocol):
    def run(self, targets: Targets, program: Hostile) -> Seen: ...


class OwnRunner:
    """Runs programs from this process."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def run(self, targets: Targets, program: Hostile) -> Seen:
        files = {"main.py": targets.source(program.source, outside=False).encode()}
        job = Program((PYTHON, "main.py", targets.mark), files, STDIN.encode(), program.limits)
        begin = time.monotonic()
        with Watch(targets.mark, program.seen_by) as watch:
            result = self._sandbox.run(job)
        return Seen(
            stdout=result.stdout,
            stderr=result.stderr,
            wall_s=time.monotonic() - begin,
            verdict=result.ending.outcome,
            status=result.ending.exit_status,
            signalled=result.ending.signal is not None,
            peak_tasks=watch.peak_tasks,
            peak_bytes=watch.peak_bytes,
        )


class DrivenRunner:
    """Runs programs from a process of a user without rights."""

    def __init__(self, python: str, kind: str) -> None:
        self._driver = subprocess.Popen(
            [python, "-S", str(_HERE / "hostile_driver.py"), str(_HERE.parents[2]), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            user=OTHER_UID,
            group=OTHER_UID,
            extra_groups=[],
            cwd="/",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        try:
            self.unavailable = self._answer().get("unavailable")
        except json.JSONDecodeError:
            self.unavailable = "Permission denied: another user can't start the driver"
        if self.unavailable:
            self.close()

    def close(self) -> None:
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.close()
        self._driver.stdout.close()
        self._driver.wait()

    def run(self, targets: Targets, program: Hostile) -> Seen:
        job = {
            "source": targets.source(program.source, outside=False),
            "argument": targets.mark,
            "stdin": STDIN,
            "limits": vars(program.limits),
        }
        begin = time.monotonic()
        with Watch(targets.mark, program.seen_by) as watch:
            assert self._driver.stdin is not None
            self._driver.stdin.write(json.dumps(job).encode() + b"\n")
            self._driver.stdin.flush()
            result = self._answer()
        return Seen(
            stdout=base64.b64decode(result["stdout"]),
            stderr=base64.b64decode(result["stderr"]),
            wall_s=time.monotonic() - begin,
            verdict=Outcome(result["outcome"]),
            status=result["exit_status"],
            signalled=result["signal"] is not None,
            peak_tasks=watch.peak_tasks,
            peak_bytes=watch.peak_bytes,
        )

    def _answer(self) -> dict[str, Any]:
        assert self._driver.stdout is not None
        answer: dict[str, Any] = json.loads(self._driver.stdout.readline())
        return answer
