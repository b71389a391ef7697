"""Which controls a provider can apply, and which settings say nothing to it."""

from __future__ import annotations

from collections.abc import Iterator

from orket_lib.config.model import SweepConfig
from orket_lib.vocabulary.units import ALL_CPUS

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
        "affinity_policy": config.affinity_policy != ALL_CPUS,
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
    if config.provider == "llama_server":
        if config.exclusive and not config.base_url:
            yield "exclusive: no effect: a server that we start has one model, ours"
        if config.base_url and config.gpu_devices:
            yield f"gpu_devices: no effect: {_STARTED}"
        if config.api_key and not config.base_url:
            yield "api_key: no effect: a server that we start gets a key of its own"
    if config.provider in ("ollama", "openai", "lmstudio"):
        yield from _shared_server_warnings(config)
    if config.provider == "ollama" and config.threads is not None:
        yield (
            "threads: provider `ollama` sends it and reads it back from the command line of the "
            "process that holds the model; where that can't be seen, rows say "
            "MISSING_EXPERIMENTAL_CONTROLS"
        )
    if config.runtime_env and not (
        config.runner_template
        or config.hardware_sidecar_template
        or config.hardware_sidecar_profile
    ):
        yield "runtime_env: no effect: it is for commands of a runner or sidecar: there is none"
    if config.sweeps_contexts and (config.provider == "openai" or config.attaches_llama_server):
        yield (
            "context: a server that runs already keeps its own context, whatever is asked for; "
            "contexts beyond it are points that say so, those below are filled in the larger one; "
            "of a server that doesn't tell its context none is valid (CONTEXT_MISMATCH)"
        )


def _shared_server_warnings(config: SweepConfig) -> Iterator[str]:
    """Yield a line for each setting that a server which others use, too, leaves to itself."""
    if config.provider == "openai" and config.exclusive:
        yield "exclusive: no effect: provider `openai` loads and unloads nothing"
    if config.provider == "openai" and config.n_ctx is not None:
        yield (
            "n_ctx: provider `openai` can't set it; rows of a server that has less or doesn't tell "
            "say CONTEXT_MISMATCH"
        )
    if config.gpu_devices:
        yield f"gpu_devices: no effect: {_STARTED}"
    if config.seed is not None and config.temperature > 0:
        yield (
            f"seed: provider `{config.provider}` sends it and can't read it back; rows of a server "
            "that isn't seen to use it say MISSING_EXPERIMENTAL_CONTROLS"
        )
