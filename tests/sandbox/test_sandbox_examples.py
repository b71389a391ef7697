"""Calling a stranger's function: every call has its own verdict, and no cheat gets a better one."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sandbox import measure_cost

from orket_lib.sandbox.equality import same_value
from orket_lib.sandbox.examples import (
    Call,
    CallResult,
    NotReturned,
    Raised,
    Returned,
    call_examples,
)
from orket_lib.sandbox.file_names import RefusedName
from orket_lib.sandbox.inside.values import Opaque, encode
from orket_lib.sandbox.jobs import CallEnd, CallJob, Ending, Limits, Outcome, Sandbox

_MIB = 1024**2
LIMITS = Limits(wall_s=20.0, cpu_s=20.0, memory_bytes=64 * _MIB, processes=8)
SHORT = replace(LIMITS, wall_s=0.5)


def calls_of(*arguments: Any) -> list[Call]:
    return [Call((argument,)) for argument in arguments]


def verdicts(results: Sequence[CallResult], expected: Sequence[Any]) -> list[bool]:
    """Return which calls gave the expected values, as a grader sees it."""
    assert len(results) == len(expected)
    return [
        isinstance(result, Returned) and same_value(value, result.value)
        for result, value in zip(results, expected, strict=True)
    ]


def test_values_come_back_with_their_types(sandbox: Sandbox) -> None:
    values: list[Any] = [None, True, 1, 1.0, "ü\0", b"x", [1, (2, {3})], {"a": {1: None}}, 2**99]
    results = call_examples(sandbox, "def same(x): return x", "same", calls_of(*values))
    assert verdicts(results, values) == [True] * len(values)


def test_a_value_of_another_type_is_another_value(sandbox: Sandbox) -> None:
    source = "def other(x): return {1: True, 2: [2], 3: '3', 4: 4.0, 5: None}[x]"
    results = call_examples(sandbox, source, "other", calls_of(1, 2, 3, 4, 5))
    assert verdicts(results, [1, (2,), 3, 4, False]) == [False] * 5


def test_named_arguments_and_a_result_that_is_no_value(sandbox: Sandbox) -> None:
    calls = [Call((1,), {"b": 2}), Call((), {"a": "x", "b": "y"}), Call((1,))]
    source = "def f(a, b=None): return (a, b) if b else (n for n in [a])"
    results = call_examples(sandbox, source, "f", calls)
    assert verdicts(results[:2], [(1, 2), ("x", "y")]) == [True, True]
    assert isinstance(results[2], Returned)
    assert isinstance(results[2].value, Opaque)


def test_what_is_no_plain_value_cannot_be_given() -> None:
    for value in (object(), len, [print], {"a": 1 + 0j, "b": iter("")}):
        with pytest.raises(ValueError, match="no plain values"):
            Call((value,))
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValueError):
        Call((endless,))


def test_an_exception_has_its_name_and_its_bases(sandbox: Sandbox) -> None:
    source = """
class Mine(KeyError): pass
def f(x):
    if x == 1: raise Mine("lost")
    if x == 2: raise SystemExit(0)
    if x == 3: raise KeyboardInterrupt
    if x == 4: return f(x)
    if x == 5: return bytearray(10**12)
    raise type("Odd", (Exception,), {"__str__": lambda self: 1 / 0})
