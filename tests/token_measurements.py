"""Measured probabilities of next tokens."""

from __future__ import annotations

import math
from typing import Any

from builders import MACHINE, NOW, PROVENANCE, spec

from orket_lib.artifacts.measurements.next_tokens import (
    NextTokens,
    NextTokenSpec,
    TokenBlock,
    TokenSample,
)
from orket_lib.vocabulary.statuses import RunStatus


def probabilities(tag: str, top: float, repeat: int = 0, **changes: Any) -> NextTokens:
    """Return a quant that gives `top` to the first of two tokens, in an answer and in the text."""
    logs = [[math.log(top), math.log(1 - top)]] * 3
    blocks = [
        TokenBlock.of(logs, source=source, name="a", sent_sha256="a", tokens=None)
        for source in ("answers", "text")
    ]
    own = spec(quant_tag=tag).model_dump(
        exclude={"kind", "runs_per_task", "probe_runs", "on_server_death", "rerun_polluted"}
    )
    asked = NextTokenSpec(
        **own, sample=TokenSample(), text_sha256="t", answers_sha256="a", repeat=repeat
    )
    values: dict[str, Any] = {
        "status": RunStatus.MEASURED,
        "status_reason": None,
        "measured_at": NOW,
        "finished_at": NOW,
        "loads": (),
        "blocks": blocks,
        "observations": (),
    }
    return NextTokens(
        generated_at=NOW,
        provenance=PROVENANCE,
        model_id="nano",
        quant_tag=tag,
        hardware_fingerprint=MACHINE,
        spec=asked,
        spec_digest=asked.digest(),
        **(values | changes),
    )
