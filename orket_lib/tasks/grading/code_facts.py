"""Facts about Python code, from its syntax tree; the code is never run.

Crafted text can overflow the stack of Python's parser or take it very long, so model output is
parsed in the child process of `limited_call`.
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
    """Return the interpreter's message for the first file that is not Python; None if all are."""
    for name, text in files.items():
        # As bytes, because the file may begin with a BOM or declare its encoding.
        _, problem = _compiled(name, text.encode("utf-8", "surrogatepass"))
        if problem:
            return problem
    return None


def _compiled(name: str, source: str | bytes, flags: int = 0) -> tuple[Any, str | None]:
    """Return the compiled source, or why it can't be compiled."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as those about invalid escapes
            return compile(source, name, "exec", flags, dont_inherit=True), None
    except SyntaxError as error:
        return None, f"{name}, line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return None, f"{name}: {error or type(error).__name__}"


def facts_of(sources: dict[str, str]) -> dict[str, Any]:
    """Return the facts about some Python files, all together.

    Args:
        sources: The text of each file, by name.

    Returns:
        `problem`: why a file can't be parsed, or null; with a problem, there is no other key;
        `imports`, `calls`, `names`, `definitions`, `constructs`: what occurs, sorted; a call by the
        name as written, and by the imported name;
        `function_lines`: lines of the longest function, 0 without one;
        `nesting`: deepest nesting of blocks in a function.
    """
    trees = []
    for name, source in sources.items():
        tree, problem = _compiled(name, source, ast.PyCF_ONLY_AST)
        if problem:
            return {"problem": problem}
        trees.append(tree)
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
    """Yield modules and the names imported from them; a relative module without its dots."""
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom():
            if node.module:
                yield node.module
            yield from (_within(node.module, alias.name) for alias in node.names)


def _loaded(call: ast.Call) -> Iterator[str]:
    """Yield the module that is imported by a call such as `import_module`."""
    for given in (*call.args[:1], *(one.value for one in call.keywords if one.arg == "name")):
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            yield given.value.lstrip(".")


def _within(module: str | None, name: str) -> str:
    return f"{module}.{name}" if module else name


def _origins(tree: ast.Module) -> dict[str, set[str]]:
    """Return the origins of the names that imports bind anywhere in a file."""
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
    """Yield the names of a called object: as written, as imported, and as any method (`.sort`)."""
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
    """Return `a.b.c` for such an expression; empty for any other."""
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
    """Return the depth of nested blocks; inner functions count separately."""
    return max((_depth(statement) for statement in body), default=0)


def _depth(statement: ast.stmt) -> int:
    if isinstance(statement, _Function | ast.ClassDef):
        return 0
    own = 1 if isinstance(statement, _NESTING) else 0
    blocks = [getattr(statement, name, []) for name in ("body", "finalbody")]
    blocks += [handler.body for handler in getattr(statement, "handlers", ())]
    blocks += [case.body for case in getattr(statement, "cases", ())]
    deepest = max(map(_nesting, blocks), default=0)
    # In the syntax tree, `elif` is an `if` in the `else`, but it is no deeper level.
    other = getattr(statement, "orelse", [])
    chained = len(other) == 1 and isinstance(other[0], ast.If) and isinstance(statement, ast.If)
    below = _nesting(other) - 1 if chained else _nesting(other)
    return own + max(deepest, below)
