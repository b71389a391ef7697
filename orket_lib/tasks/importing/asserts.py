"""Tests written as Python asserts, as examples of calls.

Only asserts that are data are read: a call with literal arguments, compared with a literal. Nothing
is run. A test with anything else is refused as a whole, because a part of it would be another test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from orket_lib.tasks.importing.table import Bad

_MOST_CHARS = 200_000
_CLOSE = 1e-9  # relative tolerance of math.isclose


@dataclass(frozen=True)
class Examples:
    """What the asserts of a test say.

    Attributes:
        function: The name that they call.
        examples: In the form of `function_examples`.
        tolerance: The largest tolerance of floats in them.
    """

    function: str
    examples: tuple[dict[str, Any], ...]
    tolerance: float


@dataclass(frozen=True)
class _Claim:
    """One assert: a call and its result."""

    call: ast.Call
    value: ast.expr
    tolerance: float = 0.0


def checked_examples(test: str, function: str) -> Examples:
    """Return the examples of a test like that of HumanEval: `def check(candidate): assert ...`.

    Args:
        test: Python code.
        function: The function that is passed to `check`.

    Raises:
        Bad: It holds something other than asserts that are data.
    """
    check = next(
        (
            node
            for node in _parsed(test)
            if isinstance(node, ast.FunctionDef) and node.name == "check"
        ),
        None,
    )
    if check is None or len(check.args.args) != 1:
        raise Bad("test: has no function `check(candidate)`")
    return _examples(check.body, check.args.args[0].arg, function)


def listed_examples(tests: Sequence[str]) -> Examples:
    """Return the examples of single asserts such as `assert add(1, 2) == 3`.

    Raises:
        Bad: One of them is something else, or they call different functions.
    """
    statements = [node for test in tests for node in _parsed(test)]
    claims = list(_claims(statements))
    names = {claim.call.func.id for claim in claims if isinstance(claim.call.func, ast.Name)}
    if len(names) != 1:
        raise Bad(f"tests: call {len(names) or 'no'} functions, must be one")
    (name,) = names
    return _examples(statements, name, name)


def _parsed(code: str) -> list[ast.stmt]:
    if len(code) > _MOST_CHARS:
        raise Bad(f"test: longer than {_MOST_CHARS} characters")
    try:
        return ast.parse(code).body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise Bad(f"test: not Python: {getattr(error, 'msg', error)}") from None


def _examples(statements: Sequence[ast.stmt], called: str, function: str) -> Examples:
    claims = list(_claims(statements))
    if not claims:
        raise Bad("test: no assert in it")
    return Examples(
        function,
        tuple(_example(claim, called) for claim in claims),
        max(claim.tolerance for claim in claims),
    )


def _claims(statements: Sequence[ast.stmt]) -> Iterator[_Claim]:
    for node in statements:
        if isinstance(node, ast.Pass) or _is_constant(node):
            continue
        if not isinstance(node, ast.Assert):
            raise _not_data(node)
        if isinstance(node.test, ast.Constant) and node.test.value:
            continue  # `assert True` says nothing
        claim = _claim(node.test)
        if claim is None:
            raise _not_data(node)
        yield claim


def _is_constant(node: ast.stmt) -> bool:
    """Tell whether a statement is a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _not_data(node: ast.stmt) -> Bad:
    shown = ast.unparse(node).partition("\n")[0]
    return Bad(
        f"test: `{shown[:60]}` is code; only `assert f(...) == value` with literals is imported"
    )


def _claim(test: ast.expr) -> _Claim | None:
    match test:
        case ast.Call(func=ast.Attribute(attr="isclose"), args=[ast.Call() as call, value]):
            limits = [_literal(key.value) for key in test.keywords]
            return _Claim(call, value, max([_CLOSE, *(x for x in limits if isinstance(x, float))]))
        case ast.Call():
            return _Claim(test, ast.Constant(True))
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call() as call):
            return _Claim(call, ast.Constant(False))
        case ast.Compare(left=ast.Call(func=ast.Name(id="abs"), args=[inside])):
            return _within(inside, test)
        case ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[right]):
            if isinstance(left, ast.Call):
                return _Claim(left, right)
            return _Claim(right, left) if isinstance(right, ast.Call) else None
    return None


def _within(inside: ast.expr, test: ast.Compare) -> _Claim | None:
    """Return the claim of `abs(f(...) - value) < limit`."""
    match inside, test.ops, test.comparators:
        case (
            ast.BinOp(left=ast.Call() as call, op=ast.Sub(), right=value),
            [ast.Lt() | ast.LtE()],
            [ast.Constant(value=float(limit))],
        ):
            return _Claim(call, value, limit)
    return None


def _example(claim: _Claim, called: str) -> dict[str, Any]:
    call = claim.call
    if not isinstance(call.func, ast.Name) or call.func.id != called:
        raise Bad(
            f"test: `{ast.unparse(call)[:60]}` is no call of `{called}` with literals, which "
            "is all that can be imported"
        )
    _literal(claim.value)
    values = [_literal(argument) for argument in call.args]
    example: dict[str, Any] = {"expected_python": ast.unparse(claim.value)}
    if values:
        example["args_python"] = f"[{', '.join(map(ast.unparse, call.args))}]"
    if call.keywords:
        if any(key.arg is None for key in call.keywords):
            raise Bad(f"test: `{ast.unparse(call)[:60]}` has `**`, and code is not run here")
        example["kwargs"] = {str(key.arg): _literal(key.value) for key in call.keywords}
    return example


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise Bad(
            f"test: `{ast.unparse(node)[:60]}` is no literal value, and code is not run here"
        ) from None
