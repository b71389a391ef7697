"""What the doctor suggests, for those who write or print it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LeftOut:
    """Something that was found and can't, or need not, be swept."""

    name: str
    reason: str


@dataclass(frozen=True)
class Suggestion:
    """A config with explanations.

    Attributes:
        why: Which model was chosen.
        config: Keys and values, in reading order.
        comments: Explanations of values, by key.
        left_out: What was found and is not in it.
    """

    why: str
    config: dict[str, Any]
    comments: dict[str, str]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def files(self) -> dict[str, dict[str, str]]:
        """The model files in it, by model and quant."""
        models = self.config.get("models")
        if not isinstance(models, dict):
            return dict(self.config.get("artifacts", {}))
        return {name: own["artifacts"] for name, own in models.items() if "artifacts" in own}
