"""One call of an untrusted function, in a process of its own.

The answer is the returned value or the exception, in the format of `values`. Untrusted code has run
in the process that writes it, so it is only a claim; it is graded outside, against expected values
that never enter the sandbox. Whatever the code does to this process (ends it, replaces builtins,
writes to the channel itself), the most that it can do is to send a value.
"""

from __future__ import annotations

import builtins
import os
import sys
from _sitebuiltins import Quitter

from orket_lib.sandbox.inside.values import decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

RETURNED, RAISED = "returned", "raised"
MODULE = "answer"

_MESSAGE = 500  # characters


def answer(source: str, function: str, call: bytes, descriptor: int) -> NoReturn:
    """Load a source, call its function, write the answer, and end this process.

    Args:
        source: The untrusted code.
        function: The name of the function in it.
        call: The encoded pair of positional and named arguments.
        descriptor: Where the answer is written: `(RETURNED, value)`, or `(RAISED, names of the
            exception's class and its bases, message, whether it came while loading)`.
    """
    write, leave = os.write, os._exit  # before untrusted code can replace them
    loading = True
    try:
        arguments, named = decode(call)
        for name in ("exit", "quit"):  # part of `site`, which is not loaded here
            setattr(builtins, name, Quitter(name, "the end of the input"))
        module = type(sys)(MODULE)
        sys.modules[MODULE] = module  # dataclasses and others look it up there
        exec(compile(source, f"{MODULE}.py", "exec", dont_inherit=True), module.__dict__)
        called = getattr(module, function)
        loading = False
        data = encode((RETURNED, called(*arguments, **named)))
    except BaseException as error:
        names = [base.__name__ for base in type(error).__mro__]
        data = encode((RAISED, names, _message(error), loading))
    while data:
        data = data[write(descriptor, data) :]
    leave(0)


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_MESSAGE]
    except Exception:
        return ""
