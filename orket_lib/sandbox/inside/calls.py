"""One call of a stranger's function, in a process that exists for nothing else.

The answer says what was returned or raised, in `values`. It is written by a process in which the
stranger's code has run, so it is only ever a claim about a value; that this value is the right one
is found out elsewhere, by comparing it with what never came here. Whatever the code does to this
process (ends it, replaces builtins, writes into the channel itself), it can at best hand over a
value, which is all that it was asked for.
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
    """Load a source, call its function, write what came of it, and end this process.

    Args:
        source: What the stranger wrote.
        function: The name of the function in it.
        call: The encoded pair of positional and named arguments.
        descriptor: Where the answer is written: `(RETURNED, value)`, or `(RAISED, names of the
            exception's class and its bases, message, whether it came while loading)`.
    """
    write, leave = os.write, os._exit  # as they were before the stranger came
    loading = True
    try:
        arguments, named = decode(call)
        for name in ("exit", "quit"):  # they come with `site`, which is not loaded here
            setattr(builtins, name, Quitter(name, "the end of the input"))
        module = type(sys)(MODULE)
        sys.modules[MODULE] = module  # where dataclasses and others look for it
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
