"""Which controls a provider can apply, and which settings say nothing to it."""

from __future__ import annotations

from collections.abc import Iterator

from orket_lib.config.model import SweepConfig
from orket_lib.vocabulary.cpus import ALL

EMBEDDED = "embedded"
_FOREIGN = "its server is not ours to place"
_STARTED = "that is settled when its server is started"

# provider: {control: why it can't be applied}. Everything else can.
_CANNOT: dict[str, dict[str, str]] = {
    EMBEDDED: {},
    "llama_server": {},
    "ollama": {"affinity_policy": _FOREIGN},
    "lmstudio": {"threads": _STARTED, "affinity_policy": _FOREIGN},
    "openai": {"threads": _STARTED, "affinity_policy": _FOREIGN},
}
_RUNNING_SERVER = {"threads": _STARTED, "affinity_policy": _STARTED}
_FOR_SERVERS = ("base_url", "api_key", "exclusive", "gpu_devices")


def control_problems(config: SweepConfig) -> Iterator[str]:
    """Yield a line for each control that the config names and the provider can't apply."""
    cannot = _CANNOT[config.provider]
    if config.provider == "llama_server" and config.base_url:
        cannot = _RUNNING_SERVER
    named = {
        "threads": config.threads is not None,
        "affinity_policy": config.affinity_policy != ALL,
    }
    for control, why in cannot.items():
        if named[control]:
            value = getattr(config, control)
            yield (
                f"{control}: provider `{config.provider}` can't apply it: {why}; leave it out "
                f"(got {value})"
            )


def serving_warnings(config: SweepConfig) -> Iterator[str]:
    """Yield a line for each setting that has no effect, or an uncertain one."""
    if config.provider == EMBEDDED:
        for key in _FOR_SERVERS:
            if getattr(config, key):
                yield f"{key}: no effect: provider `embedded` starts a server of its own on the CPU"
    if config.server_args and not config.starts_server:
        yield "server_args: no effect: they are for provider `llama_server` without base_url"
    if config.provider == "openai" and config.seed is not None:
        yield (
            "seed: provider `openai` sends it and can't read back whether the server used it; "
            "rows then say MISSING_EXPERIMENTAL_CONTROLS"
        )
    if config.runner_template:
        yield f"{RUNNER_REFUSAL}; a dry run shows the plan, a run is refused"
    if config.runtime_env and not (
        config.hardware_sidecar_template or config.hardware_sidecar_profile
    ):
        yield "runtime_env: no effect: it is for the command of a sidecar, and there is none"
    for keys, part in (
        (
            (config.context_sweep_profile, config.context_sweep_contexts),
            "context: the context sweep",
        ),
        ((config.thermal_repeats,), "thermal: the thermal series"),
    ):
        if any(keys):
            yield f"{part} is not part of this version; its settings were checked and do nothing"


RUNNER_REFUSAL = "runner_template is not part of this version; tasks are asked by ourselves"
