"""Suggesting a config for the models that were found.

With nothing named, these are all of your own models; the reference model only if there is no other.
Of what was named, each thing gives its best model: the one with the most quants, which can be
compared. Only what will work is suggested, and whatever is left out has a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orket_lib.artifacts.printed.doctor import SeenModel, SeenServer, UnusableModel
from orket_lib.doctor.candidates import Candidate, find_candidates
from orket_lib.doctor.file_serving import FileServing
from orket_lib.doctor.suggested import LeftOut, Suggestion
from orket_lib.doctor.targets import Target
from orket_lib.tasks.shipped_banks import GENERAL_BANK, REFERENCE_BANK, bank_file
from orket_lib.vocabulary.errors import Refused
from orket_lib.vocabulary.providers import PROVIDERS, remote_host
from orket_lib.vocabulary.statuses import VramProfile
from orket_lib.vocabulary.text import listed
from orket_lib.vocabulary.units import MIB

_MOST_REASONS = 8
_SMALL_MODEL = 800_000_000  # parameters; smaller ones can do hardly any but the easiest tasks
_MINUTES = 45  # for each model
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
    """Return a config for all models found, or for what was named; None if there is none.

    Args:
        servers: Servers that were asked.
        files: Model files.
        n_ctx: Context for which memory needs were estimated.
        has_gpu: Whether this machine has a GPU.
        serving: What serves files; None if nothing can.
        targets: What was named; without any, everything that was found.
        unusable: Files that are no models.

    Raises:
        Refused: Something that was named has no model that can be measured.
    """
    candidates, left_out = find_candidates(servers, files if serving else ())
    left_out += [LeftOut(item.name, item.detail) for item in unusable]
    if not candidates and not targets:
        return None
    chosen = _named(candidates, targets, left_out) if targets else _all(candidates, left_out)
    left_out += [
        LeftOut(it.name, f"another model, in {_count(len(it.quants))}; name it to sweep it")
        for it in candidates
        if targets and it not in chosen and not it.is_reference
    ]
    return _config(chosen, n_ctx, has_gpu, serving or FileServing(), tuple(left_out))


def _worth(candidate: Candidate) -> tuple[bool, int]:
    """Sort key: not the reference model, number of quants; the first of equals wins."""
    return not candidate.is_reference, len(candidate.quants)


def _all(candidates: Sequence[Candidate], left_out: list[LeftOut]) -> list[Candidate]:
    """Return the user's own models, each once, or else the reference model."""
    seen: dict[frozenset[tuple[str, int | None]], Candidate] = {}
    for it in candidates:
        same = seen.setdefault(it.content, it) if it.content and not it.is_reference else it
        if same is not it:
            left_out.append(LeftOut(it.name, f"the same files as {same.name}, which is swept"))
    own = list(seen.values()) + [it for it in candidates if not it.content and not it.is_reference]
    return own or [max(candidates, key=_worth)]


def _named(
    candidates: Sequence[Candidate], targets: Sequence[Target], left_out: Sequence[LeftOut]
) -> list[Candidate]:
    """Return the best model of each target."""
    chosen: list[Candidate] = []
    for target in targets:
        held = [candidate for candidate in candidates if candidate.belongs_to(target)]
        if not held:
            raise Refused(nothing_in(target, left_out))
        best = max(held, key=_worth)
        chosen += [best] if best not in chosen else []
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


def _config(
    chosen: Sequence[Candidate],
    n_ctx: int,
    has_gpu: bool,
    serving: FileServing,
    left_out: tuple[LeftOut, ...],
) -> Suggestion:
    models = [model for it in chosen for model in it.quants.values()]
    tiny = all(model.bytes is not None and model.bytes < _TINY_MIB * MIB for model in models)
    reference = all(it.is_reference for it in chosen)
    on_gpu = any(serving.gpus != () if it.from_files else has_gpu for it in chosen)
    config = {
        **_matrix(chosen, serving, threads=1 if tiny else None),
        "task_bank": bank_file(REFERENCE_BANK if reference else GENERAL_BANK),
        **({"task_tiers": [1]} if not reference and all(map(_is_small, models)) else {}),
        **({} if tiny else {"until": "decided", "budget": f"{_MINUTES * len(chosen)}m"}),
        "runs_per_quant": 1,
        "n_ctx": min([n_ctx, *(model.n_ctx for model in models if model.n_ctx)]),
        "max_output_tokens": 96 if tiny else 256,
        "seed": 7,
        "execution_lane": "ci" if tiny else "lab",
        "vram_profile": _PROFILES[max(_profile_index(model.fits) for model in models)],
        "canary_on_latency": "quality_only",
        **_limits(tiny, on_gpu),
    }
    comments = {key: text for key, text in _COMMENTS[tiny].items() if key in config}
    return Suggestion(_why(chosen, serving), config, comments, left_out)


