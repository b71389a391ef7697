"""The settings of the graders for code: one model for each."""

from __future__ import annotations

import ast
from keyword import iskeyword
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StrictInt, model_validator

from orket_lib.sandbox.examples import Call, can_be_returned
from orket_lib.sandbox.file_names import check_file_names
from orket_lib.sandbox.inside.values import MAX_DEPTH
from orket_lib.tasks.grading.code_facts import CONSTRUCTS
from orket_lib.tasks.grading.text_evaluation import Strict, Text

MAX_LITERAL_CHARS = 20_000


def _identifier(name: str) -> str:
    if not name.isidentifier() or iskeyword(name):
        raise ValueError(f"a name of Python, such as `add_numbers`, got {name!r}")
    return name


def _file_name(name: str) -> str:
    check_file_names([name])
    return name


Identifier = Annotated[str, AfterValidator(_identifier)]
FileName = Annotated[str, AfterValidator(_file_name)]


def literal(text: str) -> Any:
    """Return the value of a Python literal.

    Raises:
        ValueError: The text is not a literal.
    """
    if len(text) > MAX_LITERAL_CHARS:
        raise ValueError(f"a Python literal has at most {MAX_LITERAL_CHARS} characters")
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"not a Python literal such as (1, 'a'): {error}") from None


class FunctionExample(Strict):
    """A call and its result: exactly one of expected, expected_python and raises."""

    args: tuple[Any, ...] = ()
    args_python: str | None = Field(
        None, description="instead of args: a literal list or tuple, for values that JSON lacks"
    )
    kwargs: dict[Identifier, Any] = Field({})
    expected: Any = Field(None, description="the value as JSON: a list is a list, 1 is not 1.0")
    expected_python: str | None = Field(
        None, description="the value as a Python literal, such as (1, 2) or {3}"
    )
    raises: Identifier | None = Field(None, description="class name of the exception")

    @model_validator(mode="after")
    def _expects_one_thing(self) -> FunctionExample:
        said = {"expected", "expected_python", "raises"} & self.model_fields_set
        if len(said) != 1:
            raise ValueError("exactly one of expected, expected_python and raises")
        if self.args and self.args_python is not None:
            raise ValueError("args or args_python, not both")
        if self.args_python and not isinstance(literal(self.args_python), list | tuple):
            raise ValueError("args_python: a literal list or tuple of arguments")
        self.call, self.value  # noqa: B018 - they raise if they are invalid
        if self.raises is None and not can_be_returned(self.value):
            raise ValueError(
                f"expected: a plain value, nested at most {MAX_DEPTH} deep, that a call can return"
            )
        return self

    @property
    def call(self) -> Call:
        """The arguments."""
        given = self.args if self.args_python is None else tuple(literal(self.args_python))
        return Call(given, self.kwargs)

    @property
    def value(self) -> Any:
        """The expected value, if no exception is expected."""
        return self.expected if self.expected_python is None else literal(self.expected_python)


class FunctionExamples(Strict):
    """Calls a Python function of the answer; its values must be equal and of the same type."""

    type: Literal["function_examples"]
    function_name: Identifier
    examples: tuple[FunctionExample, ...] = Field(min_length=1, max_length=200)
    tolerance: float = Field(
        0, ge=0, lt=1, description="for floats in values, relative and absolute; 0 means equality"
    )
    timeout_s: float = Field(10, gt=0, le=120, description="for one call")


class CliExample(Strict):
    """A run of the program; outputs that are left out are not checked."""

    args: tuple[str, ...] = ()
    stdin: str = ""
    files: dict[FileName, str] = Field({}, description="created in the working folder first")
    expected_stdout: str | None = None
    expected_stderr: str | None = None
    expected_exit_code: StrictInt = Field(0, ge=0, le=255)

    @model_validator(mode="after")
    def _arguments_can_be_given(self) -> CliExample:
        if any("\0" in argument for argument in self.args):
            raise ValueError("args: an argument can't hold a NUL character")
        return self


class CliExamples(Strict):
    """Runs the answer, a Python program in one or several files, twice with each example."""

    type: Literal["cli_examples"]
    entrypoint: FileName = "main.py"
    artifact_paths: tuple[FileName, ...] = Field(
        (), description="all files of the program; by default only the entrypoint"
    )
    examples: tuple[CliExample, ...] = Field(min_length=1, max_length=100)
    timeout_s: float = Field(10, gt=0, le=120, description="for one start")

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that the answer must contain, the entrypoint first."""
        return tuple(dict.fromkeys((self.entrypoint, *self.artifact_paths)))

    def is_python(self, name: str) -> bool:
        """Return whether a file of an answer must be Python; the entrypoint always must."""
        return name == self.entrypoint or name.endswith(".py")

    @model_validator(mode="after")
    def _files_have_places_of_their_own(self) -> CliExamples:
        for example in self.examples:
            check_file_names([*self.paths, *example.files])
        return self


RUN = FunctionExamples | CliExamples  # the graders that run code of an answer


def _construct(name: str) -> str:
    if name not in CONSTRUCTS:
        raise ValueError(f"one of {', '.join(CONSTRUCTS)}, got {name!r}")
    return name


Construct = Annotated[
    str, AfterValidator(_construct), Field(json_schema_extra={"enum": list(CONSTRUCTS)})
]


class Names(Strict):
    """Names and constructs in the code of an answer."""

    imports: tuple[Text, ...] = Field((), description="modules: `os` includes `os.path`")
    calls: tuple[Text, ...] = Field((), description="`eval`, `math.sqrt`, or any `.sort`")
    names: tuple[Text, ...] = Field((), description="variables and attributes")
    definitions: tuple[Text, ...] = Field((), description="functions, classes, `Class.method`")
    constructs: tuple[Construct, ...] = ()


class Limits(Strict):
    """Limits on the size of the code of an answer."""

    function_lines: Annotated[int, Field(ge=1)] | None = Field(
        None, description="lines of the longest function, from `def` to its last line"
    )
    nesting: Annotated[int, Field(ge=0)] | None = Field(
        None, description="deepest nesting of if, for, while, try, with and match in a function"
    )


class AstRules(Strict):
    """Rules for the Python code of an answer, which is parsed but not run."""

    type: Literal["ast_rules"]
    require: Names = Names()
    forbid: Names = Names()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _asks_for_something(self) -> AstRules:
        if (self.require, self.forbid, self.limits) == (Names(), Names(), Limits()):
            raise ValueError("at least one rule in require, forbid or limits")
        return self


CodeEvaluation = FunctionExamples | CliExamples | AstRules
