"""The models among what was found, each with its quants, and why the rest is none of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from orket_lib.artifacts.printed.doctor import SeenModel, SeenServer
from orket_lib.doctor.names import model_of, quant_of, same_name
from orket_lib.doctor.places import Place
from orket_lib.doctor.suggested import LeftOut
from orket_lib.doctor.targets import Target
from orket_lib.tasks.shipped_banks import REFERENCE_MODEL
from orket_lib.vocabulary.providers import PROVIDERS
from orket_lib.vocabulary.quants import nominal_bits
from orket_lib.vocabulary.units import MIB_PER_GIB


@dataclass(frozen=True)
class Candidate:
    """One model in its available quants, most bits first.

    Attributes:
        provider: Of its server; empty for files.
        base_url: Of its server; None for files.
        name: Of the model.
        quants: By tag.
    """

    provider: str
    base_url: str | None
    name: str
    quants: dict[str, SeenModel]

    @property
    def from_files(self) -> bool:
        """Whether it is files, which a sweep has to serve itself."""
        return self.base_url is None

    @property
    def is_reference(self) -> bool:
        """Whether it is the reference model, from its files."""
        return self.from_files and self.name == REFERENCE_MODEL

    def served_as(self, model: SeenModel) -> str:
        """Return the file or tag of one of its quants."""
        return (model.path if self.from_files else None) or model.name

    @property
    def server(self) -> tuple[str, str | None]:
        """What serves it."""
        return self.provider, self.base_url

    @property
    def content(self) -> frozenset[tuple[str, int | None]]:
        """Quants and sizes, by which a second copy of a model is known; empty if unknown."""
        sizes = frozenset((tag, model.bytes) for tag, model in self.quants.items())
        return frozenset() if any(size is None for _, size in sizes) else sizes

    def belongs_to(self, target: Target) -> bool:
        """Tell whether a target names it."""
        if target.place:
            return any(_is_in(target.place, model) for model in self.quants.values())
        if target.url:
            return self.base_url == target.url
        if self.provider != target.provider:
            return False
        names = [self.name, *(model.name for model in self.quants.values())]
        wanted = same_name(target.name)
        return (
            not wanted
            or any(same_name(it) in (wanted, f"{wanted}:latest") for it in names)
            or (same_name(self.name.partition(":")[0]) == wanted)
        )


def _is_in(place: Place, model: SeenModel) -> bool:
    return model.place == place.label or Path(model.name).is_relative_to(place.label)


def find_candidates(
    servers: Sequence[SeenServer], files: Sequence[SeenModel]
) -> tuple[list[Candidate], list[LeftOut]]:
    """Return the models that can be measured: those of servers first, in the order of providers.

    Args:
        servers: Servers that were asked.
        files: Model files that can be served.
    """
    candidates: list[Candidate] = []
    left_out: list[LeftOut] = []
    order = list(PROVIDERS)
    for server in sorted(servers, key=lambda it: order.index(it.provider)):
        named = ((model.name, model) for model in server.models if server.answers)
        for name, quants in _grouped(named, left_out):
            candidates.append(Candidate(server.provider, server.base_url, name, quants))
    for path, quants in _grouped(((model.within, model) for model in files), left_out):
        candidates.append(Candidate("", None, PurePosixPath(path).name, quants))
    return candidates, left_out


def _grouped(
    models: Iterable[tuple[str, SeenModel]], left_out: list[LeftOut]
) -> list[tuple[str, dict[str, SeenModel]]]:
    """Return the models that can be measured, by name without quant; add the others to a list."""
    names: dict[str, str] = {}
    groups: dict[str, dict[str, SeenModel]] = defaultdict(dict)
    for name, model in models:
        quant = quant_of(name, model.quant_tag)
        reason = _why_not(model, quant)
        if reason is None:
            shared = model_of(name, str(quant))
            group = groups[names.setdefault(same_name(shared), shared)]
            taken = group.setdefault(str(quant), model)
            reason = None if taken is model else f"the same quant as {taken.name}"
        if reason:
            left_out.append(LeftOut(model.name, reason))
    return [(name, _most_bits_first(groups[name])) for name in sorted(groups)]


def _why_not(model: SeenModel, quant: str | None) -> str | None:
    """Return why a model can't be measured here; None if it can."""
    if model.remote is not None:
        return f"a cloud model: {model.remote} serves it, not this machine"
    if not model.chats:
        return "an embedding model or a reranker, which doesn't chat"
    if quant is None:
        return "its quant is unknown; if you know it, add --config quants=[TAG]"
    if nominal_bits(quant) is None:
        return f"{quant} is no quant that is known here; it needs a config with quant_bits"
    if model.fits == "no":
        size = (model.takes_mib or 0) / MIB_PER_GIB
        return (
            f"too large: it takes about {size:.1f} GiB, more than is free; a smaller quant may "
            "fit, or a smaller context: --config n_ctx=2048"
        )
    return None


def _most_bits_first(quants: Mapping[str, SeenModel]) -> dict[str, SeenModel]:
    return dict(sorted(quants.items(), key=lambda item: -(nominal_bits(item[0]) or 0)))