"""
    results = call_examples(sandbox, source, "f", calls_of(1, 2, 3, 4, 5, 6), limits=LIMITS)
    raised = [result for result in results if isinstance(result, Raised)]
    assert len(raised) == 6
    names = [result.names[0] for result in raised]
    assert names == [
        "Mine",
        "SystemExit",
        "KeyboardInterrupt",
        "RecursionError",
        "MemoryError",
        "Odd",
    ]
    assert "LookupError" in raised[0].names
    assert raised[0].message == "'lost'"
    assert not any(result.loading for result in raised)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("def f(x: return x", "SyntaxError"),
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("import numpy", "ModuleNotFoundError"),
        ("g = 1", "AttributeError"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit", "SystemExit"),
        ("a = '\ud800'", "UnicodeEncodeError"),
        ("def f(x): return 1\0", "SyntaxError"),
        ("x = " + "(" * 5000, "MemoryError|SyntaxError|RecursionError"),
    ],
    ids=["syntax", "import", "package", "missing", "error", "exit", "surrogate", "nul", "deep"],
)
def test_a_source_that_does_not_load(sandbox: Sandbox, source: str, name: str) -> None:
    results = call_examples(sandbox, source, "f", calls_of(1, 2))
    assert [isinstance(result, Raised) and result.loading for result in results] == [True, True]
    assert isinstance(results[0], Raised)
    # A NUL is a ValueError before Python 3.12.
    assert set(results[0].names) & {*name.split("|"), "ValueError"}


@pytest.mark.parametrize("end", ["exit", "quit"])
def test_what_every_interpreter_has_is_there(sandbox: Sandbox, end: str) -> None:
    (result,) = call_examples(sandbox, f"def f(x): {end}(x)", "f", calls_of(3))
    assert isinstance(result, Raised)
    assert (result.names[0], result.message) == ("SystemExit", "3")


def test_something_that_is_not_callable(sandbox: Sandbox) -> None:
    (result,) = call_examples(sandbox, "f = 42", "f", calls_of(1))
    assert isinstance(result, Raised)
    assert (result.names[0], result.loading) == ("TypeError", False)


def test_a_crash_in_one_call_is_one_failed_check(sandbox: Sandbox) -> None:
    source = """
import ctypes, os, signal, sys, threading, time
def f(x):
    if x == 1: ctypes.string_at(0)
    if x == 2: os._exit(0)
    if x == 3: os._exit(7)
    if x == 4: os.kill(os.getpid(), signal.SIGKILL)
    if x == 5: os.killpg(0, signal.SIGKILL)
    if x == 6: os.abort()
    if x == 7: threading.Thread(target=os._exit, args=(3,)).start(); time.sleep(1000)
    if x == 8: os.execv("/bin/true", ["true"])
    return x
"""
    bad = range(1, 9)
    order = [number for pair in zip([0] * 9, [*bad, 0], strict=True) for number in pair]
    results = call_examples(sandbox, source, "f", calls_of(*order), limits=LIMITS)
    assert verdicts(results, order) == [number == 0 for number in order]
    failed = [result for result in results if isinstance(result, NotReturned)]
    endings = [(str(item.ending.outcome), item.ending.exit_status) for item in failed]
    crashed, exited = ("crashed", None), "exited"
    assert endings == [
        crashed, (exited, 0), (exited, 7), crashed, crashed, crashed, (exited, 3), (exited, 0)
    ]  # fmt: skip
    assert failed[0].reason == "the call ended with `crashed` (11)"
    assert failed[2].reason == "the process ended itself with status 7"


def test_a_limit_ends_one_call(sandbox: Sandbox) -> None:
    source = """
import os, time
def f(x):
    if x == 1: time.sleep(1000)
    if x == 2:
        while True: pass
    if x == 3: return "x" * 200_000
    return x
"""
    results = call_examples(sandbox, source, "f", calls_of(0, 1, 0, 2, 0, 3, 0), limits=SHORT)
    assert verdicts(results, [0] * 7) == [True, False, True, False, True, False, True]
    failed = [result for result in results if isinstance(result, NotReturned)]
    assert [result.ending.outcome for result in failed] == ["timeout", "timeout", "output_limit"]


def test_an_answer_that_is_too_long_is_noticed_after_the_end_too(sandbox: Sandbox) -> None:
    limits = replace(LIMITS, output_bytes=1000)
    (result,) = call_examples(
        sandbox, "def f(x): return 'x' * 30_000", "f", calls_of(1), limits=limits
    )
    assert isinstance(result, NotReturned)
    assert result.ending.outcome is Outcome.OUTPUT_LIMIT


def test_a_call_holds_its_own_channel_and_nothing_else(sandbox: Sandbox) -> None:
    source = """
import os
def f(x):
    held = []
    for number in range(256):
        try: os.fstat(number)
        except OSError: continue
        held.append(number)
    return held, os.read(0, 10), os.fstat(0).st_rdev == os.stat("/dev/null").st_rdev
