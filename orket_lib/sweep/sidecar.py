"""The hardware sidecar of a config: which command, or which of our own measurements, and its spec.

A profile without a template means that we measure ourselves, beside the sensors of its backend.
"""

from __future__ import annotations

from dataclasses import dataclass

from orket_lib.artifacts.measurements.sidecar import ServingSettings, SidecarSpec
from orket_lib.artifacts.measurements.spec import RunSpec
from orket_lib.config.loading.command_template import split_template
from orket_lib.config.model import SweepConfig
from orket_lib.sweep.profiles import SidecarProfile, chosen_profile
from orket_lib.vocabulary.errors import ConfigError
from orket_lib.vocabulary.sidecar import PLACEHOLDERS, Backend

_TIMEOUT = "hardware_sidecar_timeout_sec"


@dataclass(frozen=True)
class Sidecar:
    """The sidecar that a config asks for.

    Attributes:
        profile: Name of its profile; None for a template of the config's own.
        backend: Whose sensors are read.
        template: Arguments of the command; None for our own measurement.
        timeout_sec: Its time limit.
        not_measured: Fields that the command's tool can't know.
    """

    profile: str | None
    backend: Backend
    template: tuple[str, ...] | None
    timeout_sec: float
    not_measured: tuple[str, ...] = ()


def find_sidecar(config: SweepConfig) -> Sidecar | None:
    """Return the sidecar that a config asks for, None when it asks for none.

    Raises:
        ConfigError: The profiles file is unreadable or lacks the profile, or that is none, or a
            template can't be split into arguments or has a placeholder that there is not.
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
    # A limit that the config itself names wins over the profile's; its default doesn't.
    explicit = _TIMEOUT in config.model_fields_set
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


def sidecar_problems(config: SweepConfig) -> tuple[str, ...]:
    """Return a line for each thing that keeps a config's sidecar from being run."""
    try:
        find_sidecar(config)
    except ConfigError as error:
        return error.problems
    return ()


def sidecar_spec(config: SweepConfig, sidecar: Sidecar, cell: RunSpec) -> SidecarSpec:
    """Return the spec of a cell's sidecar: of the cell's own, only what the sidecar depends on."""
    own = sidecar.template is None
    return SidecarSpec(
        model_id=cell.model_id,
        quant_tag=cell.quant_tag,
        artifact=cell.artifact,
        machine=cell.machine,
        backend=sidecar.backend,
        template=sidecar.template,
        timeout_sec=sidecar.timeout_sec,
        not_measured=sidecar.not_measured,
        runtime_target=None if own else config.runtime_target,
        execution_mode=None if own else config.execution_mode,
        environment={} if own else config.runtime_env,
        serving=_serving(cell) if own else None,
    )


def _serving(cell: RunSpec) -> ServingSettings:
    return ServingSettings(
        contract=cell.contract,
        provider=cell.provider,
        provider_version=cell.provider_version,
        server_args=cell.server_args,
        gpu_devices=cell.gpu_devices,
        n_ctx=cell.n_ctx,
        temperature=cell.temperature,
        task_timeout_sec=cell.task_timeout_sec,
        controls=cell.controls,
        probe_runs=cell.probe_runs,
    )
