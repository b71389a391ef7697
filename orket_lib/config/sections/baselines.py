"""Baselines: comparing a sweep with earlier ones, and recording it for later ones."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orket_lib.config.sections.fields import Section


class Baselines(Section):
    """Comparison with earlier sweeps; off by default."""

    baseline_compare: Annotated[
        bool, Field(description="compare the sweep with its baselines and write regression.json")
    ] = False
    baseline_gate: Annotated[
        bool, Field(description="compare, and fail the sweep if it is worse")
    ] = False
    baseline_record: Annotated[
        bool, Field(description="record valid cells as baselines, except those that regressed")
    ] = False

    @property
    def compares_baselines(self) -> bool:
        """Whether there is a comparison, gating or not."""
        return self.baseline_compare or self.baseline_gate
