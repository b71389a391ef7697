"""`orket doctor`: say what can be measured on this machine, and suggest a config that works."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from orket_lib.commands._common import print_json, tell
from orket_lib.commands._configs import add_config_options, sweep_of
from orket_lib.vocabulary.addresses import DEFAULT_URLS, remote_host, server_address
from orket_lib.vocabulary.errors import ArtifactError, ConfigError

if TYPE_CHECKING:
    from orket_lib.artifacts.printed.doctor import DoctorReport, MissingReading
    from orket_lib.artifacts.views.preflight import PreflightCheck
    from orket_lib.doctor.suggestion import Suggestion
    from orket_lib.sweep.cells import Sweep

_PATIENCE_S = 2.0  # with a server's list of models
_CHECK_PATIENCE_S = 5.0  # with all that a config needs of its server
_N_CTX = 4096
_MODELS = Path("models")
_POLICY_SAID_NO = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_config_options(parser, "without any, what is there is looked at, and one is suggested")
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        type=_server,
        metavar="PROVIDER=URL",
        help=f"where a server listens, when not at its own port ({', '.join(DEFAULT_URLS)})",
    )
    parser.add_argument(
        "--allow-remote", action="store_true", help="let --server be another machine"
    )
    parser.add_argument("--suggest", type=Path, metavar="FILE", help="write the suggestion there")
    parser.add_argument("--json", action="store_true", help="print all that was found as JSON")


def run(options: argparse.Namespace) -> int:
    """Look, and print what was found; what can be run is the exit code."""
    from orket_lib.report.doctor import doctor_text

    far = [url for _, url in options.server if remote_host(url) and not options.allow_remote]
    if far:
        raise ConfigError([f"--server {url}: another machine takes --allow-remote" for url in far])
    if options.suggest and (options.configs or options.config):
        raise ConfigError(["--suggest: beside a config there is nothing to suggest"])
    if options.suggest and options.suggest.exists():
        raise ArtifactError(f"{options.suggest}: is there already; name another file")
    # A config that is there and wrong is a finding; without one there is nothing to look at.
    gone = [path for path in options.configs if not path.exists()]
    if gone:
        raise ConfigError([f"{path}: there is no such file" for path in gone])
    report, suggestion = _examine(options)
    if options.suggest and report.suggestion:
        from orket_lib.artifacts.io import write_text

        write_text(options.suggest, report.suggestion)
    if options.json:
        print_json(report)
    else:
        tell(doctor_text(report, suggestion.why if suggestion else None, options.suggest))
        if report.suggestion and not options.suggest:
            print(report.suggestion, end="")  # noqa: T201
    return 0 if report.can_run else _POLICY_SAID_NO


def _server(text: str) -> tuple[str, str]:
    """Return (provider, address) of `ollama=http://127.0.0.1:11434`."""
    provider, _, url = text.partition("=")
    if provider not in DEFAULT_URLS:
        raise argparse.ArgumentTypeError(f"`{provider}` is none of {', '.join(DEFAULT_URLS)}")
    try:
        return provider, server_address(url)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"`{url}` {error}") from None


def _examine(options: argparse.Namespace) -> tuple[DoctorReport, Suggestion | None]:
    from orket_lib.artifacts.printed.doctor import DoctorReport
    from orket_lib.doctor.machine import look_at_machine
    from orket_lib.doctor.models import look_at_files, look_at_servers
    from orket_lib.doctor.suggestion import suggest
    from orket_lib.preflight.memory import gpu_room, main_memory
    from orket_lib.report.doctor import suggestion_yaml

    urls = {**DEFAULT_URLS, **dict(options.server)}
    keys: dict[str, str | None] = {}
    sweep, checks = _checked(options)
    if sweep is not None and sweep.config.base_url:
        urls[sweep.config.provider] = sweep.config.base_url
        keys[sweep.config.provider] = sweep.config.api_key
    machine = look_at_machine(Path())
    servers = look_at_servers(urls, keys, gpu_room(None), _N_CTX, _PATIENCE_S)
    files = look_at_files(_MODELS, main_memory(), _N_CTX)
    runtime = any(item.name == "embedded llama.cpp" and item.path for item in machine.programs)
    suggestion = None
    if checks is None:
        suggestion = suggest(servers, files if runtime else (), _N_CTX, bool(machine.gpus))
    report = DoctorReport(
        machine=machine,
        n_ctx=_N_CTX,
        servers=servers,
        files=files,
        missing=_missing(sweep, suggestion, bool(machine.gpus)),
        checks=checks,
        suggestion=suggestion_yaml(suggestion, str(options.suggest or "my.yaml"))
        if suggestion
        else None,
    )
    return report, suggestion


def _checked(options: argparse.Namespace) -> tuple[Sweep | None, tuple[PreflightCheck, ...] | None]:
    """Return the sweep of the config that was given and its checks; None of both without one."""
    from orket_lib.artifacts.views.preflight import PreflightCheck
    from orket_lib.preflight.checks import check_all
    from orket_lib.sweep.plan import needs

    if not options.configs and not options.config:
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
    """Return what will be null on this machine with what would be swept."""
    from orket_lib.doctor.missing_readings import missing_of_gpus, missing_on_machine, missing_with
    from orket_lib.telemetry.devices.opening import open_devices

    with open_devices("any") as found:
        here = (*missing_on_machine(), *missing_of_gpus(found))

    if sweep is not None:
        provider, url = sweep.config.provider, sweep.config.base_url
    elif suggestion is not None:
        provider, url = suggestion.config["provider"], suggestion.config.get("base_url")
    else:
        return here
    remote = remote_host(url) is not None
    return (*here, *missing_with(provider, url is not None, remote, has_gpu))
