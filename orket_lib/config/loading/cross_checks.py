"""What must be true of several keys together.

Each check names the keys that it reads: it is left out when one of them has an error of its own, so
one mistake is told once and every other one with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from orket_lib.config.loading.messages import got, nearest
from orket_lib.config.loading.provider_limits import control_problems, serving_warnings
from orket_lib.config.loading.runner_template import runner_problems
from orket_lib.config.loading.server_arguments import argument_problems
from orket_lib.config.model import SweepConfig
from orket_lib.config.model_files import filled, makes_files
from orket_lib.vocabulary.addresses import remote_host
from orket_lib.vocabulary.quants import NOMINAL_BITS, is_vendor_tag

_LEAST_CANARY_SAMPLES = 2
_LEAST_REPEATS = 3
_CONTROLS = ("provider", "base_url", "threads", "affinity_policy")


def problems_between(config: SweepConfig, bad: Collection[str]) -> list[str]:
    """Return a line for each contradiction between keys.

    Args:
        config: The config; keys in `bad` hold stand-ins.
        bad: Keys that have an error of their own.
    """
    return [line for keys, check in _CHECKS if not set(keys) & set(bad) for line in check(config)]


def warnings_of(config: SweepConfig) -> list[str]:
    """Return a line for each setting that is allowed and won't do what one may think."""
    return [
        *serving_warnings(config),
        *_canary_warnings(config),
        *_quants_alike(config),
        *_idle_recipe(config),
        *_thermal_warnings(config),
    ]


def _unordered_quants(config: SweepConfig) -> Iterator[str]:
    for quant in config.quants:
        if config.bits(quant) is None:
            yield (
                f"quants.{quant}: is not a tag that we know{nearest(quant, NOMINAL_BITS)}; any "
                "other tag takes quant_bits: {<tag>: <bits per weight>}"
            )


def _empty_ranges(config: SweepConfig) -> Iterator[str]:
    for low, high in (
        ("task_id_min", "task_id_max"),
        ("canary_task_id_min", "canary_task_id_max"),
    ):
        first, last = getattr(config, low), getattr(config, high)
        if first is not None and last is not None and first > last:
            yield f"{low}: must not be above {high}: {last} ({got(first)})"


def _distant_server(config: SweepConfig) -> Iterator[str]:
    if remote_host(config.base_url) and not config.allow_remote:
        yield (
            "base_url: must be this machine (127.0.0.1, localhost), or allow_remote must be true "
            f"({got(config.base_url)})"
        )


def _nowhere(config: SweepConfig) -> Iterator[str]:
    if config.traits.needs_url and config.base_url is None:
        yield f"base_url: missing: provider `{config.provider}` is the server at that address"


def _one_pin_for_many(config: SweepConfig) -> Iterator[str]:
    cells = len(config.models) * len(config.quants)
    if isinstance(config.artifact_digest, str) and cells > 1:
        yield (
            f"artifact_digest: one digest can't be that of {cells} cells; write "
            "{model: {quant: digest}} " + f"({got(config.artifact_digest)})"
        )


def _two_probes(config: SweepConfig) -> Iterator[str]:
    if config.hardware_sidecar_template and config.hardware_sidecar_profile:
        yield (
            "hardware_sidecar_template, hardware_sidecar_profile: must not both be given "
            f"({got(config.hardware_sidecar_profile)} beside a template)"
        )


def _thermal_limits(config: SweepConfig) -> Iterator[str]:
    target, limit = config.thermal_cooldown_target_c, config.thermal_polluted_threshold_c
    if target >= limit:
        yield (
            f"thermal_cooldown_target_c: must be below thermal_polluted_threshold_c: {limit:g} "
            f"({got(target)})"
        )


def _unknown_thermal_quant(config: SweepConfig) -> Iterator[str]:
    tag = config.thermal_quant_tag
    if tag is not None and tag not in config.quants:
        quants = ", ".join(config.quants)
        hint = nearest(tag, config.quants)
        yield f"thermal_quant_tag: must be one of quants: {quants}{hint} ({got(tag)})"


