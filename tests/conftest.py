"""Its presence puts this folder on the import path, so that every test finds `builders`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

# The simulators of servers are programs, and modules of the tests that run them in a thread.
sys.path.append(str(Path(__file__).parent / "simulators"))

# A shell that starts us in the background has SIGINT ignored, which every child would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)
