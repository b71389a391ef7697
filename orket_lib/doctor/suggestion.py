"""Suggesting a config for the models that were found.

Your own models are preferred to the reference model, and of these the one with the most quants,
which can be compared. Quants belong to one model if their names say so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from orket_lib.artifacts.printed.doctor import SeenModel, SeenServer
from orket_lib.doctor.names import model_of, quant_of, same_name
from orket_lib.vocabulary.banks import (
    GENERAL_BANK,
    REFERENCE_BANK,
    REFERENCE_MODEL,
    bank_file,
)
from orket_lib.vocabulary.providers import PROVIDERS, remote_host
from orket_lib.vocabulary.quants import nominal_bits
from orket_lib.vocabulary.statuses import VramProfile
from orket_lib.vocabulary.units import MIB

_TINY_MIB = 100  # smaller models decode so fast that noise dominates their speed
_FILES = "embedded"  # provider that a suggestion for files names
_PROFILES = tuple(profile.value for profile in VramProfile)


@dataclass(frozen=True)
class Suggestion:
    """A config with explanations.

    Attributes:
        why: Which model was chosen.
        config: Keys and values, in reading order.
        comments: Explanations of values, by key.
    """

    why: str
    config: dict[str, Any]
    comments: dict[str, str]


@dataclass(frozen=True)
class _Candidate:
    """One model in its available quants, most bits first."""

    provider: str
    base_url: str | None
    name: str
    quants: dict[str, SeenModel]

    @property
    def worth(self) -> tuple[bool, int]:
        """Sort key: not the reference model, number of quants."""
        return not self.is_reference, len(self.quants)

    @property
    def is_reference(self) -> bool:
        """Whether it is the reference model, from its files."""
        return self.provider == _FILES and self.name == REFERENCE_MODEL


def suggest(
    servers: Sequence[SeenServer], files: Sequence[SeenModel], n_ctx: int, has_gpu: bool
) -> Suggestion | None:
    """Return a config for the best model found; None if there is none.

    Args:
        servers: Servers that were asked.
        files: Those that can be served on the CPU; none if the runtime is missing.
        n_ctx: Context for which memory needs were estimated.
        has_gpu: Whether this machine has a GPU.
    """
    candidates = [*_on_servers(servers), *_in_files(files)]
    if not candidates:
        return None
    best = max(candidates, key=lambda candidate: candidate.worth)  # the first of equals
    return _config(best, n_ctx, has_gpu)


def _on_servers(servers: Sequence[SeenServer]) -> Iterator[_Candidate]:
    for provider, traits in PROVIDERS.items():
        for server in servers if traits.reports_quant else ():
            if server.provider == provider and server.answers:
                for name, quants in _grouped((model.name, model) for model in server.models):
                    yield _Candidate(provider, server.base_url, name, quants)


def _in_files(files: Sequence[SeenModel]) -> Iterator[_Candidate]:
    for path, quants in _grouped((model.within, model) for model in files):
        yield _Candidate(_FILES, None, PurePosixPath(path).name, quants)


def _grouped(
    models: Iterable[tuple[str, SeenModel]],
) -> list[tuple[str, dict[str, SeenModel]]]:
    """Return the models that can be measured, by name without quant."""
    names: dict[str, str] = {}
    groups: dict[str, dict[str, SeenModel]] = defaultdict(dict)
    for name, model in models:
        quant = quant_of(name, model.quant_tag)
        if _measurable(model, quant):
            shared = model_of(name, str(quant))
            first = names.setdefault(same_name(shared), shared)
            groups[first].setdefault(str(quant), model)
    return [(name, _most_bits_first(groups[name])) for name in sorted(groups)]


def _measurable(model: SeenModel, quant: str | None) -> bool:
    """Tell whether a model can be put into a config, and fits."""
    known = quant is not None and nominal_bits(quant) is not None
    return known and model.chats and model.remote is None and model.fits != "no"


def _most_bits_first(quants: Mapping[str, SeenModel]) -> dict[str, SeenModel]:
    return dict(sorted(quants.items(), key=lambda item: -(nominal_bits(item[0]) or 0)))


def _config(best: _Candidate, n_ctx: int, has_gpu: bool) -> Suggestion:
    models = list(best.quants.values())
    tiny = all(model.bytes is not None and model.bytes < _TINY_MIB * MIB for model in models)
    config = {
        **_matrix(best),
        "task_bank": bank_file(REFERENCE_BANK if best.is_reference else GENERAL_BANK),
        **({} if tiny else {"task_limit": 50}),
        "runs_per_quant": 2,
        "n_ctx": min([n_ctx, *(model.n_ctx for model in models if model.n_ctx)]),
        "max_output_tokens": 96 if tiny else 256,
        "seed": 7,
        **({"threads": 1} if tiny and best.provider == _FILES else {}),
        "execution_lane": "ci" if tiny else "lab",
        "vram_profile": _PROFILES[max(_profile_index(model.fits) for model in models)],
        **_limits(tiny, has_gpu),
    }
    comments = {key: text for key, text in _COMMENTS[tiny].items() if key in config}
    return Suggestion(_why(best), config, comments)


def _matrix(best: _Candidate) -> dict[str, Any]:
    """Return the keys for models, quants and serving."""
    files = best.base_url is None
    named = {quant: (files and model.path) or model.name for quant, model in best.quants.items()}
    config: dict[str, Any] = {
        "models": [best.name],
        "quants": list(best.quants),
        "provider": best.provider,
    }
    if files:
        return {**config, "artifacts": {best.name: named}}
    traits = PROVIDERS[best.provider]  # without an address, some start their own server
    if best.base_url != traits.default_url or traits.starts_server(None):
        config["base_url"] = best.base_url
    if remote_host(best.base_url):
        config["allow_remote"] = True
    config["tags"] = {best.name: named}
    digests = {quant: model.digest for quant, model in best.quants.items() if model.digest}
    return {**config, "artifact_digest": {best.name: digests}} if digests else config


def _limits(tiny: bool, has_gpu: bool) -> dict[str, float]:
    if tiny:
        return {
            "canary_latency_variance_threshold": 0.5,
            "row_max_orchestration_overhead_ratio": 0.9,
        }
    return {} if has_gpu else {"canary_latency_variance_threshold": 0.1}


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


def _why(best: _Candidate) -> str:
    count = f"{len(best.quants)} quants" if len(best.quants) > 1 else "one quant"
    if best.provider != _FILES:
        return f"{best.name} in {count}, on the {best.provider} server at {best.base_url}"
    own = "the reference model" if best.is_reference else best.name
    return f"{own} in {count}, from files, on the CPU"
