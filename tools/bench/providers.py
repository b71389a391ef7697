"""Whether two providers give the same answers to the same file, as fast."""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from agreement import Agreement, Way, compare, way

from orket_lib.commands._common import print_json, tell
from orket_lib.config.shipped import located
from orket_lib.processes.device_lock import device_lock
from orket_lib.tasks.bank import load_bank
from orket_lib.vocabulary.thresholds import reaches

_BANK = Path("config/task_banks/reference.json")
_PROVIDERS = ("embedded", "llama_server")  # those that serve a file
_IDENTICAL = 0.95
_FEWEST_PROBES = 6
_DIFFERS = 3  # exit code: a policy said no


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the subject."""
    parser.add_argument("--a", choices=_PROVIDERS, default="embedded", help="the one provider")
    parser.add_argument(
        "--b", choices=_PROVIDERS, default="llama_server", help="the other provider"
    )
    parser.add_argument("--model", type=Path, nargs="+", required=True, help="GGUF files")
    parser.add_argument("--bank", type=Path, default=_BANK, help="task bank")
    parser.add_argument("--server-binary", default="llama-server", help="of llama_server")
    parser.add_argument(
        "--server-args", default="", help="more arguments for it, one word each: '-ngl 99'"
    )
    parser.add_argument("--n-ctx", type=int, default=2048, help="context, tokens")
    parser.add_argument("--max-tokens", type=int, default=96, help="of an answer")
    parser.add_argument("--threads", type=int, help="of both; physical cores without it")
    parser.add_argument("--probes", type=_probes, default=60, help="speed measurements of each")
    parser.add_argument(
        "--at-least", type=float, default=_IDENTICAL, help="share of answers that must be equal"
    )
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(options: argparse.Namespace) -> int:
    """Compare the two for each file; 3 when they differ in more answers than allowed."""
    tasks = load_bank(located(options.bank)).tasks
    found: dict[str, Agreement] = {}
    with device_lock("cpu", "tools/bench providers", tell):
        for model in options.model:
            one, other = (_way(options, name, model) for name in (options.a, options.b))
            with tempfile.TemporaryDirectory() as folder:
                agreement = compare(one, other, tasks, options.probes, Path(folder))
            found[model.as_posix()] = agreement
            if not options.json:
                _print(model.stem, agreement, (options.a, options.b))
    if options.json:
        print_json({name: _as_json(agreement) for name, agreement in found.items()})
    enough = all(reaches(agreement.identical, options.at_least) for agreement in found.values())
    return 0 if enough else _DIFFERS


def _probes(text: str) -> int:
    probes = int(text)
    if probes < _FEWEST_PROBES:
        raise argparse.ArgumentTypeError(f"at least {_FEWEST_PROBES}, for a 95 % interval")
    return probes


def _way(options: argparse.Namespace, provider: str, model: Path) -> Way:
    arguments = tuple(options.server_args.split())
    return way(
        provider,
        model,
        options.server_binary,
        arguments,
        options.threads,
        options.n_ctx,
        options.max_tokens,
    )


def _as_json(agreement: Agreement) -> dict[str, Any]:
    return {
        **dataclasses.asdict(agreement),
        "identical": agreement.identical,
        "within_noise": agreement.within_noise,
    }


def _print(name: str, agreement: Agreement, providers: tuple[str, str]) -> None:
    same = agreement.tasks - len(agreement.differences)
    lines = [f"{name}: {same} of {agreement.tasks} answers are identical"]
    for item in agreement.differences:
        if item.choices is None:
            lines.append(
                f"  {item.test_id}: differs, but not reproducibly, or without a logged reason"
            )
            continue
        choices = [
            f"{provider} `{choice.token}`"
            + (f" (leads by {choice.margin:.4f} nats)" if choice.margin is not None else "")
            for provider, choice in zip(providers, item.choices, strict=True)
        ]
        lines.append(f"  {item.test_id}: token {item.position}: {', '.join(choices)}")
    for provider, speed in zip(providers, agreement.speeds, strict=True):
        lines.append(
            f"  decode {provider:<14} median {speed.median:.0f} tokens/s, "
            f"80 % of {speed.low:.0f} to {speed.high:.0f}"
        )
    ratio = agreement.ratio
    verdict = "within" if agreement.within_noise else "beyond"
    lines.append(
        f"  {providers[1]} against {providers[0]}: {ratio.median:+.1%}, 95 % interval "
        f"{ratio.low:+.1%} to {ratio.high:+.1%}: {verdict} the noise of both"
    )
    print("\n".join(lines))
