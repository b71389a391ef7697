"""What a runner's command is told: the placeholders of its template, the names in its environment.

Both sides of that contract use these words: who starts a command, and `orket run-task`, which is
one.
"""

from __future__ import annotations

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

OURS = "ORKET_"  # what the names of variables that we set begin with
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
TASK_TIMEOUT_SEC = "ORKET_TASK_TIMEOUT_SEC"
