"""In processes that are started with this folder on PYTHONPATH, a trace replaces the driver.

Python imports a module of this name before anything else, so the sampler and every other process
of a measurement finds the replayed NVML without knowing of it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

if "ORKET_TEST_NVML_TRACE" in os.environ:
    sys.path.append(str(Path(__file__).parents[1]))

    from nvml_replay import install

    install(json.loads(Path(os.environ["ORKET_TEST_NVML_TRACE"]).read_text(encoding="utf-8")))
