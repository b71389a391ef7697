"""Which controls and arguments a provider can apply, and which settings have no effect with it."""

from __future__ import annotations

from collections.abc import Iterator

from orket_lib.artifacts.measurements.spec import LOAD_FLAGS, SEARCH
from orket_lib.config.model import SweepConfig
from orket_lib.vocabulary.units import ALL_CPUS

_AT_START = "it is set when the server is started"
_NOT_OURS = "the server is not started by this sweep"
_UNSET = (None, False, ())
# Arguments of llama-server that the sweep sets itself: in `server_args` they would override what it
# claims to measure.
_RESERVED = {
    "use n_ctx": ("-c", "--ctx-size"),
    "use threads": ("-t", "--threads", "-tb", "--threads-batch"),
    "the server handles one request at a time": ("-np", "--parallel"),
    "use artifact_template or artifacts": (
        *("-m", "--model", "-mu", "--model-url", "-hf", "-hfr", "--hf-repo", "--models-dir"),
    ),
    "the sweep chooses the address": ("--host", "--port", "--reuse-port", "--api-prefix"),
    "the sweep creates an API key for the server": ("--api-key", "--api-key-file"),
    "the measurements need these endpoints": ("--no-slots", "--embedding", "--embeddings"),
}
_WHY = {flag: why for why, flags in _RESERVED.items() for flag in flags}


def control_problems(config: SweepConfig) -> Iterator[str]:
    """Yield a line for each control that the config names and the provider can't apply."""
    traits = config.traits
    if traits.starts_server(config.base_url):
        return
    for control, is_set, why in (
        ("threads", config.threads is not None and "threads" not in traits.loads_with, _AT_START),
        ("affinity_policy", config.affinity_policy != ALL_CPUS, _NOT_OURS),
    ):
        if is_set:
            yield (
                f"{control}: provider `{traits.name}` can't apply it: {why}; leave it out "
                f"(got {getattr(config, control)})"
            )


def thinking_problems(config: SweepConfig) -> Iterator[str]:
    """Yield what keeps a budget for reasoning from having an effect."""
    budget, most = config.thinking_budget, config.max_output_tokens
    if budget is None:
        return
    if not config.traits.budgets_thinking:
        yield (
            f"thinking_budget: provider `{config.provider}` has no limit in tokens for reasoning; "
            f"leave it out, or set thinking: off (got {budget})"
        )
    if config.thinking == "off":
        yield f"thinking_budget: no reasoning is left with thinking: off (got {budget})"
    if budget >= most:
        yield (
            f"thinking_budget: must be below max_output_tokens: {most}, or nothing is left for the "
            f"answer (got {budget})"
        )


def load_problems(config: SweepConfig) -> Iterator[str]:
    """Yield a line for each setting of the load that the provider can't apply."""
    traits = config.traits
    if traits.keeps_its_model(config.base_url):
        can, why = frozenset[str](), f"{_AT_START}, and {_NOT_OURS}"
    else:
        can = traits.load_settings
        why = f"it can set {', '.join(sorted(can))}" if can else "it takes none of these"
        why += traits.load_note
    for key in LOAD_FLAGS:
        if getattr(config, key) is not None and key not in can:
            yield f"{key}: provider `{traits.name}` can't apply it: {why}; leave it out"
    if config.gpu_layers == SEARCH and "gpu_layers" in can and not config.starts_server:
        yield (
            "gpu_layers: `search` needs provider `llama_server` without base_url, which starts a "
            f"server for each try; for provider `{traits.name}`, write a number"
        )
    logical, physical = config.batch_size, config.ubatch_size
    if logical is not None and physical is not None and physical > logical:
        yield f"ubatch_size: must not be above batch_size: {logical} (got {physical})"


def argument_problems(config: SweepConfig) -> Iterator[str]:
    """Yield a line for each argument of `server_args` that the sweep sets itself."""
    set_here = {
        flag: key
        for key, flags in LOAD_FLAGS.items()
        if getattr(config, key) is not None
        for flag in flags
    }
    for argument in config.server_args:
        if argument in set_here:
            yield f"server_args: must not contain `{argument}` beside {set_here[argument]}"
        why = _WHY.get(argument.replace("_", "-"))
        if why:
            yield f"server_args: must not contain `{argument}`: {why}"


def serving_warnings(config: SweepConfig) -> Iterator[str]:
    """Yield a line for each setting that has no effect, or an uncertain one."""
    traits = config.traits
    for key, note in traits.key_notes.items():
        if getattr(config, key) not in _UNSET:
            yield f"{key}: {note}"
    if config.server_args and not config.starts_server:
        yield "server_args: no effect: they are for provider `llama_server` without base_url"
    if config.starts_server:
        if config.exclusive:
            yield "exclusive: no effect: a server that is started for a cell has one model"
        if config.api_key:
            yield "api_key: no effect: a server that is started for a cell gets its own key"
    if config.gpu_devices and not traits.starts_server(config.base_url):
        yield f"gpu_devices: no effect: {_AT_START}"
    if config.seed is not None and config.temperature > 0 and not traits.reports_seed:
        yield (
            f"seed: provider `{traits.name}` sends it and can't read it back; rows of a server "
            "that isn't seen to use it say MISSING_EXPERIMENTAL_CONTROLS"
        )
    if config.runtime_env and not (
        config.runner_template
        or config.hardware_sidecar_template
        or config.hardware_sidecar_profile
    ):
        yield "runtime_env: no effect: it is for commands of a runner or sidecar: there is none"
    if config.sweeps_contexts and traits.keeps_its_model(config.base_url):
        yield (
            "context: a running server keeps its own context, whatever is asked for; "
            "contexts beyond it become points that say so, and smaller ones are filled within it; "
            "if the server doesn't report its context, no point is valid (CONTEXT_MISMATCH)"
        )
