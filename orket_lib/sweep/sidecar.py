"""The hardware sidecar of a config, and the spec of its measurement.

A sidecar runs the command of a template. A profile without a template measures the model itself,
together with the sensors of its backend.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from orket_lib.artifacts.measurements.sidecar import ServingSettings, SidecarSpec
from orket_lib.artifacts.measurements.sidecar_fields import PLACEHOLDERS, Backend, SidecarField
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.config.loading.command_template import Template, split_template
from orket_lib.config.model import SweepConfig
from orket_lib.config.sections.fields import from_fields
from orket_lib.sweep.profiles import Profile, chosen_profile


class SidecarProfile(Profile):
    """A hardware probe of the profiles file."""

    backend: Backend = Field(description="whose sensors are read during the probe")
    template: Template | None = Field(None, description="command; null = the built-in probe")
    timeout_sec: float = Field(120.0, gt=0)
    not_measured: tuple[SidecarField, ...] = Field(
        (), description="fields that the command can't measure; they don't count as missing"
    )


@dataclass(frozen=True)
class Sidecar:
    """The sidecar of a config.

    Attributes:
        profile: Name of its profile; None for the config's own template.
        backend: Whose sensors are read.
        template: Arguments of the command; None for the built-in probe.
        timeout_sec: Its time limit.
        not_measured: Fields that the command can't measure.
    """

    profile: str | None
    backend: Backend
    template: tuple[str, ...] | None
    timeout_sec: float
    not_measured: tuple[str, ...] = ()


def find_sidecar(config: SweepConfig) -> Sidecar | None:
    """Return the sidecar of a config; None if it has none.

    Raises:
        ConfigError: The profiles file is unreadable, or the profile or template is missing or
            invalid.
    """
    name = config.hardware_sidecar_profile
    if name is None:
        if config.hardware_sidecar_template is None:
            return None
        arguments = split_template(
            "hardware_sidecar_template", config.hardware_sidecar_template, PLACEHOLDERS
        )
        return Sidecar(None, "any", arguments, config.hardware_sidecar_timeout_sec)
    path = config.sidecar_profiles_config
    profile = chosen_profile(
        SidecarProfile, ("sidecar_profiles_config", path), ("hardware_sidecar_profile", name)
    )
    # An explicit limit in the config overrides the profile's; the config's default doesn't.
    explicit = "hardware_sidecar_timeout_sec" in config.model_fields_set
    return Sidecar(
        profile=name,
        backend=profile.backend,
        template=(
            None
            if profile.template is None
            else split_template(f"{path}: profiles.{name}.template", profile.template, PLACEHOLDERS)
        ),
        timeout_sec=config.hardware_sidecar_timeout_sec if explicit else profile.timeout_sec,
        not_measured=profile.not_measured,
    )


def sidecar_spec(config: SweepConfig, sidecar: Sidecar, cell: RunSpec) -> SidecarSpec:
    """Return the spec of a cell's sidecar, with only those settings that it depends on."""
    built_in = sidecar.template is None
    return from_fields(
        SidecarSpec,
        sidecar,
        model_id=cell.model_id,
        quant_tag=cell.quant_tag,
        artifact=cell.artifact,
        machine=cell.machine,
        runtime_target=None if built_in else config.runtime_target,
        execution_mode=None if built_in else config.execution_mode,
        environment={} if built_in else config.runtime_env,
        serving=from_fields(ServingSettings, cell) if built_in else None,
    )