def _thermal_warnings(config: SweepConfig) -> Iterator[str]:
    """Yield a warning for a series that is too short, and for settings of one that is not run."""
    if 0 < config.thermal_repeats < _LEAST_REPEATS:
        yield (
            f"thermal_repeats: {config.thermal_repeats} shows no trend; that takes "
            f"{_LEAST_REPEATS}, and about 6 to find a slow one"
        )
    window = config.thermal_monotonic_window
    if _LEAST_REPEATS <= config.thermal_repeats <= window:
        yield (
            f"thermal_monotonic_window: {window} rises in a row take {window + 1} repeats "
            f"(thermal_repeats is {config.thermal_repeats})"
        )
    if not config.thermal_repeats and config.thermal_quant_tag is not None:
        yield "thermal_quant_tag: no effect: thermal_repeats is 0, so there is no thermal series"


def _unknown_context_quant(config: SweepConfig) -> Iterator[str]:
    tag = config.context_quant_tag
    if tag is not None and tag not in config.quants:
        yield (
            f"context.quant_tag: must be one of quants: {', '.join(config.quants)}"
            f"{nearest(tag, config.quants)} ({got(tag)})"
        )


def _repeated_runners(config: SweepConfig) -> Iterator[str]:
    if config.rerun_polluted and config.runner_template is not None:
        yield (
            "rerun_polluted: must be 0 with a runner_template, whose command works in one folder "
            f"for each run ({got(config.rerun_polluted)})"
        )


def _canary_warnings(config: SweepConfig) -> Iterator[str]:
    left = config.canary_runs - config.canary_drop_first_run
    if config.canary_runs and left < _LEAST_CANARY_SAMPLES:
        yield (
            f"canary_runs: {config.canary_runs} leaves {left} to judge by; a variance takes "
            f"{_LEAST_CANARY_SAMPLES}, so this canary can't pass"
        )


def _one_base_for_many(config: SweepConfig) -> Iterator[str]:
    for key in ("base", "imatrix"):
        files = getattr(config, f"quantize_{key}")
        if isinstance(files, str) and filled(files, "") == files and len(config.models) > 1:
            yield (
                f"quantize.{key}: one file can't be that of {len(config.models)} models; write "
                "{model} in it, or {model: path} " + f"({got(files)})"
            )
    if config.quantize_imatrix is not None and config.quantize_base is None:
        yield "quantize.imatrix: takes quantize.base, which names what is quantized with it"


def _quants_alike(config: SweepConfig) -> Iterator[str]:
    """Yield a warning for tags that nothing but a file can tell apart (trap T18)."""
    by_bits: dict[float | None, list[str]] = {}
    for quant in config.quants:
        by_bits.setdefault(config.bits(quant), []).append(quant)
    for bits, quants in by_bits.items():
        if bits is not None and len(quants) > 1 and any(map(is_vendor_tag, quants)):
            yield (
                f"quants: {', '.join(quants)} count as {bits:g} bits per weight each where their "
                "files can't be read; quant_bits tells them apart"
            )


def _idle_recipe(config: SweepConfig) -> Iterator[str]:
    if config.quantize_base is not None and not makes_files(config):
        yield (
            f"quantize: no effect: a server of provider `{config.provider}` that runs already has "
            "models of its own"
        )


_Check = Callable[[SweepConfig], Iterator[str]]
_CHECKS: tuple[tuple[tuple[str, ...], _Check], ...] = (
    (("quants", "quant_bits"), _unordered_quants),
    (("rerun_polluted", "runner_template"), _repeated_runners),
    (("task_id_min", "task_id_max", "canary_task_id_min", "canary_task_id_max"), _empty_ranges),
    (("base_url", "allow_remote"), _distant_server),
    (("provider", "base_url"), _nowhere),
    (("models", "quants", "artifact_digest"), _one_pin_for_many),
    (("models", "quantize_base", "quantize_imatrix"), _one_base_for_many),
    (_CONTROLS, control_problems),
    (("server_args",), argument_problems),
    (("runner_template",), runner_problems),
    (("hardware_sidecar_template", "hardware_sidecar_profile"), _two_probes),
    (("quants", "context_quant_tag"), _unknown_context_quant),
    (("thermal_cooldown_target_c", "thermal_polluted_threshold_c"), _thermal_limits),
    (("thermal_quant_tag", "quants"), _unknown_thermal_quant),
)
