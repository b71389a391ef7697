"""The files of a sweep's thermal series; none if the config has no thermal series."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from orket_lib.artifacts.measurements.spec import CooldownSettings
from orket_lib.artifacts.measurements.thermal_series import ThermalSettings
from orket_lib.config.loading.messages import exactly
from orket_lib.config.model import SweepConfig
from orket_lib.config.sections.fields import from_fields
from orket_lib.sweep.cells import Sweep

_PRODUCTS = (
    "receipt.json",
    "series.json",
    "thermal_profile.json",
    "thermal_profile.png",
    "thermal_kept.ok",
)


class ThermalTargets:
    """Paths (with forward slashes), records and command options of a thermal series."""

    def __init__(self, sweep: Sweep) -> None:
        self._config = sweep.config
        self._folder = f"{sweep.results}/thermal"
        slugs = dict.fromkeys(cell.model_slug for cell in sweep.cells)
        self._models = tuple(slugs) if sweep.config.thermal_repeats else ()

    def all_files(self) -> list[str]:
        """Return every product."""
        return [f"{self._folder}/{model}/{name}" for model in self._models for name in _PRODUCTS]

    def files(self, name: str) -> list[str]:
        """Return the paths of a file that each model has."""
        return [f"{self._folder}/{model}/{name}" for model in self._models]

    def policies(self) -> dict[str, Callable[[], BaseModel]]:
        """Return the content of each policy file, by name."""
        return {"thermal": self._settings} if self._models else {}

    def profile_options(self) -> str:
        """Return the options of `orket thermal-profile` for its limits."""
        return profile_options(self._config)

    def _settings(self) -> ThermalSettings:
        rests = from_fields(CooldownSettings, self._config, "thermal_cooldown_")
        return from_fields(ThermalSettings, self._config, "thermal_", rests=rests)


def profile_options(config: SweepConfig) -> str:
    """Return the options of `orket thermal-profile` for its limits."""
    return (
        f"--cooldown-target-c {exactly(config.thermal_cooldown_target_c)}"
        f" --polluted-thermal-threshold-c {exactly(config.thermal_polluted_threshold_c)}"
        f" --monotonic-window {config.thermal_monotonic_window}"
    )
