"""The files of a sweep's thermal series, as the workflow's rules need to know them."""

from __future__ import annotations

from orket_lib.artifacts.digest import canonical_json
from orket_lib.artifacts.measurements.spec import CooldownSettings
from orket_lib.artifacts.measurements.thermal_series import ThermalSettings
from orket_lib.config.loading.messages import exactly
from orket_lib.config.model import SweepConfig
from orket_lib.sweep.cells import Sweep

_PRODUCTS = (
    "receipt.json",
    "series.json",
    "thermal_profile.json",
    "thermal_profile.png",
    "thermal_kept.ok",
)


class ThermalTargets:
    """Paths (with forward slashes) and options; none of them where no series is asked for."""

    def __init__(self, sweep: Sweep) -> None:
        """Take the sweep; which quant of a model is measured is known only when it has run."""
        self._config = sweep.config
        self._folder = f"{sweep.results}/thermal"
        slugs = dict.fromkeys(cell.model_slug for cell in sweep.cells)
        self._models = tuple(slugs) if sweep.config.thermal_repeats else ()

    def all_files(self) -> list[str]:
        """Return every product."""
        return [f"{self._folder}/{model}/{name}" for model in self._models for name in _PRODUCTS]

    def receipts(self) -> list[str]:
        """Return the receipt of each model's series."""
        return [f"{self._folder}/{model}/receipt.json" for model in self._models]

    def profiles(self) -> list[str]:
        """Return the profile of each model."""
        return [f"{self._folder}/{model}/thermal_profile.json" for model in self._models]

    def pictures(self) -> list[str]:
        """Return the picture of each model's profile."""
        return [f"{self._folder}/{model}/thermal_profile.png" for model in self._models]

    def thresholds(self) -> str:
        """Return the options of what is hot, cool, and a heat soak."""
        config = self._config
        return (
            f"--cooldown-target-c {exactly(config.thermal_cooldown_target_c)}"
            f" --polluted-thermal-threshold-c {exactly(config.thermal_polluted_threshold_c)}"
            f" --monotonic-window {config.thermal_monotonic_window}"
        )

    def policies(self) -> dict[str, str]:
        """Return what each policy file must hold, by its name."""
        if not self._models:
            return {}
        return {"thermal": canonical_json(thermal_settings(self._config).model_dump(mode="json"))}


def thermal_settings(config: SweepConfig) -> ThermalSettings:
    """Return what of a config a thermal series depends on."""
    return ThermalSettings(
        quant_tag=config.thermal_quant_tag,
        repeats=config.thermal_repeats,
        generations=config.thermal_generations,
        rests=CooldownSettings(
            target_c=config.thermal_cooldown_target_c,
            timeout_sec=config.thermal_cooldown_timeout_sec,
        ),
    )
