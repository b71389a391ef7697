"""Feed damaged input to everything that reads files, answers of servers, or texts of models.

    python tools/fuzz.py                    10^6 inputs
    python tools/fuzz.py --inputs 1000      so many
    python tools/fuzz.py --only artifacts,commands

Each input must be taken, or refused with one of our errors: no other exception, no hang, no more
than 4 GiB of memory. What fails is written to tests/tools/fuzz_corpus/, which the tests read again.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "report"), str(ROOT / "tools")]

from fuzz_targets import TARGETS, Target, prepare  # noqa: E402

from orket_lib.vocabulary.errors import OrketError  # noqa: E402

CORPUS = ROOT / "tests" / "tools" / "fuzz_corpus"
LONGEST_S = 20.0
_NAME = re.compile(rb"[\w./]+\.json\0")
_MOST_MEMORY = 4 * 2**30
_ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 1e308, -1e308, 10**30, 0.5, "", "x" * 5000, "\x1b[2J", "../../x", "NaN"),
    *([], {}, [[]], {"": None}, "\ud800", float("nan"), float("inf"), "2026-02-30T25:00:00Z"),
)
_TOKENS = (
    *(b"null", b"-", b"9" * 400, b"NaN", b"{", b"[" * 3000, b"\\ud800", b"\x00", b"\xff", b"\n"),
    *(b"data: ", b"event: error", b"[DONE]", b"1e999", b'"', b"}", b"<think>", b"```", b"\\boxed{"),
    *(b"&a [*a]", b"<<: ", b"!!python/object:os.system", b"~nosuchuser", b"/dev/zero", b"1,234"),
)


class Hung(Exception):
    """An input took too long."""


def main() -> int:
    """Run the inputs, and print each failure."""
    parser = argparse.ArgumentParser(description="Feed damaged input to every reader.")
    parser.add_argument("--inputs", type=int, default=10**6, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(TARGETS), help="targets; default: all")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    chosen = {name: TARGETS[name] for name in options.only.split(",")}
    begun, failed = time.monotonic(), 0
    for name, target in chosen.items():
        weights = sum(it.weight for it in chosen.values())
        inputs = max(1, round(options.inputs * target.weight / weights))
        found = list(failures(target, inputs, options.seed))
        for data, why in found:
            path = CORPUS / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            print(f"{name}: {path.relative_to(ROOT)}: {why}")
        failed += len(found)
        took = time.monotonic() - begun
        print(f"{name}: {inputs} inputs, {len(found)} failures, {took:.0f} s so far", flush=True)
    return 1 if failed else 0


def failures(target: Target, inputs: int, seed: int) -> Iterator[tuple[bytes, str]]:
    """Yield each input that is neither taken nor refused, with the last lines of its traceback.

    Args:
        target: What reads the inputs.
        inputs: How many.
        seed: Of the changes.
    """
    seen: set[str] = set()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        prepare(Path(folder))
        seeds = target.seeds()
        for number in range(inputs):
            chance = random.Random(f"{seed} {number}")
            data = changed(chance.choice(seeds), chance)
            why = failure(target.feed, data)
            if why and why not in seen:  # the same one once
                seen.add(why)
                yield data, why


def failure(feed: Callable[[bytes], None], data: bytes) -> str | None:
    """Feed one input; return what it raised, and where, or None if it was taken or refused."""
    signal.signal(signal.SIGALRM, _hung)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            feed(data)
    except OrketError:
        return None
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [it for it in frames if "orket_lib" in it.filename] or frames
        where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
        return f"{type(error).__name__} at {where}: {ascii(str(error))[:120]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return None


def _hung(number: int, frame: FrameType | None) -> None:
    raise Hung(f"no end within {LONGEST_S:g} s")


def changed(data: bytes, chance: random.Random) -> bytes:
    """Return an input with some changes: of its JSON values, of its bytes, or of both.

    A name before a zero byte says which file it is, and stays.
    """
    if named := _NAME.match(data):
        return named[0] + changed(data[named.end() :], chance)
    if chance.random() < 0.7:
        with contextlib.suppress(ValueError):
            value = json.loads(data)
            for _ in range(chance.choice((1, 1, 1, 2, 5))):
                value = _other_value(value, chance)
            data = json.dumps(value).encode()
            if chance.random() < 0.8:
                return data
    for _ in range(chance.choice((1, 1, 2, 8))):
        data = _other_bytes(data, chance)
    return data


def _other_value(value: Any, chance: random.Random) -> Any:
    """Return a JSON value with one change somewhere inside."""
    if isinstance(value, dict | list) and value and chance.random() < 0.9:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = chance.choice(keys)
        copy: Any = dict(value) if isinstance(value, dict) else list(value)
        action = chance.random()
        if action < 0.1:
            del copy[key]
        elif action < 0.15 and isinstance(copy, list):
            copy[key:key] = [copy[key]] * chance.choice((1, 100))
        elif action < 0.15:
            copy[f"{key}x"] = copy.pop(key)
        elif action < 0.2:
            copy[key] = copy[chance.choice(keys)]
        else:
            copy[key] = _other_value(copy[key], chance)
        return copy
    if chance.random() < 0.05:
        for _ in range(chance.choice((5, 200))):
            value = [value]
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and chance.random() < 0.5:
        return chance.choice((-value, value * 10**6, value + 0.5, 2**63, str(value)))
    return chance.choice(_ODD)


def _other_bytes(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    end = min(len(data), start + chance.choice((1, 4, 64, 4096)))
    action = chance.random()
    if action < 0.2:
        return data[:start]
    if action < 0.4:
        return data[:start] + data[end:]
    if action < 0.6:
        return data[:start] + data[start:end] * chance.choice((2, 50)) + data[end:]
    if action < 0.8:
        return data[:start] + chance.choice(_TOKENS) + data[start:]
    return data[:start] + bytes([chance.randrange(256)]) + data[start + 1 :]


if __name__ == "__main__":
    os.environ["NO_COLOR"] = "1"
    sys.exit(main())
