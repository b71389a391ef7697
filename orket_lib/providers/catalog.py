"""The catalog of a server: the models that it offers.

Reading it loads nothing. It serves the checks before a sweep; the identity of a model that is
measured is read back when it is served.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from orket_lib.artifacts.printed.offers import OfferedModel, Offering
from orket_lib.providers.gguf.memory_estimate import ModelShape


@dataclass(frozen=True)
class Catalog:
    """The models of a server.

    Attributes:
        offering: The models.
        shapes: By model name, the sizes that its KV cache depends on, where the server reports
            them.
        canonical: Returns the one spelling that all spellings of a model's name share.
    """

    offering: Offering
    shapes: dict[str, ModelShape] = field(default_factory=dict)
    canonical: Callable[[str], str] = str

    def find(self, name: str) -> OfferedModel | None:
        """Return the model that a config names, or None when it is not offered."""
        same = (m for m in self.offering.models if self.canonical(m.name) == self.canonical(name))
        return next(same, None)
