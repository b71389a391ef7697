"""`python -m orket_lib <command>`: the form that the workflow's rules use."""

import signal
import sys


def _interrupt(number: int, frame: object) -> None:
    """End as with Ctrl-C, once: Snakemake repeats it for jobs that may not have seen it."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


for each in (signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(each) is not signal.SIG_IGN:
        signal.signal(each, _interrupt)
try:
    from orket_lib.cli import main

    sys.exit(main())
except KeyboardInterrupt:  # while modules are imported
    sys.exit(130)
