"""Retention of the baselines: health, then what would go, then let it go.

What `.github/workflows/baseline-retention-weekly.yml` runs on the machine that holds storage/, and
`.ci/full` here. Nothing is removed while a history can't be read: it would have to be looked at
first. Where there are no baselines at all, they were lost, or this is the wrong folder.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from orket_lib.stores.roots import StoreName, storage_root


def main() -> int:
    """Do the three steps; return the exit status of the first one that fails, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--storage-root", default="storage")
    parser.add_argument("--keep-last", metavar="N", help="as of `orket baselines prune`")
    parser.add_argument("--per", choices=("test", "cell"), help="as of `orket baselines prune`")
    parser.add_argument("--out", type=Path, default=Path("results/baseline-retention"))
    parser.add_argument("--allow-empty", action="store_true", help="nothing was recorded so far")
    options = parser.parse_args()
    folder = storage_root(Path(options.storage_root)) / StoreName.BASELINES
    if not any(folder.glob("*.json")) and not options.allow_empty:
        print(f"{folder.as_posix()}: there are no baselines: was storage/ lost?", flush=True)  # noqa: T201
        return 1
    policy = ["--storage-root", options.storage_root]
    for name, value in (("--keep-last", options.keep_last), ("--per", options.per)):
        policy += [name, value] if value is not None else []
    options.out.mkdir(parents=True, exist_ok=True)
    for name, arguments in {
        "health": ["health", *policy],
        "prune-dry-run": ["prune", *policy, "--dry-run"],
        "prune": ["prune", *policy],
    }.items():
        command = [sys.executable, "-m", "orket_lib", "baselines", *arguments, "--json"]
        with (options.out / f"{name}.json").open("w", encoding="utf-8") as stream:
            code = subprocess.run(command, stdout=stream, check=False).returncode
        print(f"{name}: exit status {code}, {stream.name}", flush=True)  # noqa: T201
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
