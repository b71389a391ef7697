"""The server of a sweep: it answers, and it serves every tag on its own machine."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Collection, Iterator
from urllib.parse import urlsplit

from orket_lib.artifacts.printed.offers import OfferedModel, Offering
from orket_lib.artifacts.views.preflight import NeededModel, PreflightCheck, ServerNeeds
from orket_lib.preflight.memory import ModelSize
from orket_lib.processes.time_limit import within
from orket_lib.providers.catalog import Catalog
from orket_lib.providers.registry import provider_for, read_catalog
from orket_lib.vocabulary.errors import Fault, ProviderError, RequestFailed
from orket_lib.vocabulary.providers import PROVIDERS, typed
from orket_lib.vocabulary.quants import can_be
from orket_lib.vocabulary.units import counted

_MOST_LISTED = 8
_POLL_S = 0.5


def check_server(
    needs: ServerNeeds, patience_s: float
) -> tuple[list[PreflightCheck], list[ModelSize]]:
    """Return the checks of a server and its tags, and the size of each model.

    Args:
        needs: Of the sweep.
        patience_s: Time limit for the answer.
    """
    place, provider = needs.place, needs.provider
    url = place.base_url or str(PROVIDERS[provider].default_url)
    name = f"{provider} at {url}"
    tags = {model.tag for model in needs.models if model.tag}
    provider_for(provider)  # its import must not count towards the patience
    try:
        catalog = _when_loaded(patience_s, lambda: read_catalog(provider, url, place.api_key, tags))
    except (ProviderError, TimeoutError) as error:
        return [_unreachable(name, needs, error)], []
    offering = catalog.offering
    build = f"version {offering.build}, " if offering.build else ""
    detail = f"{build}{counted(len(offering.models), 'model')} on offer"
    checks = [PreflightCheck(name=name, ok=True, detail=detail)]
    checks += _tag_checks(needs, catalog)
    return [*checks, *_loaded(needs, offering)], list(_sizes(catalog, tags))


def _when_loaded(patience_s: float, read: Callable[[], Catalog]) -> Catalog:
    """Return what a server offers; it is asked again while it is still loading a model."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return within(patience_s, read)
        except RequestFailed as error:
            if error.fault is not Fault.LOADING or time.monotonic() > deadline:
                raise
        time.sleep(_POLL_S)


def _sizes(catalog: Catalog, tags: Collection[str]) -> Iterator[ModelSize]:
    """Yield the size of each tag that is stored on the server."""
    for tag in sorted(tags):
        found = catalog.find(tag)
        if found is not None and found.bytes is not None and found.remote is None:
            yield ModelSize(tag, found.bytes, catalog.shapes.get(found.name))


def _unreachable(name: str, needs: ServerNeeds, error: Exception) -> PreflightCheck:
    refused = isinstance(error, RequestFailed) and error.fault is Fault.REFUSED
    return PreflightCheck(
        name=name,
        ok=False,
        detail="connection refused" if refused else str(error),
        remedy=_start_line(needs) if refused and needs.place.remote is None else None,
    )


def _start_line(needs: ServerNeeds) -> str | None:
    """Return the command that starts the server."""
    file, tag = next(((it.file, it.tag) for it in needs.models), (None, None))
    start = PROVIDERS[needs.provider].start
    return start and start.format(
        file=shlex.quote(file or "MODEL.gguf"),
        tag=typed(tag or "MODEL"),
        alias=f" --alias {shlex.quote(tag)}" if tag else "",
        port=urlsplit(needs.place.base_url or "").port or 80,
    )


def _tag_checks(needs: ServerNeeds, catalog: Catalog) -> list[PreflightCheck]:
    """Return the check of each tag; a tag that is there and unusable costs only its own cells."""
    checks: list[PreflightCheck] = []
    unusable: list[int] = []
    for model in needs.models:
        found = catalog.find(model.tag) if model.tag else None
        problem = found and _problem(model, found)
        if problem:
            unusable.append(len(checks))
            checks.append(PreflightCheck(name=str(model.tag), ok=False, detail=problem))
        elif model.tag:
            checks.append(_tag_check(model, found, catalog, needs.provider))
    if any(check.ok for check in checks):
        for index in unusable:
            checks[index] = checks[index].of_one_model()
    return checks


def _tag_check(
    model: NeededModel, found: OfferedModel | None, catalog: Catalog, provider: str
) -> PreflightCheck:
    tag = model.tag or ""
    if found is None:
        detail = f"not found; on offer: {_listed(catalog.offering)}"
        return PreflightCheck(name=tag, ok=False, detail=detail, remedy=_get_line(provider, model))
    if found.quant_tag and can_be(model.quant_tag, found.quant_tag) is False:
        detail = f"the server says {found.quant_tag}, asked for {model.quant_tag}: invalid rows"
        return PreflightCheck(name=tag, ok=True, warning=True, detail=detail)
    digest = f", digest {found.digest[:12]}" if found.digest else ""
    return PreflightCheck(name=tag, ok=True, detail=f"{found.quant_tag or 'there'}{digest}")


def _listed(offering: Offering) -> str:
    names = [item.name for item in offering.models]
    more = ", ..." if len(names) > _MOST_LISTED else ""
    return f"{', '.join(names[:_MOST_LISTED])}{more}" if names else "nothing"


def _problem(model: NeededModel, found: OfferedModel) -> str | None:
    """Return why a tag can't be measured, or None."""
    if found.remote is not None:
        return f"a cloud model: {found.remote} serves it, not this machine"
    if not found.chats:
        return "an embedding model: it can't chat"
    if model.pin and found.digest and not found.digest.startswith(model.pin):
        return f"its digest is {found.digest}, artifact_digest requires {model.pin}"
    return None


def _get_line(provider: str, model: NeededModel) -> str | None:
    """Return the command that downloads a tag, if there is one."""
    name, _, variant = (model.tag or "").partition("@")
    pull = PROVIDERS[provider].pull
    return pull and pull.format(
        tag=typed(model.tag or ""),
        name=typed(name),
        variant=shlex.quote(variant or model.quant_tag.lower()),
    )


def _loaded(needs: ServerNeeds, offering: Offering) -> Iterator[PreflightCheck]:
    """Yield a warning for each model that is already loaded, because a run stops at it."""
    traits = PROVIDERS[needs.provider]
    if not traits.loads_models or needs.place.exclusive:
        return
    for item in offering.models:
        if item.loaded:
            yield PreflightCheck(
                name=item.name,
                ok=True,
                warning=True,
                detail="already loaded, and not by this sweep; the sweep stops unless you unload "
                "it or set exclusive: true",
                remedy=traits.unload and traits.unload.format(tag=typed(item.name)),
            )
