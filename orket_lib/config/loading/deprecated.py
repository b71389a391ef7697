"""Keys of older matrix files: each is mapped to its successor, or answered, with one warning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Older:
    """What became of an old key.

    Attributes:
        now: What stands in its place, for the warning.
        key: The key that takes its value; None when the value is of no use any more.
        also: Settings that the old key implies.
    """

    now: str
    key: str | None = None
    also: tuple[tuple[str, Any], ...] = ()


OLDER: dict[str, Older] = {
    "model_id": Older("write `models`, a list", "models"),
    "quant_tags": Older("write `quants`", "quants"),
    "lmstudio_base_url": Older(
        "write `provider: lmstudio` and `base_url`", "base_url", (("provider", "lmstudio"),)
    ),
    "lmstudio_timeout_sec": Older("write `task_timeout_sec`", "task_timeout_sec"),
    "out_dir": Older("views lie in results/<sweep>/, which `sweep` names"),
    "summary_out": Older("the summary is results/<sweep>/quant_sweep/sweep_summary.json"),
    "model_hash": Older("each file is hashed anew; `artifact_digest` pins what it must be"),
    "sanitize_model_cache": Older("every cell loads its model anew, nothing is left to clean"),
    "venue": Older("`provider` says what serves, `machine` where"),
    "flow": Older("`execution_mode` is the label that templates get"),
}


def older_warning(name: str, superseded: bool) -> str:
    """Return the one warning about an old key.

    Args:
        name: The old key.
        superseded: The new key stands beside it and wins.
    """
    older = OLDER[name]
    if older.key is None:
        return f"{name}: a key of older matrix files, ignored: {older.now}"
    did = f"ignored beside `{older.key}`" if superseded else f"taken as `{older.key}`"
    return f"{name}: a key of older matrix files, {did}; {older.now}"
