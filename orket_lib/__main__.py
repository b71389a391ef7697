"""Runs the command line: `python -m orket_lib`."""

import signal
import sys

from orket_lib.cli import main

# SIGTERM ends a job as Ctrl-C does: the server is stopped, and what is measured is kept.
signal.signal(signal.SIGTERM, signal.default_int_handler)
sys.exit(main())
