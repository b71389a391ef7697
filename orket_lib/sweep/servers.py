"""The servers of a sweep that the harness doesn't start: asked again whenever a sweep is loaded.

A measurement is current only if the server still says the same of itself. What it said last is kept
in `storage/servers.json`, so that results can be shown while it is down; it is then said that it
was not asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from orket_lib.artifacts.io import read_json, write_json
from orket_lib.artifacts.measurements.spec import ServerIdentity
from orket_lib.config.model import SweepConfig
from orket_lib.config.model_files import ModelRef
from orket_lib.providers.identity import read_identities
from orket_lib.providers.server_process import process_at
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.providers import same_server
from orket_lib.vocabulary.text import listed

SERVERS = Path("storage/servers.json")

Pair = tuple[str, str]


@dataclass
class KnownServers:
    """What servers said when they were asked last, kept in one JSON file.

    Attributes:
        path: Of the file.
        ask: Whether servers are asked; else only what is known counts, as in a job of a sweep that
            has asked already.
    """

    path: Path = SERVERS
    ask: bool = True
    _said: dict[str, dict[str, object]] = field(init=False)
    _changed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        try:
            content = read_json(self.path)
        except ArtifactError:  # missing or damaged: servers are asked again
            content = {}
        entries = content.items() if isinstance(content, dict) else ()
        self._said = {key: entry for key, entry in entries if isinstance(entry, dict)}

    def identity(self, key: str) -> ServerIdentity | None:
        """Return what a server said of a model; None if it never was asked."""
        try:
            return ServerIdentity.model_validate(self._said.get(key, {}).get("said"))
        except ValueError:
            return None

    def process(self, key: str) -> object:
        """Return which process it was; None if that was not visible."""
        return self._said.get(key, {}).get("process")

    def keep(self, key: str, said: ServerIdentity, process: str | None) -> None:
        """Remember what a server says."""
        entry: dict[str, object] = {"said": said.model_dump(mode="json"), "process": process}
        self._changed |= self._said.get(key) != entry
        self._said[key] = entry

    def save(self) -> None:
        """Write what is new."""
        if self._changed:
            write_json(self.path, self._said)
            self._changed = False


def identities(
    config: SweepConfig, models: Mapping[Pair, ModelRef], known: KnownServers, machine: str
) -> tuple[dict[Pair, ServerIdentity], list[str]]:
    """Return the identity of each cell's server, and warnings.

    Without those that the harness starts, and those of another machine's jobs.

    Args:
        config: The config.
        models: Of the cells.
        known: What the servers said before; updated.
        machine: Fingerprint of this machine.
    """
    found: dict[Pair, ServerIdentity] = {}
    warnings: list[str] = []
    for _, view in config.views:
        own = {pair: ref for pair, ref in models.items() if pair[0] in view.models}
        if not view.traits.starts_server(view.base_url) and config.machine in (None, machine):
            said, changed = _identities(view, own, known)
            found |= said
            warnings += changed
    return found, list(dict.fromkeys(warnings))


def _identities(
    config: SweepConfig, models: Mapping[Pair, ModelRef], known: KnownServers
) -> tuple[dict[Pair, ServerIdentity], list[str]]:
    """Return what one server says of its models."""
    address = str(same_server(config.base_url or config.traits.default_url))
    tags = list(dict.fromkeys(ref.tag for ref in models.values()))
    now = (
        read_identities(config.provider, config.base_url, config.api_key, tags) if known.ask else {}
    )
    process = _process(address) if now else None
    found, warnings = {}, []
    silent: dict[bool, list[str]] = {}  # models that were not asked, by whether they once were
    for tag in tags:
        key = f"{config.provider} {address} {tag or ''}"
        before = known.identity(key)
        said = now.get(tag)
        found[tag] = _settled(before, said) or ServerIdentity(address=address)
        if said is None and known.ask:
            silent.setdefault(before is not None, []).append(tag or "one model")
        elif said is not None:
            warnings += _changes(address, tag, before, said, known.process(key), process)
            known.keep(key, found[tag], process)
    warnings += [_not_asked(address, names, before) for before, names in silent.items()]
    return {pair: found[ref.tag] for pair, ref in models.items()}, warnings


def _settled(before: ServerIdentity | None, said: ServerIdentity | None) -> ServerIdentity | None:
    """Return the earlier statement unless the new one contradicts it."""
    if before is None or said is None:
        return before or said
    return said if before.differences(said) else before


def _not_asked(address: str, names: Sequence[str], before: bool) -> str:
    what = f"the server at {address} does not answer, or does not offer {listed(names, 10)}"
    if before:
        return f"{what}: what was measured is shown as current without having asked it"
    return f"{what}: nothing can be measured or shown as current"


def _changes(
    address: str,
    tag: str | None,
    before: ServerIdentity | None,
    said: ServerIdentity,
    process_before: object,
    process: str | None,
) -> list[str]:
    """Return what is different about a server since it was asked last."""
    if before is None:
        return []
    different = before.differences(said)
    name = f"{tag} at {address}" if tag else address
    if different:
        return [
            f"{name} is not what it was: {'; '.join(different)}; it counts as another server, and "
            "is measured for itself"
        ]
    weak = said.digest is None and said.bytes is None
    if weak and process and process_before and process != process_before:
        return [
            f"{name} was restarted since it was asked last, and says nothing by which its model "
            "could be distinguished from another; to measure it again: snakemake -R measure_cell"
        ]
    return []


def _process(address: str) -> str | None:
    """Return which process serves an address, where that is visible."""
    found = process_at(address)
    try:
        return f"{found.pid} {found.create_time():.0f}" if found else None
    except psutil.Error:
        return None
