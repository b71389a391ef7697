"""Suggesting a config for the models that were found.

Your own models are preferred to the reference model, and of these the one with the most quants,
which can be compared. Of what was named, each thing gives its best model. Only what will work is
suggested, and whatever is left out has a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orket_lib.artifacts.printed.doctor import SeenModel, SeenServer, UnusableModel
from orket_lib.doctor.candidates import Candidate, find_candidates
from orket_lib.doctor.file_serving import FileServing
from orket_lib.doctor.suggested import LeftOut, Suggestion
from orket_lib.doctor.targets import Target
from orket_lib.vocabulary.banks import GENERAL_BANK, REFERENCE_BANK, bank_file
from orket_lib.vocabulary.errors import Refused
from orket_lib.vocabulary.providers import PROVIDERS, remote_host
from orket_lib.vocabulary.statuses import VramProfile
from orket_lib.vocabulary.text import listed
from orket_lib.vocabulary.units import MIB

_MOST_REASONS = 8
_TINY_MIB = 100  # smaller models decode so fast that noise dominates their speed
_PROFILES = tuple(profile.value for profile in VramProfile)


def suggest(
    servers: Sequence[SeenServer],
    files: Sequence[SeenModel],
    n_ctx: int,
    has_gpu: bool,
    serving: FileServing | None = FileServing(),  # noqa: B008 - frozen
    targets: Sequence[Target] = (),
    unusable: Sequence[UnusableModel] = (),
) -> Suggestion | None:
    """Return a config for the best model found, or for what was named; None if there is none.

    Args:
        servers: Servers that were asked.
        files: Model files.
        n_ctx: Context for which memory needs were estimated.
        has_gpu: Whether this machine has a GPU.
        serving: What serves files; None if nothing can.
        targets: What was named; without any, everything that was found.
        unusable: Files that are no models.

    Raises:
        Refused: What was named can't be in one sweep.
    """
    candidates, left_out = find_candidates(servers, files if serving else ())
    left_out += [LeftOut(item.name, item.detail) for item in unusable]
    if not candidates and not targets:
        return None
    chosen = _named(candidates, targets, left_out) or [max(candidates, key=_worth)]
    shared = [tag for tag in chosen[0].quants if all(tag in it.quants for it in chosen)]
    if not shared:
        raise Refused(
            f"{listed([it.name for it in chosen])} have no quant in common, and a sweep measures "
            f"each quant of each model; sweep them one after the other: {_one_by_one(targets)}"
        )
    left_out += [
        LeftOut(model.name, f"{tag} is not there of every model")
        for it in chosen
        for tag, model in it.quants.items()
        if tag not in shared
    ]
    left_out += [
        LeftOut(it.name, f"another model, in {_count(len(it.quants))}; name it to sweep it")
        for it in candidates
        if it not in chosen and not it.is_reference
    ]
    chosen = [it.only(shared) for it in chosen]
    return _config(chosen, n_ctx, has_gpu, serving or FileServing(), tuple(left_out))


def _worth(candidate: Candidate) -> tuple[bool, int]:
    """Sort key: not the reference model, number of quants; the first of equals wins."""
    return not candidate.is_reference, len(candidate.quants)


def _named(
    candidates: Sequence[Candidate], targets: Sequence[Target], left_out: Sequence[LeftOut]
) -> list[Candidate]:
    """Return the best model of each target; nothing without targets."""
    chosen: list[Candidate] = []
    for target in targets:
        held = [candidate for candidate in candidates if candidate.belongs_to(target)]
        if not held:
            raise Refused(nothing_in(target, left_out))
        best = max(held, key=_worth)
        chosen += [best] if best not in chosen else []
    if len({(it.provider, it.base_url) for it in chosen}) > 1:
        raise Refused(f"a sweep has one server; type: {_one_by_one(targets)}")
    return chosen


def nothing_in(target: Target, left_out: Sequence[LeftOut]) -> str:
    """Return that a target has nothing to sweep, with the reasons and what to type."""
    what = "no model in it that can be measured here" if target.place else "no such model there"
    why = "".join(f"\n  {line}" for line in reasons(left_out))
    return f"{target.typed}: {what}; to see what is here, type: orket doctor{why}"


def reasons(left_out: Sequence[LeftOut]) -> list[str]:
    """Return a line for each thing that is left out; of many, the first ones."""
    lines = [f"{item.name}: {item.reason}" for item in left_out[:_MOST_REASONS]]
    more = len(left_out) - _MOST_REASONS
    return [*lines, f"and {more} more; `orket doctor` shows them"] if more > 0 else lines


def _one_by_one(targets: Sequence[Target]) -> str:
    return "; ".join(f"orket sweep {target.typed}" for target in targets)


def _config(
    chosen: Sequence[Candidate],
    n_ctx: int,
    has_gpu: bool,
    serving: FileServing,
    left_out: tuple[LeftOut, ...],
) -> Suggestion:
    first = chosen[0]
    models = [model for it in chosen for model in it.quants.values()]
    tiny = all(model.bytes is not None and model.bytes < _TINY_MIB * MIB for model in models)
    reference = all(it.is_reference for it in chosen)
    on_gpu = serving.gpus != () if first.from_files else has_gpu
    config = {
        **_matrix(chosen, serving),
        "task_bank": bank_file(REFERENCE_BANK if reference else GENERAL_BANK),
        **({} if tiny else {"task_limit": 50}),
        "runs_per_quant": 1,
        "n_ctx": min([n_ctx, *(model.n_ctx for model in models if model.n_ctx)]),
        "max_output_tokens": 96 if tiny else 256,
        "seed": 7,
        **({"threads": 1} if tiny and first.from_files else {}),
        "execution_lane": "ci" if tiny else "lab",
        "vram_profile": _PROFILES[max(_profile_index(model.fits) for model in models)],
        **_limits(tiny, on_gpu),
    }
    comments = {key: text for key, text in _COMMENTS[tiny].items() if key in config}
    return Suggestion(_why(chosen, serving), config, comments, left_out)


def _matrix(chosen: Sequence[Candidate], serving: FileServing) -> dict[str, Any]:
    """Return the keys for models, quants and serving."""
    first = chosen[0]
    named = {
        it.name: {tag: it.served_as(model) for tag, model in it.quants.items()} for it in chosen
    }
    config: dict[str, Any] = {"models": list(named), "quants": list(first.quants)}
    if first.from_files:
        return {**config, **serving.settings, "artifacts": named}
    config["provider"] = first.provider
    traits = PROVIDERS[first.provider]  # without an address, some start their own server
    if first.base_url != traits.default_url or traits.starts_server(None) or traits.needs_url:
        config["base_url"] = first.base_url
    if remote_host(first.base_url):
        config["allow_remote"] = True
    config["tags"] = named
    digests = {
        it.name: {tag: model.digest for tag, model in it.quants.items() if model.digest}
        for it in chosen
    }
    return {**config, "artifact_digest": digests} if all(digests.values()) else config


def _limits(tiny: bool, on_gpu: bool) -> dict[str, float]:
    if tiny:
        return {
            "canary_latency_variance_threshold": 0.5,
            "row_max_orchestration_overhead_ratio": 0.9,
        }
    return {} if on_gpu else {"canary_latency_variance_threshold": 0.1}


_PINNED = "as of now; the sweep refuses another digest"
_COMMENTS: dict[bool, dict[str, str]] = {
    False: {
        "artifact_digest": _PINNED,
        "task_limit": "a first look; 0 = all tasks",
        "execution_lane": "speeds are compared; use `ci` on a machine that also runs other work",
        "canary_latency_variance_threshold": "latencies on a CPU vary by 5 % or more",
    },
    True: {
        "artifact_digest": _PINNED,
        "threads": "with so small a model, more threads would wait for each other",
        "execution_lane": "only answers are compared; this model is too small for speeds",
        "canary_latency_variance_threshold": "short latencies vary more",
        "row_max_orchestration_overhead_ratio": "HTTP takes as long as so small a model",
    },
}


def _profile_index(fits: str) -> int:
    """Return the index of a VRAM profile; if unknown, that of the most careful one."""
    return _PROFILES.index(fits) if fits in _PROFILES else 0


def _why(chosen: Sequence[Candidate], serving: FileServing) -> str:
    first = chosen[0]
    names = "the reference model" if first.is_reference else listed([it.name for it in chosen])
    alone = ", which has nothing to be compared with" if len(chosen[0].quants) == 1 else ""
    count = f"{_count(len(first.quants))}{alone if len(chosen) == 1 else ''}"
    if first.from_files:
        return f"{names} in {count}, from files, {serving}"
    return f"{names} in {count}, on the {first.provider} server at {first.base_url}"


def _count(quants: int) -> str:
    return f"{quants} quants" if quants > 1 else "one quant"