"""
    results = call_examples(sandbox, source, "f", calls_of(1, 2))
    assert verdicts(results, [([0, 1, 2, 3], b"", True)] * 2) == [True] * 2


def test_memory_and_processes_of_one_call(sandbox: Sandbox) -> None:
    source = """
import os, time
def f(x):
    if x == 1:
        hoard = [b"x" * (1 << 20) for _ in range(80)]
        time.sleep(1000)
    if x == 2:
        while True:
            try: os.fork()
            except OSError: pass
    return x
"""
    results = call_examples(sandbox, source, "f", calls_of(0, 1, 0, 2, 0), limits=LIMITS)
    assert verdicts(results, [0] * 5) == [True, False, True, False, True]
    failed = [result for result in results if isinstance(result, NotReturned)]
    assert [result.ending.outcome for result in failed] == ["memory_limit", "process_limit"]


def test_calls_do_not_find_what_others_left(sandbox: Sandbox) -> None:
    source = """
import builtins, os, subprocess, sys, threading, time
seen = []
def f(x):
    found = (
        len(seen), hasattr(builtins, "mark"), os.listdir("/box"),
        sum(name.isdigit() for name in os.listdir("/proc")),
    )
    seen.append(x)
    builtins.mark = True
    open("left behind", "w").close()
    os.mkdir("folder")
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    threading.Thread(target=time.sleep, args=(1000,)).start()
    return found
"""
    results = call_examples(sandbox, source, "f", calls_of(1, 2, 3), limits=LIMITS)
    # PID 1 and the process of the call itself.
    assert verdicts(results, [(0, False, [], 2)] * 3) == [True] * 3


def test_a_call_cannot_change_the_files_of_the_next(sandbox: Sandbox) -> None:
    source = """
import os
import helper
def f(x):
    if x == 1:
        with open("helper.py", "r+") as stream: stream.write("ANSWER = 99")
    if x == 2:
        os.unlink("helper.py")
    if x == 3:
        os.replace("data/a.txt", "data/b.txt"); os.replace("data/b.txt", "data/a.txt")
    return helper.ANSWER, open("data/a.txt").read()
"""
    files = {"helper.py": b"ANSWER = 42", "data/a.txt": b"text"}
    results = call_examples(
        sandbox, source, "f", calls_of(1, 0, 2, 0, 3, 0), files=files, limits=LIMITS
    )
    assert verdicts(results, [(42, "text")] * 6) == [True] * 6


def test_a_file_name_that_leads_out_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(RefusedName):
        call_examples(sandbox, "", "f", calls_of(1), files={"../x.py": b""})


# Each writes what a right result would look like to a reader that trusts it; the
# expected value, 42, is not known inside. A source that returns 41 has to fail in any disguise.
CHEATS = {
    "prints_a_result": """
def f(x):
    print("ok", "PASSED", '{"passed": true, "value": 42}', flush=True)
    import sys
    print("exited 0 - 0.0 0.0 3", file=sys.stderr, flush=True)
    return 41
""",
    "monkeypatches_everything": """
import builtins, json, os, sys
class Yes:
    def __eq__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
builtins.isinstance = builtins.issubclass = lambda *a: True
builtins.type = lambda *a: int
builtins.repr = builtins.str = lambda *a: "42"
json.dumps = json.loads = lambda *a, **k: Yes()
sys.stdout = sys.stderr = Yes()
def f(x): return 41
""",
    "equal_to_everything": """
