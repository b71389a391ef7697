"""Rules about several keys together.

Each check names the keys that it reads and is skipped if one of them is already wrong. So every
mistake is reported once, and all mistakes are reported together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from orket_lib.artifacts.measurements.spec import LOAD_FLAGS
from orket_lib.config.loading.command_template import runner_problems
from orket_lib.config.loading.messages import got
from orket_lib.config.loading.provider_limits import (
    argument_problems,
    control_problems,
    load_problems,
    serving_warnings,
    thinking_problems,
)
from orket_lib.config.model import SweepConfig
from orket_lib.config.model_files import filled, makes_files
from orket_lib.config.sections.context import ALL, PICK
from orket_lib.config.sections.thresholds import misfit
from orket_lib.vocabulary.providers import remote_host
from orket_lib.vocabulary.quants import NOMINAL_BITS, is_vendor_tag
from orket_lib.vocabulary.statuses import FidelityMode
from orket_lib.vocabulary.validation import nearest

_LEAST_CANARY_SAMPLES = 2  # a variance needs two
_LEAST_REPEATS = 3  # a trend needs three
_MOST_CELLS = 100_000
_CONTROLS = ("provider", "base_url", "threads", "affinity_policy")


def problems_between(config: SweepConfig, bad: Collection[str]) -> list[str]:
    """Return a line for each rule that is broken.

    Args:
        config: The config; keys in `bad` hold placeholder values.
        bad: Keys that are already wrong.
    """
    wrong = set(bad)
    whole = [line for keys, check in _CHECKS if not set(keys) & wrong for line in check(config)]
    return whole + [
        f"{prefix}{line}"
        for prefix, view in config.served_views
        for keys, check in _CHECKS_OF_A_SERVER
        if not set(keys) & wrong
        for line in check(view)
    ]


def warnings_of(config: SweepConfig) -> list[str]:
    """Return a line for each setting that is allowed but may not do what you expect."""
    of_a_server = (serving_warnings, _unused_quantize_base, _no_probabilities)
    return [
        *(
            f"{to}{line}"
            for to, view in config.views
            for warn in of_a_server
            for line in warn(view)
        ),
        *_canary_warnings(config),
        *_indistinguishable_quants(config),
        *_thermal_warnings(config),
    ]


def _unordered_quants(config: SweepConfig) -> Iterator[str]:
    for quant in config.quants:
        if config.bits(quant) is None:
            yield (
                f"quants.{quant}: unknown quant tag{nearest(quant, NOMINAL_BITS)}; for a tag of "
                "your own, set quant_bits: {<tag>: <bits per weight>}"
            )


def _empty_ranges(config: SweepConfig) -> Iterator[str]:
    for low, high in (
        ("task_id_min", "task_id_max"),
        ("canary_task_id_min", "canary_task_id_max"),
    ):
        first, last = getattr(config, low), getattr(config, high)
        if first is not None and last is not None and first > last:
            yield f"{low}: must not be above {high}: {last} ({got(first)})"


def _remote_server(config: SweepConfig) -> Iterator[str]:
    if remote_host(config.base_url) and not config.allow_remote:
        yield (
            "base_url: must be this machine (127.0.0.1, localhost), unless allow_remote is true "
            f"({got(config.base_url)})"
        )


def _missing_base_url(config: SweepConfig) -> Iterator[str]:
    if config.traits.needs_url and config.base_url is None:
        yield f"base_url: missing: provider `{config.provider}` has no default address"


def _one_pin_for_many(config: SweepConfig) -> Iterator[str]:
    cells = len(config.pairs)
    if isinstance(config.artifact_digest, str) and cells > 1:
        yield (
            f"artifact_digest: one digest can't match {cells} cells; write "
            "{model: {quant: digest}} " + f"({got(config.artifact_digest)})"
        )


def _two_sidecars(config: SweepConfig) -> Iterator[str]:
    if config.hardware_sidecar_template and config.hardware_sidecar_profile:
        yield (
            "hardware_sidecar_template, hardware_sidecar_profile: must not both be given "
            f"({got(config.hardware_sidecar_profile)} and a template)"
        )


def _thermal_limits(config: SweepConfig) -> Iterator[str]:
    target, limit = config.thermal_cooldown_target_c, config.thermal_polluted_threshold_c
    if target >= limit:
        yield (
            f"thermal_cooldown_target_c: must be below thermal_polluted_threshold_c: {limit:g} "
            f"({got(target)})"
        )


def _unlisted_quant(key: str, tag: str | None, config: SweepConfig) -> Iterator[str]:
    for prefix, view in config.views:
        if tag is not None and tag not in view.quants:
            of = f"the quants of {prefix.removesuffix('.')}" if prefix else "quants"
            known = ", ".join(view.quants)
            yield f"{key}: must be one of {of}: {known}{nearest(tag, view.quants)} ({got(tag)})"


def _thermal_warnings(config: SweepConfig) -> Iterator[str]:
    """Yield a warning for a thermal series that is too short, or configured but not run."""
    if 0 < config.thermal_repeats < _LEAST_REPEATS:
        yield (
            f"thermal_repeats: {config.thermal_repeats} can't show a trend: at least "
            f"{_LEAST_REPEATS} are needed, and about 6 for a slow one"
        )
    window = config.thermal_monotonic_window
    if _LEAST_REPEATS <= config.thermal_repeats <= window:
        yield (
            f"thermal_monotonic_window: {window} consecutive rises need {window + 1} repeats "
            f"(thermal_repeats is {config.thermal_repeats})"
        )
    if not config.thermal_repeats and config.thermal_quant_tag is not None:
        yield "thermal_quant_tag: no effect: there is no thermal series (thermal_repeats is 0)"


def _no_probabilities(config: SweepConfig) -> Iterator[str]:
    if config.fidelity is FidelityMode.KLD and not config.traits.gives_probabilities:
        yield (
            f"fidelity: provider `{config.provider}` gives no probabilities of tokens, so `kld` "
            "finds no more than `agreement`"
        )


def _wants(config: SweepConfig) -> Iterator[str]:
    for name, limit in config.wants.items():
        if wrong := misfit(name, limit):
            yield f"wants.{name}: must be {wrong} ({got(limit)})"


def _repeated_runner(config: SweepConfig) -> Iterator[str]:
    if config.rerun_polluted and config.runner_template is not None:
        yield (
            "rerun_polluted: must be 0 with a runner_template, which has one folder per run "
            f"({got(config.rerun_polluted)})"
        )


def _canary_warnings(config: SweepConfig) -> Iterator[str]:
    left = config.canary_runs - config.canary_drop_first_run
    if config.canary_runs and left < _LEAST_CANARY_SAMPLES:
        yield (
            f"canary_runs: {config.canary_runs} leaves {left} to judge by, but a variance needs "
            f"{_LEAST_CANARY_SAMPLES}: this canary can't pass"
        )


def _one_base_for_many(config: SweepConfig) -> Iterator[str]:
    for key in ("base", "imatrix"):
        files = getattr(config, f"quantize_{key}")
        if isinstance(files, str) and filled(files, "") == files and len(config.models) > 1:
            yield (
                f"quantize.{key}: one file can't serve {len(config.models)} models; write "
                "{model} in it, or {model: path} " + f"({got(files)})"
            )
    if config.quantize_imatrix is not None and config.quantize_base is None:
        yield "quantize.imatrix: needs quantize.base, the file to quantize"


def _indistinguishable_quants(config: SweepConfig) -> Iterator[str]:
    """Yield a warning for tags with the same nominal bits (trap T18)."""
    by_bits: dict[float | None, list[str]] = {}
    for quant in config.quants:
        if config.variant_of(quant) is None:
            by_bits.setdefault(config.bits(quant), []).append(quant)
    for bits, quants in by_bits.items():
        if bits is not None and len(quants) > 1 and any(map(is_vendor_tag, quants)):
            yield (
                f"quants: {', '.join(quants)} all count as {bits:g} bits per weight if their files "
                "can't be read; set quant_bits to tell them apart"
            )


def _unused_quantize_base(config: SweepConfig) -> Iterator[str]:
    if config.quantize_base is not None and not makes_files(config):
        yield (
            f"quantize: no effect: a running server of provider `{config.provider}` serves only "
            "the models that it has"
        )


def _rounds_of_batches(config: SweepConfig) -> Iterator[str]:
    if config.in_batches and config.rounds > 1:
        yield (
            "rounds: must be 1 with `until` or `budget`, whose batches return to each quant anyway "
            f"({got(config.rounds)})"
        )


def _too_many_cells(config: SweepConfig) -> Iterator[str]:
    cells = len(config.pairs) * config.rounds
    if cells > _MOST_CELLS:
        yield (
            f"models, quants, rounds: {cells} measurements; a sweep has at most {_MOST_CELLS}: "
            "make several sweeps"
        )


_Check = Callable[[SweepConfig], Iterator[str]]
_CHECKS: tuple[tuple[tuple[str, ...], _Check], ...] = (
    (("quants", "quant_bits"), _unordered_quants),
    (("models", "quants", "rounds"), _too_many_cells),
    (("wants",), _wants),
    (("rerun_polluted", "runner_template"), _repeated_runner),
    (("rounds", "until", "budget"), _rounds_of_batches),
    (("task_id_min", "task_id_max", "canary_task_id_min", "canary_task_id_max"), _empty_ranges),
    (("models", "quantize_base", "quantize_imatrix"), _one_base_for_many),
    (("runner_template",), runner_problems),
    (("hardware_sidecar_template", "hardware_sidecar_profile"), _two_sidecars),
    (
        ("quants", "context_quants"),
        lambda config: (
            line
            for tag in config.context_quants
            if tag not in (PICK, ALL)
            for line in _unlisted_quant("context.quants", tag, config)
        ),
    ),
    (("thermal_cooldown_target_c", "thermal_polluted_threshold_c"), _thermal_limits),
    (
        ("quants", "thermal_quant_tag"),
        lambda config: _unlisted_quant("thermal_quant_tag", config.thermal_quant_tag, config),
    ),
)
_CHECKS_OF_A_SERVER: tuple[tuple[tuple[str, ...], _Check], ...] = (
    (("base_url", "allow_remote"), _remote_server),
    (("provider", "base_url"), _missing_base_url),
    (("models", "quants", "artifact_digest"), _one_pin_for_many),
    (_CONTROLS, control_problems),
    (("provider", "base_url", *LOAD_FLAGS), load_problems),
    (("server_args", *LOAD_FLAGS), argument_problems),
    (("provider", "thinking", "thinking_budget", "max_output_tokens"), thinking_problems),
)
