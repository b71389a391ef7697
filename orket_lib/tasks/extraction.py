"""Finds the code in an answer by the rules in docs/reference/tasks.md, without guessing.

This is text handling in one pass; the code is parsed in a limited process and run in a sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orket_lib.reading.fences import Line, Place, scan
from orket_lib.reading.reasoning import strip_reasoning
from orket_lib.reading.statements import Unparseable
from orket_lib.sandbox.file_names import RefusedName, check_file_names
from orket_lib.tasks.grading.code_evaluation import CliExamples, FunctionExamples
from orket_lib.tasks.grading.evaluation import Evaluation

MAX_BLOCKS = 256
ANSWER = "answer.py"  # the name of code that belongs to no file
_PYTHON = {"python", "python3", "py"}
_FILE_LIKE = re.compile(r"[^\s:=`*\"']{0,200}\.[A-Za-z][A-Za-z0-9]{0,7}")
_NAME_KEYS = {"file", "filename", "name", "path", "title"}
_LEAD = re.compile(r"(?i)(?:\d{1,2}[.)]\s+)?(?:file(?:\s*name)?\s*:?\s+)?")
_COMMENT = re.compile(r"(?i)\s*#+\s*(?:file(?:\s*name)?\s*:?\s+)?(\S+)\s*")


@dataclass(frozen=True)
class Block:
    """A fenced block; `name` is a file name, if the answer gives one."""

    language: str
    name: str | None
    text: str

    @property
    def is_python(self) -> bool:
        """Whether it may be Python: by its label or, without one, by its name."""
        if self.language:
            return self.language in _PYTHON
        return self.name is None or self.name.endswith(".py")


def blocks_of(text: str) -> list[Block]:
    """Return the fenced blocks of a text, in order."""
    found: list[Block] = []
    before = ""
    opened: Line | None = None
    body: list[str] = []
    for line in scan(text.replace("\r\n", "\n")):
        if line.place is Place.OUTSIDE:
            before = line.text if line.text.strip() else before
        elif line.place is Place.OPENING:
            opened, body = line, []
        elif line.place is Place.INSIDE:
            body.append(line.text)
        elif opened:
            found.append(_block(opened, before, body))
            before, opened = "", None
        if len(found) > MAX_BLOCKS:
            raise Unparseable(f"more than {MAX_BLOCKS} code blocks")
    if opened:  # never closed: the final line break is not part of the code
        found.append(_block(opened, before, body[:-1] if body and not body[-1] else body))
    return found


def function_source(answer: str, function: str) -> str:
    """Return the code that defines a function.

    Raises:
        Unparseable: There is none, or it is ambiguous.
    """
    text = strip_reasoning(answer)
    defines = re.compile(
        rf"(?m)^(?:(?:async[ \t]+)?def|class)[ \t]+{function}\b|^{function}[ \t]*[:=]"
    )
    blocks = blocks_of(text)
    if not blocks:
        if defines.search(text):
            return text
        raise Unparseable(f"no code block, and no line that defines `{function}`")
    python = [block for block in blocks if block.is_python]
    if len(python) == 1:
        return python[0].text
    if found := _python([block for block in python if defines.search(block.text)]):
        return found[-1].text
    raise Unparseable(f"none of {len(python)} Python code blocks defines `{function}`")


def program_files(answer: str, paths: Sequence[str]) -> dict[str, str]:
    """Return the files of a program, and other files in the answer.

    Args:
        answer: What the model wrote.
        paths: The required files, the entrypoint first.

    Raises:
        Unparseable: A file is missing, a name is invalid, or a block is ambiguous.
    """
    text = strip_reasoning(answer)
    blocks = blocks_of(text)
    if not blocks and len(paths) == 1 and text.strip():
        return {paths[0]: text}
    files = {_path_of(block.name, paths): block.text for block in blocks if block.name}
    unnamed = _python([block for block in blocks if not block.name])
    if len(paths) == 1 and paths[0] not in files and len(unnamed) == 1:
        files[paths[0]] = unnamed[0].text
    missing = [path for path in paths if path not in files]
    if missing:
        raise Unparseable(
            f"no code block for {', '.join(missing)}; there are {len(unnamed)} without a name"
            + (f" and {', '.join(files)}" if files else "")
        )
    try:
        check_file_names(files)
    except RefusedName as error:
        raise Unparseable(str(error)) from None
    return files


def python_sources(answer: str, evaluations: Sequence[Evaluation]) -> Mapping[str, str]:
    """Return the Python code that rules apply to, by file name.

    If another grader of the task runs code, it is that code.

    Raises:
        Unparseable: There is none.
    """
    for one in evaluations:
        if isinstance(one, FunctionExamples):
            return {ANSWER: function_source(answer, one.function_name)}
        if isinstance(one, CliExamples):
            files = program_files(answer, one.paths)
            return {name: text for name, text in files.items() if one.is_python(name)}
    text = strip_reasoning(answer)
    blocks = blocks_of(text)
    python = "\n".join(block.text for block in _python(blocks)) if blocks else text
    if not python.strip():
        raise Unparseable("no Python code")
    return {ANSWER: python}


def _python(blocks: Sequence[Block]) -> list[Block]:
    """Return the Python blocks: those with a Python label or, if there is none, all candidates.

    If some code has a label, a block without one usually shows its output, or a shell command.
    """
    python = [block for block in blocks if block.is_python]
    return [block for block in python if block.language] or python


def _block(opened: Line, before: str, lines: list[str]) -> Block:
    indent = len(opened.text) - len(opened.text.lstrip())
    body = [line[min(indent, len(line) - len(line.lstrip())) :] for line in lines]
    first, *rest = opened.info.split() or [""]
    language, colon, tail = first.partition(":")
    named = tail if colon and _FILE_LIKE.fullmatch(tail) else None
    if named is None and _FILE_LIKE.fullmatch(first):
        language, named = "", first
    for word in rest:
        key, equals, value = word.partition("=")
        candidate = value.strip("\"'") if equals and key.lower() in _NAME_KEYS else word
        if named is None and _FILE_LIKE.fullmatch(candidate):
            named = candidate
    if named is None:
        named = _only_name(before) or (_comment_name(body[0]) if body else None)
    return Block(language.strip("{}.").lower(), named, "".join(f"{line}\n" for line in body))


def _only_name(line: str) -> str | None:
    """Return the file name that a line consists of; None if it is anything else."""
    plain = line.strip().lstrip("#>-").strip()[:300]
    plain = _LEAD.sub("", plain.replace("`", "").replace("*", ""), count=1).strip().rstrip(":")
    return plain if _FILE_LIKE.fullmatch(plain) else None


def _comment_name(line: str) -> str | None:
    found = _COMMENT.fullmatch(line[:300])
    return found[1] if found and _FILE_LIKE.fullmatch(found[1]) else None


def _path_of(name: str, paths: Sequence[str]) -> str:
    """Return the path that a name in an answer means."""
    plain = name.removeprefix("./")
    same = [path for path in paths if path.rpartition("/")[2] == plain]
    return same[0] if plain not in paths and len(same) == 1 else plain