def _matrix(
    chosen: Sequence[Candidate], serving: FileServing, threads: int | None
) -> dict[str, Any]:
    """Return the keys for models, quants and serving.

    Models of one server in the same quants are a list. Others are a table, each with its own keys.
    """
    first = chosen[0]
    same = all(it.server == first.server and list(it.quants) == list(first.quants) for it in chosen)
    if not same:
        return {"models": {it.name: _own(it, serving, threads) for it in chosen}}
    named: dict[str, dict[str, Any]] = {}
    for it in chosen:
        for key, table in _tables(it).items():
            named.setdefault(key, {})[it.name] = table
    pins = named.get("artifact_digest", {})
    if len(pins) < len(chosen):
        named.pop("artifact_digest", None)
    models = {"models": [it.name for it in chosen], "quants": list(first.quants)}
    return {**models, **_server(first, serving, threads), **named}


def _own(it: Candidate, serving: FileServing, threads: int | None) -> dict[str, Any]:
    return {**_server(it, serving, threads), **_tables(it)}


def _server(it: Candidate, serving: FileServing, threads: int | None) -> dict[str, Any]:
    """Return the keys for the server of a model."""
    if it.from_files:
        return {**serving.settings, **({"threads": threads} if threads else {})}
    config: dict[str, Any] = {"provider": it.provider}
    traits = PROVIDERS[it.provider]  # without an address, some start their own server
    if it.base_url != traits.default_url or traits.starts_server(None) or traits.needs_url:
        config["base_url"] = it.base_url
    if remote_host(it.base_url):
        config["allow_remote"] = True
    return config


def _tables(it: Candidate) -> dict[str, dict[str, str]]:
    """Return the files or tags of a model by quant, and the digests that its server tells."""
    served = {tag: it.served_as(model) for tag, model in it.quants.items()}
    if it.from_files:
        return {"artifacts": served}
    digests = {tag: model.digest for tag, model in it.quants.items() if model.digest}
    return {"tags": served, **({"artifact_digest": digests} if digests else {})}


def _limits(tiny: bool, on_gpu: bool) -> dict[str, float]:
    if tiny:
        return {
            "canary_latency_variance_threshold": 0.5,
            "row_max_orchestration_overhead_ratio": 0.9,
        }
    return {} if on_gpu else {"canary_latency_variance_threshold": 0.1}


_PINNED = "as of now; the sweep refuses another digest"
_BUSY = "a busy machine costs only the speeds; `stop` measures nothing on one"
_COMMENTS: dict[bool, dict[str, str]] = {
    False: {
        "artifact_digest": _PINNED,
        "task_tiers": "the easiest; so small a model can do few others",
        "until": "tasks are asked until the verdicts are clear; null = all tasks",
        "budget": "for loading and asking, at most; null = as long as it takes",
        "execution_lane": "speeds are compared; use `ci` on a machine that also runs other work",
        "canary_on_latency": _BUSY,
        "canary_latency_variance_threshold": "latencies on a CPU vary by 5 % or more",
    },
    True: {
        "artifact_digest": _PINNED,
        "task_tiers": "the easiest; so small a model can do few others",
        "threads": "with so small a model, more threads would wait for each other",
        "execution_lane": "only answers are compared; this model is too small for speeds",
        "canary_on_latency": _BUSY,
        "canary_latency_variance_threshold": "short latencies vary more",
        "row_max_orchestration_overhead_ratio": "HTTP takes as long as so small a model",
    },
}


def _is_small(model: SeenModel) -> bool:
    return model.parameters is not None and model.parameters < _SMALL_MODEL


def _profile_index(fits: str) -> int:
    """Return the index of a VRAM profile; if unknown, that of the most careful one."""
    return _PROFILES.index(fits) if fits in _PROFILES else 0


def _why(chosen: Sequence[Candidate], serving: FileServing) -> str:
    servers: dict[str, list[Candidate]] = {}
    for it in chosen:
        served = f"on the {it.provider} server at {it.base_url}"
        servers.setdefault(f"from files, {serving}" if it.from_files else served, []).append(it)
    alone = len(chosen) == 1 and len(chosen[0].quants) == 1
    note = ", which has nothing to be compared with" if alone else ""
    return "; ".join(f"{_names(of)}{note}, {served}" for served, of in servers.items())


def _names(models: Sequence[Candidate]) -> str:
    counts = {len(it.quants) for it in models}
    if len(counts) > 1:
        return listed([f"{it.name} in {_count(len(it.quants))}" for it in models])
    names = "the reference model" if models[0].is_reference else listed([it.name for it in models])
    return f"{names} in {_count(counts.pop())}"


def _count(quants: int) -> str:
    return f"{quants} quants" if quants > 1 else "one quant"
