"""`orket doctor`: show what can be measured on this machine, and suggest a config that works."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from orket_lib.artifacts.io import write_text
from orket_lib.artifacts.printed.doctor import DoctorReport, MissingReading
from orket_lib.artifacts.views.preflight import PreflightCheck
from orket_lib.commands._common import print_json, tell
from orket_lib.commands._configs import add_config_options, settings_of, sweep_of
from orket_lib.config.loading.parse import parse
from orket_lib.doctor.file_serving import find_file_serving
from orket_lib.doctor.machine import look_at_machine
from orket_lib.doctor.missing_readings import missing_of_gpus, missing_on_machine, missing_with
from orket_lib.doctor.models import look_at_files, look_at_servers
from orket_lib.doctor.places import given, usual_places
from orket_lib.doctor.search import N_CTX, PATIENCE_S, Wanted, suggest_on_gpu
from orket_lib.doctor.suggested import Suggestion
from orket_lib.preflight.checks import check_all
from orket_lib.preflight.memory import free_gpu_memory, free_main_memory
from orket_lib.report.doctor import doctor_text, suggestion_yaml
from orket_lib.sweep.cells import Sweep
from orket_lib.sweep.plan import needs
from orket_lib.telemetry.devices.opening import open_devices
from orket_lib.vocabulary.errors import ArtifactError, ConfigError, Refused
from orket_lib.vocabulary.providers import default_urls, remote_host, server_address

_CHECK_PATIENCE_S = 5.0  # for everything that a config needs of its server


_NOTHING_FOUND = "no server that tells its models' quants, no usable GGUF file"

EXAMPLES = (
    "orket doctor",
    "orket doctor /disk/models --suggest my.yaml",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add_config_options(
        parser,
        "without any, look at this machine and suggest one; a folder or a GGUF file is looked at "
        "instead of the usual folders",
    )
    add(
        "--server",
        action="append",
        default=[],
        type=_server,
        metavar="PROVIDER=URL",
        help=f"address of a server that is not at its default port ({', '.join(default_urls())})",
    )
    add("--allow-remote", action="store_true", help="allow --server on another machine")
    add("--suggest", type=Path, metavar="FILE", help="write the suggested config to this file")
    add("--json", action="store_true", help="print everything as JSON")


def run(options: argparse.Namespace) -> int:
    """Look and print; the exit code says whether anything can be measured."""
    far = [url for _, url in options.server if remote_host(url) and not options.allow_remote]
    if far:
        raise ConfigError(
            [f"--server {url}: is another machine, which needs --allow-remote" for url in far]
        )
    models = [path for path in options.configs if path.is_dir() or path.suffix == ".gguf"]
    options.configs = [path for path in options.configs if path not in models]
    if options.suggest and (options.configs or settings_of(options)):
        raise ConfigError(["--suggest: not allowed together with a config"])
    if options.suggest and options.suggest.exists():
        raise ArtifactError(f"{options.suggest}: exists already; name another file")
    # An invalid config is a finding. A missing one is a usage error.
    gone = [path for path in (*options.configs, *models) if not path.exists()]
    if gone:
        raise ConfigError([f"{path}: no such file or folder" for path in gone])
    report, suggestion = examine(options, models)
    if options.suggest and report.suggestion:
        write_text(options.suggest, report.suggestion)
    if options.json:
        print_json(report)
    else:
        tell(doctor_text(report, suggestion.why if suggestion else None, options.suggest))
        if report.suggestion and not options.suggest:
            print(report.suggestion, end="")  # noqa: T201
    return 0 if report.can_run else Refused.exit_code


def _server(text: str) -> tuple[str, str]:
    """Return (provider, address) of `ollama=http://127.0.0.1:11434`."""
    provider, _, url = text.partition("=")
    if provider not in default_urls():
        raise argparse.ArgumentTypeError(f"`{provider}` is not one of {', '.join(default_urls())}")
    try:
        return provider, server_address(url, provider)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"`{url}` {error}") from None


def examine(
    options: argparse.Namespace, models: Sequence[Path]
) -> tuple[DoctorReport, Suggestion | None]:
    """Return what was found, and the suggestion if no config is given.

    Args:
        options: Those of the command.
        models: Folders and files to look at instead of the usual folders, and of servers.
    """
    urls = {**default_urls(), **dict(options.server)}
    keys: dict[str, str | None] = {}
    sweep, checks = _checked(options)
    for _, served in sweep.config.views if sweep else ():
        if served.base_url:
            urls[served.provider] = served.base_url
            keys[served.provider] = served.api_key
    machine = look_at_machine(Path())
    servers = look_at_servers(urls, keys, free_gpu_memory(None), N_CTX, PATIENCE_S)
    places = [given(path) for path in models] or usual_places(os.environ)
    serving = find_file_serving()
    files, unusable = look_at_files(places, serving.free if serving else free_main_memory(), N_CTX)
    suggestion, why_not = None, None
    if checks is None:
        offered = () if models else servers
        try:
            suggestion = suggest_on_gpu(Wanted(), offered, files, unusable, serving)
            why_not = None if suggestion else _NOTHING_FOUND
        except Refused as error:
            why_not = str(error)
    report = DoctorReport(
        machine=machine,
        n_ctx=N_CTX,
        servers=servers,
        files=files,
        unusable=unusable,
        missing=_missing(sweep, suggestion, bool(machine.gpus)),
        checks=checks,
        suggestion=suggestion_yaml(suggestion, str(options.suggest or "my.yaml"))
        if suggestion
        else None,
        no_suggestion=why_not,
    )
    return report, suggestion


def _checked(options: argparse.Namespace) -> tuple[Sweep | None, tuple[PreflightCheck, ...] | None]:
    """Return the sweep of the given config and its checks; None for both without a config."""
    if not options.configs and not settings_of(options):
        return None, None
    try:
        sweep = sweep_of(options)
    except ConfigError as error:
        problems = (PreflightCheck(name="config", ok=False, detail=line) for line in error.problems)
        return None, tuple(problems)
    warned = (
        PreflightCheck(name="config", ok=True, warning=True, detail=line) for line in sweep.warnings
    )
    return sweep, (*warned, *check_all(needs(sweep), Path(), _CHECK_PATIENCE_S))


def _missing(
    sweep: Sweep | None, suggestion: Suggestion | None, has_gpu: bool
) -> tuple[MissingReading, ...]:
    """Return the readings that will be null with the given or suggested config."""
    with open_devices("any") as found:
        here = (*missing_on_machine(), *missing_of_gpus(found))

    config = sweep.config if sweep else parse(suggestion.config) if suggestion else None
    found_missing = list(here)
    for _, view in config.views if config else ():
        url = view.base_url
        remote = remote_host(url) is not None
        found_missing += missing_with(view.provider, url is not None, remote, has_gpu)
    return tuple(dict.fromkeys(found_missing))
