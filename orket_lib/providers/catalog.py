"""What a server has on offer, asked of it in its own way, in a few short calls.

Nothing is loaded by asking. It is for the checks before a sweep: what is really served, a provider
reads back itself when it serves it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from orket_lib.artifacts.printed.offers import OfferedModel, Offering
from orket_lib.providers.gguf.memory_estimate import ModelShape, shape_of
from orket_lib.providers.llama_cpp.client import LlamaClient
from orket_lib.providers.lmstudio.client import LmStudioClient
from orket_lib.providers.lmstudio.models import Listed
from orket_lib.providers.ollama.client import OllamaClient
from orket_lib.providers.ollama.models import Offer, find_loaded, full_name, is_cloud
from orket_lib.providers.openai.client import OpenAiClient
from orket_lib.providers.wire.json_fields import count, section, text
from orket_lib.vocabulary.quants import normalize_tag, tag_of_ftype


@dataclass(frozen=True)
class Asked:
    """What a server said.

    Attributes:
        offering: Its models.
        shapes: What of a model its KV cache depends on, by its name, where the server tells.
    """

    offering: Offering
    shapes: dict[str, ModelShape] = field(default_factory=dict)


def ask(
    provider: str, base_url: str, api_key: str | None = None, closely: Collection[str] | None = None
) -> Asked:
    """Return what a server has on offer.

    Args:
        provider: Whose language it speaks.
        base_url: Of the server.
        api_key: For it; `${ENV:NAME}` is looked up.
        closely: Models that are asked about one by one, where that tells more; None means all. One
            that has several names is given under the one that stands here.

    Raises:
        ProviderError: It is not there, is silent, or answers with an error or something else.
    """
    if provider == "ollama":
        with closing(OllamaClient(base_url, api_key)) as client:
            return _ask_ollama(client, closely)
    if provider == "lmstudio":
        with closing(LmStudioClient(base_url, api_key)) as lmstudio:
            return Asked(_ask_lmstudio(lmstudio))
    if provider == "llama_server":
        with closing(LlamaClient(base_url, api_key)) as llama:
            return Asked(_ask_llama_server(llama, closely or ()))
    with closing(OpenAiClient(base_url, api_key)) as openai:
        return Asked(_ask_openai(openai))


def find(asked: Asked, name: str, provider: str) -> OfferedModel | None:
    """Return the model that a config names, or None when it is not on offer."""
    spelled = full_name if provider == "ollama" else str
    named = (model for model in asked.offering.models if spelled(model.name) == spelled(name))
    return next(named, None)


def _ask_ollama(client: OllamaClient, closely: Collection[str] | None) -> Asked:
    build, offers, loaded = client.version(), client.offers(), client.loaded()
    wanted = None if closely is None else set(map(full_name, closely))
    models: list[OfferedModel] = []
    shapes: dict[str, ModelShape] = {}
    for offer in filter(lambda offer: offer.name, offers):
        model = _of_ollama(offer, find_loaded(loaded, offer.name, offer.digest) is not None)
        if model.remote is None and (wanted is None or full_name(offer.name) in wanted):
            details = client.details(offer.name)
            shape = shape_of(details.metadata)
            shapes |= {offer.name: shape} if shape else {}
            seen = {
                "n_ctx": shape.n_ctx if shape else None,
                "parameters": count(details.metadata, "general.parameter_count"),
                "chats": not details.capabilities or "completion" in details.capabilities,
            }
            model = model.model_copy(update=seen)
        models.append(model)
    return Asked(Offering(build=build, models=tuple(models)), shapes)


def _of_ollama(offer: Offer, loaded: bool) -> OfferedModel:
    cloud = "somebody else" if is_cloud(offer.name) else None
    return OfferedModel(
        name=offer.name,
        quant_tag=offer.quant_tag,
        bytes=offer.bytes,
        digest=offer.digest,
        loaded=loaded,
        remote=offer.remote_host or cloud,
    )


def _ask_lmstudio(client: LmStudioClient) -> Offering:
    listed, _ = client.models()
    return Offering(models=tuple(model for item in listed for model in _of_lmstudio(item)))


def _of_lmstudio(item: Listed) -> Iterator[OfferedModel]:
    """Yield each of the variants that a model's name stands for, and the name itself."""
    values = {"n_ctx": item.most_ctx, "chats": item.chats}
    for variant in item.variants:
        if variant != item.key:
            _, at, quant = variant.rpartition("@")
            tag = normalize_tag(quant) if at else None
            # Its size is told of the variant only that the name stands for at the moment.
            size = item.bytes if tag == item.quant_tag else None
            yield OfferedModel(name=variant, quant_tag=tag, bytes=size, **values)
    yield OfferedModel(
        name=item.key,
        quant_tag=item.quant_tag,
        bytes=item.bytes,
        loaded=bool(item.instances),
        **values,
    )


def _ask_llama_server(client: LlamaClient, wanted: Collection[str]) -> Offering:
    props = client.props()
    return Offering(
        build=text(props, "build_info"),
        models=tuple(
            OfferedModel(
                name=name,
                quant_tag=tag_of_ftype(text(props, "model_ftype")),
                bytes=count(section(item, "meta"), "size"),
                n_ctx=count(section(props, "default_generation_settings"), "n_ctx"),
                parameters=count(section(item, "meta"), "n_params"),
                loaded=True,
            )
            for item in client.models()
            if (name := _name_of(item, wanted))
        ),
    )


def _name_of(item: Mapping[str, Any], wanted: Collection[str]) -> str | None:
    """Return what to call a model of a llama.cpp server: by an alias, where that is asked for."""
    aliases = item.get("aliases")
    named = (alias for alias in (aliases if isinstance(aliases, list) else ()) if alias in wanted)
    return next(named, text(item, "id"))


def _ask_openai(client: OpenAiClient) -> Offering:
    return Offering(
        models=tuple(
            OfferedModel(name=name, n_ctx=count(card, "max_model_len"), loaded=True)
            for name, card in client.models().items()
        )
    )
