"""Environment variables: references to them in a config, and those that a runner's command gets.

`orket run-task` is such a command, so it reads the names that the harness sets. The placeholders of
the command's template are the other half of that contract.
"""

from __future__ import annotations

import re

# Secrets are named in a config, never written out; group 1 is the variable.
ENV_REFERENCE = re.compile(r"\$\{ENV:([A-Za-z_][A-Za-z0-9_]*)\}")

PLACEHOLDERS = (
    "task_file",
    "run_dir",
    "runtime_target",
    "execution_mode",
    "seed",
    "threads",
    "affinity_policy",
    "warmup_steps",
    "model_id",
    "quant_tag",
)

OURS = "ORKET_"  # prefix of the variables that the harness sets
MODEL_ID = "ORKET_MODEL_ID"
QUANT_TAG = "ORKET_QUANT_TAG"
PROVIDER = "ORKET_PROVIDER"
BASE_URL = "ORKET_BASE_URL"
API_KEY = "ORKET_API_KEY"
SERVED_MODEL = "ORKET_SERVED_MODEL"
N_CTX = "ORKET_N_CTX"
THREADS = "ORKET_THREADS"
TEMPERATURE = "ORKET_TEMPERATURE"
MAX_OUTPUT_TOKENS = "ORKET_MAX_OUTPUT_TOKENS"
REQUEST_EXTRAS = "ORKET_REQUEST_EXTRAS"
THINKING = "ORKET_THINKING"
THINKING_BUDGET = "ORKET_THINKING_BUDGET"
TASK_TIMEOUT_SEC = "ORKET_TASK_TIMEOUT_SEC"
