"""`snakemake --lint`, less the one lint that we don't follow: a conda environment for each rule.

All rules call one Python package, whose environment is pyproject.toml.
"""

from __future__ import annotations

import subprocess
import sys

IGNORED = "Specify a conda environment or container for each rule.:"
BULLET = "    * "


def main() -> int:
    """Print Snakemake's lints if any of them is one that we follow; return 1 then."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint"], capture_output=True, text=True, check=False
    )
    text = done.stdout + done.stderr
    titles = [line.removeprefix(BULLET) for line in text.splitlines() if line.startswith(BULLET)]
    if any(title != IGNORED for title in titles) or (done.returncode and not titles):
        print(text)  # noqa: T201
        return 1
    print(f"snakemake --lint: nothing but {len(titles)} x {IGNORED}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
