"""What Python code says about itself: read as a syntax tree, never run.

Python's own parser can be made to overflow its stack or to take long by text that was written for
that, so what a model wrote is read in the child that `bounded` starts.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

_CONSTRUCTS: dict[str, tuple[type[ast.AST], ...]] = {
    "assert": (ast.Assert,),
    "async": (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await),
    "class": (ast.ClassDef,),
    "comprehension": (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    "decorator": (),
    "for": (ast.For, ast.AsyncFor),
    "global": (ast.Global,),
    "if": (ast.If,),
    "lambda": (ast.Lambda,),
    "loop": (ast.For, ast.AsyncFor, ast.While),
    "match": (ast.Match,),
    "nonlocal": (ast.Nonlocal,),
    "recursion": (),
    "star_import": (),
    "try": (ast.Try, ast.TryStar),
    "while": (ast.While,),
    "with": (ast.With, ast.AsyncWith),
    "yield": (ast.Yield, ast.YieldFrom),
}
CONSTRUCTS = tuple(_CONSTRUCTS)

_IMPORTERS = {
    "__import__",
    "import_module",
    "importlib.__import__",
    "importlib.import_module",
}
_BUILTINS = ("builtins.", "__builtins__.")

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_NESTING = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.Try,
    ast.TryStar,
    ast.With,
    ast.AsyncWith,
    ast.Match,
)


def syntax_problem(files: dict[str, str]) -> str | None:
    """Return why one of some files is no Python, or None: what an interpreter would say of it."""
    for name, text in files.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # As the file has it, which may begin with a mark or name its encoding.
                content = text.encode("utf-8", "surrogatepass")
                compile(content, name, "exec", dont_inherit=True)
        except SyntaxError as error:
            return f"{name}, line {error.lineno}: {error.msg}"
        except (ValueError, RecursionError, MemoryError) as error:
            return f"{name}: {error or type(error).__name__}"
    return None


def facts_of(sources: dict[str, str]) -> dict[str, Any]:
    """Return what some Python files say, all together.

    Args:
        sources: The text of each file, by name.

    Returns:
        `problem`: why a file can't be read as Python, or null, and then nothing else is there;
        `imports`, `calls`, `names`, `definitions`, `constructs`: what occurs, sorted; a call under
        the name that is written, and under the one that was imported;
        `function_lines`: lines of the longest function, 0 without one;
        `nesting`: of blocks in the function where it is deepest.
    """
    trees = []
    for name, source in sources.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an invalid escape is no reason to say anything
                trees.append(ast.parse(source, name))
        except SyntaxError as error:
            return {"problem": f"{name}, line {error.lineno}: {error.msg}"}
        except (ValueError, RecursionError, MemoryError) as error:
            return {"problem": f"{name}: {error or type(error).__name__}"}
    try:
        return {"problem": None, **_facts(trees)}
    except RecursionError:
        return {"problem": "nested too deeply to be read"}


def _facts(trees: list[ast.Module]) -> dict[str, Any]:
    nodes = [node for tree in trees for node in ast.walk(tree)]
    functions = [node for node in nodes if isinstance(node, _Function)]
    calls: set[str] = set()
    loaded: set[str] = set()
    for tree in trees:
        origins = _origins(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                found = set(_calls(node, origins))
                calls |= found
                loaded |= set(_loaded(node)) if found & _IMPORTERS else set()
    return {
        "imports": sorted({module for node in nodes for module in _imports(node)} | loaded),
        "calls": sorted(calls),
        "names": sorted({name for node in nodes for name in _names(node)}),
        "definitions": sorted({name for tree in trees for name in _definitions(tree, "")}),
        "constructs": sorted({kind for node in nodes for kind in _constructs(node)}),
        "function_lines": max((_lines(function) for function in functions), default=0),
        "nesting": max((_nesting(function.body) for function in functions), default=0),
    }


def _imports(node: ast.AST) -> Iterator[str]:
    """Yield modules and what is taken out of them; a relative one counts without its dots."""
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom():
            if node.module:
                yield node.module
            yield from (_within(node.module, alias.name) for alias in node.names)


def _loaded(call: ast.Call) -> Iterator[str]:
    """Yield the module that a call of `import_module` and the like names."""
    for given in (*call.args[:1], *(one.value for one in call.keywords if one.arg == "name")):
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            yield given.value.lstrip(".")


def _within(module: str | None, name: str) -> str:
    return f"{module}.{name}" if module else name


def _origins(tree: ast.Module) -> dict[str, set[str]]:
    """Return what the names stand for that a file's imports bind, wherever in it they are."""
    origins: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    origins.setdefault(alias.asname, set()).add(alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                bound = alias.asname or alias.name
                origins.setdefault(bound, set()).add(_within(node.module, alias.name))
    return origins


def _calls(call: ast.Call, origins: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield the names of what is called: as written and as imported; `.sort` is any method."""
    if isinstance(call.func, ast.Attribute):
        yield f".{call.func.attr}"
    if written := _dotted(call.func):
        first, dot, rest = written.partition(".")
        for name in {written, *(f"{origin}{dot}{rest}" for origin in origins.get(first, ()))}:
            yield name
            yield from (name.removeprefix(one) for one in _BUILTINS if name.startswith(one))
            if "." in name:
                yield f".{name.rpartition('.')[2]}"


def _dotted(node: ast.expr) -> str:
    """Return `a.b.c` for such an expression, and nothing for any other."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed([*parts, node.id])) if isinstance(node, ast.Name) else ""


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name():
            yield node.id
        case ast.Attribute():
            yield node.attr
        case ast.arg():
            yield node.arg


def _definitions(tree: ast.AST, within: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        inner = within
        if isinstance(node, _Function | ast.ClassDef):
            yield f"{within}{node.name}"
            inner = f"{within}{node.name}."
        yield from _definitions(node, inner)


def _constructs(node: ast.AST) -> Iterator[str]:
    yield from (name for name, kinds in _CONSTRUCTS.items() if isinstance(node, kinds))
    if isinstance(node, _Function | ast.ClassDef) and node.decorator_list:
        yield "decorator"
    if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
        yield "star_import"
    if isinstance(node, _Function):
        own = {node.name, f"self.{node.name}", f"cls.{node.name}"}
        if any(isinstance(n, ast.Call) and _dotted(n.func) in own for n in ast.walk(node)):
            yield "recursion"


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _nesting(body: list[ast.stmt]) -> int:
    """Return how deep the blocks go; functions within are judged by themselves."""
    return max((_depth(statement) for statement in body), default=0)


def _depth(statement: ast.stmt) -> int:
    if isinstance(statement, _Function | ast.ClassDef):
        return 0
    own = 1 if isinstance(statement, _NESTING) else 0
    blocks = [getattr(statement, name, []) for name in ("body", "finalbody")]
    blocks += [handler.body for handler in getattr(statement, "handlers", ())]
    blocks += [case.body for case in getattr(statement, "cases", ())]
    deepest = max(map(_nesting, blocks), default=0)
    # `elif` is an `if` in the `else`, but nobody reads it as deeper.
    other = getattr(statement, "orelse", [])
    chained = len(other) == 1 and isinstance(other[0], ast.If) and isinstance(statement, ast.If)
    below = _nesting(other) - 1 if chained else _nesting(other)
    return own + max(deepest, below)
