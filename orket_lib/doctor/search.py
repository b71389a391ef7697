"""Looking for what was named, or for anything that can be swept, and suggesting a config for it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orket_lib.artifacts.printed.doctor import SeenModel, SeenServer, UnusableModel
from orket_lib.doctor.cpu_only import cpu_only
from orket_lib.doctor.file_serving import FileServing, find_file_serving
from orket_lib.doctor.models import NO_ANSWER, look_at_files, look_at_servers
from orket_lib.doctor.places import usual_places
from orket_lib.doctor.suggested import LeftOut, Suggestion
from orket_lib.doctor.suggestion import suggest
from orket_lib.doctor.targets import Target
from orket_lib.preflight.memory import free_gpu_memory, free_main_memory
from orket_lib.telemetry.devices.opening import open_devices
from orket_lib.vocabulary.errors import ConfigError, Refused
from orket_lib.vocabulary.providers import PROVIDERS, default_urls, remote_host
from orket_lib.vocabulary.quants import normalize_tag

PATIENCE_S = 2.0  # for a server's list of models
_PATIENCE_IF_NAMED_S = 10.0
N_CTX = 4096


@dataclass(frozen=True)
class Wanted:
    """What to look for, and how it may be served.

    Attributes:
        targets: What was named; nothing means anything that is here.
        settings: Of the command line; those of a server and `n_ctx` count.
        server: A llama-server for files.
        cpu: Serve files on the CPU, whatever else there is.
    """

    targets: Sequence[Target] = ()
    settings: Mapping[str, Any] | None = None
    server: str | None = None
    cpu: bool = False

    def setting(self, key: str) -> Any:
        """Return a setting, or None."""
        return (self.settings or {}).get(key)

    @property
    def n_ctx(self) -> int:
        """The context to estimate memory for."""
        given = self.setting("n_ctx")
        return given if isinstance(given, int) else N_CTX


def propose(wanted: Wanted) -> Suggestion:
    """Return the config to run.

    Raises:
        ConfigError: An address or program can't be used.
        Refused: There is nothing to sweep, or not without `--cpu`.
    """
    targets = wanted.targets
    servers = tuple(_servers(wanted))
    places = [target.place for target in targets if target.place]
    places = places or ([] if targets else list(usual_places(os.environ)))
    serving = find_file_serving(wanted.server, wanted.cpu) if places or wanted.server else None
    if serving is None and targets and places:
        raise Refused("nothing here serves files; type: pip install xllamacpp, or name a --server")
    free = serving.free if serving else free_main_memory()
    files, unusable = look_at_files(places, free, wanted.n_ctx)
    suggestion = suggest_on_gpu(wanted, servers, files, unusable, serving)
    if suggestion is None:
        raise Refused("no model was found that can be measured here; type: orket doctor")
    return suggestion


def suggest_on_gpu(
    wanted: Wanted,
    servers: Sequence[SeenServer],
    files: Sequence[SeenModel],
    unusable: Sequence[UnusableModel],
    serving: FileServing | None,
) -> Suggestion | None:
    """Return the config for what was found; None if there is nothing to sweep.

    On a machine with a GPU, files that would be served on its CPU are left out. If nothing else is
    left, or they were named, this needs `--cpu`.

    Args:
        wanted: What to look for.
        servers: Servers that were asked.
        files: Model files.
        unusable: Files that are no models.
        serving: What serves files; None if nothing can.

    Raises:
        Refused: Not without `--cpu`; with each way out.
    """
    with open_devices("any") as found:
        cards = [device.info for device in found.devices]

    def suggested(files: Sequence[SeenModel]) -> Suggestion | None:
        arguments = (wanted.n_ctx, bool(cards), serving, wanted.targets, unusable)
        return suggest(servers, files, *arguments)

    whole = suggested(files)
    on_cpu = serving is not None and serving.gpus == () and bool(cards) and not wanted.cpu
    if whole is None or not whole.files or not on_cpu:
        return whole
    others = None if wanted.targets else suggested(())
    if others is None:
        raise Refused(cpu_only(cards, whole.files, [it.typed for it in wanted.targets]))
    reason = "its files would run on the CPU only; to see the ways out, name it"
    left_out = (*others.left_out, *(LeftOut(name, reason) for name in whole.files))
    return replace(others, left_out=left_out)


def _servers(wanted: Wanted) -> Iterator[SeenServer]:
    """Yield the servers that were named, or those that may be here.

    Raises:
        ConfigError: One is another machine.
        Refused: One doesn't answer.
    """
    named = {it.provider for it in wanted.targets if it.provider}
    urls = {
        name: str(wanted.setting("base_url") or url) if name in named else url
        for name, url in default_urls().items()
        if name in named or not wanted.targets
    }
    for server in _look(wanted, urls):
        if named and not server.answers:
            start = PROVIDERS[server.provider].start
            raise Refused(
                f"{server.provider} at {server.base_url}: {server.detail}; to start it, type: "
                f"{start}; if it is elsewhere, add --config base_url=http://HOST:PORT"
            )
        yield server
    for target in wanted.targets:
        if target.url:
            yield _of_some_kind(wanted, target.url)


def _of_some_kind(wanted: Wanted, url: str) -> SeenServer:
    """Return the server at an address, as the first kind that it can be.

    Raises:
        ConfigError: It is another machine.
        Refused: Nothing answers, or nothing that is known.
    """
    seen = _look(wanted, dict.fromkeys(default_urls(), url))
    answering = [server for server in seen if server.answers]
    if answering:  # LM Studio answers every route, but lists models only on its own
        return next((server for server in answering if server.models), answering[0])
    details = {server.detail for server in seen}
    if len(details) == 1 or NO_ANSWER in details:
        detail = NO_ANSWER if NO_ANSWER in details else details.pop()
        raise Refused(f"{url}: {detail}; start the server, or name where it is")
    raise Refused(
        f"{url}: something answers there, and no server of a kind that is known "
        f"({', '.join(default_urls())}); another program may use its port"
    )


def _look(wanted: Wanted, urls: Mapping[str, str]) -> tuple[SeenServer, ...]:
    far = {url for url in urls.values() if remote_host(url)}
    if far and not wanted.setting("allow_remote"):
        raise ConfigError(
            [f"{url}: another machine; to allow it, add --config allow_remote=true" for url in far]
        )
    keys = dict.fromkeys(urls, wanted.setting("api_key"))
    patience_s = _PATIENCE_IF_NAMED_S if wanted.targets else PATIENCE_S
    seen = look_at_servers(urls, keys, free_gpu_memory(None), wanted.n_ctx, patience_s)
    return tuple(_with_quant(server, wanted.setting("quants")) for server in seen)


def _with_quant(server: SeenServer, quants: str | Sequence[str] | None) -> SeenServer:
    """Return a server with the one quant that was named, where it doesn't tell any."""
    names = [quants] if isinstance(quants, str) else list(quants or ())
    if len(names) != 1:
        return server
    tag = normalize_tag(names[0])
    models = tuple(
        model if model.quant_tag else model.model_copy(update={"quant_tag": tag})
        for model in server.models
    )
    return server.model_copy(update={"models": models})
