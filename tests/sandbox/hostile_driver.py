"""Runs programs in a sandbox as the user that it is started as: one job and one result per line.

`python hostile_driver.py ROOT KIND`, with the folder above `orket_lib`. It answers every line of
JSON (source, argument, standard input) with one, beginning with one that says what was found.
"""

from __future__ import annotations

import base64
import json
import sys
from typing import Any


def main() -> None:
    sys.path.insert(0, sys.argv[1])
    from orket_lib.sandbox.detect import Unavailable, find_sandbox
    from orket_lib.sandbox.jobs import PYTHON, Limits, Program

    sandbox = find_sandbox((sys.argv[2],))
    if isinstance(sandbox, Unavailable):
        answer({"unavailable": sandbox.reason})
        return
    answer({"description": sandbox.description})
    for line in sys.stdin:
        job = json.loads(line)
        files = {"main.py": job["source"].encode()}
        limits = Limits(**job["limits"])
        program = Program(
            (PYTHON, "main.py", job["argument"]), files, job["stdin"].encode(), limits
        )
        result = sandbox.run(program)
        answer(
            {
                "outcome": result.ending.outcome,
                "exit_status": result.ending.exit_status,
                "signal": result.ending.signal,
                "stdout": base64.b64encode(result.stdout).decode(),
                "stderr": base64.b64encode(result.stderr).decode(),
            }
        )


def answer(content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