class Liar(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __index__(self): return 42
    def __int__(self): return 42
    def __repr__(self): return "42"
    __hash__ = int.__hash__
    __class__ = int
def f(x): return Liar(41)
""",
    "equal_object": """
class Liar:
    __class__ = int
    def __eq__(self, other): return True
    def __index__(self): return 42
    def __reduce__(self): return (int, ("42",))
def f(x): return Liar()
""",
    "writes_to_every_descriptor": """
import os
def f(x):
    for number in range(64):
        for text in (b"ready\\nexited 0 - 0.1 0.1 0\\n", b"PASS\\n", b"t2:s8:returned"):
            try: os.write(number, text)
            except OSError: pass
    return 41
""",
    "answers_twice": """
import os
def f(x):
    os.write(3, b"t2:s8:returnedi2:29")
    return 41
""",
    "answers_with_a_list_of_guesses": """
import os
def f(x):
    for guess in range(100):
        os.write(3, b"t2:s8:returnedi%d:%x" % (len("%x" % guess), guess))
    os._exit(0)
""",
    "answers_garbage": """
import os
def f(x):
    os.write(3, b"returned: 42")
    os._exit(0)
""",
    "answers_in_the_name_of_an_exception": """
def f(x): raise type("returned", (Exception,), {})("42")
""",
    "closes_the_channel": """
import os
def f(x):
    os.closerange(0, 256)
    return 42
""",
    "goes_on_after_a_guess": """
import os, time
def f(x):
    os.write(3, b"t2:s8:returnedi2:29")
    time.sleep(1000)
""",
    "replaces_the_writers": """
import os, sys
os.write = lambda number, data: len(data)
os._exit = lambda status: None
def f(x):
    for name, module in list(sys.modules.items()):
        if name.startswith("orket_lib"):
            for attribute in list(vars(module)):
                if attribute.startswith("encode"):
                    setattr(module, attribute, lambda *a: b"t2:s8:returnedi2:29")
    return 41
""",
    "exits_as_if_all_was_well": """
import atexit, os, sys
atexit.register(print, "42")
def f(x): sys.exit(0)
""",
}


@pytest.mark.parametrize("source", CHEATS.values(), ids=CHEATS)
def test_a_cheat_does_not_pass(sandbox: Sandbox, source: str) -> None:
    honest, expected_value = "def f(x): return 42", 42
    limits = SHORT if "sleep" in source else LIMITS
    results = call_examples(sandbox, source, "f", calls_of(0, 0), limits=limits)
    assert verdicts(results, [expected_value] * 2) == [False, False]
    results = call_examples(sandbox, honest, "f", calls_of(0, 0), limits=limits)
    assert verdicts(results, [expected_value] * 2) == [True, True]


class Reporter:
    """A sandbox whose calls answer whatever a test lets them."""

    name, description = "reporter", "for this test"

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)

    def run(self, program: Any) -> Any:
        raise NotImplementedError

    def call(self, job: CallJob) -> list[CallEnd]:
        ending = Ending(Outcome.EXITED, 0, None, 0.0, 0.0)
        return [CallEnd(ending, self._answers.pop(0))]


@pytest.mark.parametrize(
    "answer",
    [
        encode(42),
        encode(("returned",)),
        encode(("returned", 42, 42)),
        encode(("passed", 42)),
        encode(("raised", "ValueError", "", False)),
        encode(("raised", ["ValueError"], 1, False)),
        encode({"returned": 42}),
        b"42",
        encode(("returned", 42)) + b"\n",
    ],
)
def test_an_answer_in_another_form_is_none(answer: bytes) -> None:
    (result,) = call_examples(Reporter(answer), "", "f", calls_of(1))
    assert isinstance(result, NotReturned)
    assert result.reason == "what it sent back is no answer"


def test_no_calls_need_no_sandbox() -> None:
    assert call_examples(Reporter(), "", "f", []) == []


def test_an_order_of_a_set_is_the_same_every_time(sandbox: Sandbox) -> None:
    source = "def f(x): return list({'a', 'b', 'c', 'd', 'e'}), hash('text')"
    seen = {
        encode(result.value)
        for _ in range(3)
        for result in call_examples(sandbox, source, "f", calls_of(1, 2))
        if isinstance(result, Returned)
    }
    assert len(seen) == 1


@pytest.mark.alone
def test_an_example_costs_less_than_60_ms(
    sandbox: Sandbox, record_property: Callable[[str, object], None]
) -> None:
    costs = measure_cost(sandbox, repeats=15)
    median_ms = 1000 * statistics.median(costs)
    record_property("median_ms_per_example", median_ms)
    assert len(costs) == 15
    assert median_ms < 60
