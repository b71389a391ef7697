"""A task, in one of the two forms that a bank may contain.

A *question* has a literal prompt and one grader. A *structured task* has parts (instruction,
constraints, signature, examples), from which `prompts` renders the prompt, and one or more graders.
Both have the same interface for asking and grading: `id`, `test_id`, `family`, `tier`, `prompt`,
`evaluations`.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from orket_lib.artifacts.measurements.spec import later
from orket_lib.tasks.grading.code_evaluation import RUN
from orket_lib.tasks.grading.evaluation import Evaluation, Evaluations
from orket_lib.tasks.grading.text_evaluation import (
    Agrees,
    Contains,
    ReasoningGym,
    Regex,
    Strict,
    Text,
)
from orket_lib.tasks.prompts import PromptParts, render
from orket_lib.tasks.tools import OffersTools
from orket_lib.vocabulary.slugs import slug
from orket_lib.vocabulary.validation import words_of

Tier = Annotated[StrictInt, Field(ge=1, le=6, description="1 is the easiest")]
QuestionGrader = Literal[
    "exact", "choice", "number", "json", "regex", "contains", "tool_call", "agrees"
]
# Labels of a question's choices; the options themselves are in its prompt.
LABELS = "ABCDEFGHIJ"

_EVALUATION: TypeAdapter[Evaluation] = TypeAdapter(Evaluation)

Id = Annotated[StrictInt, Field(ge=1, lt=10**15)]


class Question(OffersTools):
    """A prompt, sent unchanged, and one grader."""

    id: Id
    family: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    tier: Tier
    prompt: str = Field(min_length=1)
    grader: QuestionGrader
    expected: Any = Field(
        None,
        description="text for `exact` and `contains`, a label from A to J for `choice`, a number "
        "for `number`, a pattern for `regex`, JSON for `json`, calls for `tool_call`; nothing for "
        "`agrees`",
    )
    form_counts: StrictBool = later(
        False, "the form is part of what is asked; else only content is graded"
    )

    @property
    def written_id(self) -> int:
        """The id as written in the bank."""
        return self.id

    @property
    def test_id(self) -> str:
        """The name of the task in artifacts and baselines."""
        return f"{self.family}-{self.id:04d}"

    @property
    def sent(self) -> dict[str, Any]:
        """What an answer depends on, without anything that grades it."""
        return self.sent_with(self.prompt)

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """The graders."""
        form = {"form_counts": True} if self.form_counts else {}
        return (_EVALUATION.validate_python({**self._evaluation(), **form}),)

    def _evaluation(self) -> dict[str, Any]:
        match self.grader:
            case "regex":
                return {"type": "regex", "pattern": self.expected}
            case "contains":
                return {"type": "contains", "all": [self.expected]}
            case "choice":
                options = dict.fromkeys(LABELS, "-")
                return {"type": "choice", "expected": self.expected, "options": options}
            case "agrees":
                return {"type": "agrees"}
            case plain:
                return {"type": plain, "expected": self.expected}

    @model_validator(mode="after")
    def _expected_fits_grader(self) -> Question:
        if self.grader == "agrees" and self.expected is not None:
            raise ValueError("grader `agrees` compares with the baseline and has no `expected`")
        if self.grader != "agrees" and "expected" not in self.model_fields_set:
            raise ValueError(f"expected: missing, grader `{self.grader}` needs it")
        try:
            self.evaluations  # noqa: B018 - raises if `expected` is invalid
        except ValidationError as error:
            said = words_of(error.errors()[0])
            raise ValueError(
                f"expected {self.expected!r:.60} does not fit grader `{self.grader}`: {said}"
            ) from None
        self.require_possible(self.evaluations)
        return self


_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def _name(name: str) -> str:
    if not _NAMED.fullmatch(name) or not name[-1].isdigit() or slug(name) != name:
        raise ValueError(
            "an id is a whole number >= 1, or text of letters, digits, `.`, `_` and `-` that ends "
            f"with a number, such as T001, got {name[:80]!r}"
        )
    return name


TaskId = Id | Annotated[str, Field(max_length=63, pattern="[0-9]$"), AfterValidator(_name)]


class AcceptanceContract(Strict):
    """The author's notes about acceptance, for people; answers are graded by `evaluation` only.

    Other keys are kept and shown, but never scored.
    """

    model_config = ConfigDict(extra="allow")

    mode: Literal["function", "module", "service", "system"]
    required_artifacts: tuple[str, ...] = ()
    pass_conditions: tuple[str, ...] = ()
    determinism_profile: Literal["strict", "bounded", "convergence"] = "strict"


class IoExample(Strict):
    """An example that is shown in the prompt; a list as input is a list of arguments."""

    input: Any
    output: Any


class StructuredTask(OffersTools):
    """A task in parts."""

    written_id: TaskId = Field(alias="id", description="its number, or text that ends with it")
    tier: Tier
    category: str = Field("general", pattern="^[A-Za-z][A-Za-z0-9 _-]{0,39}$")
    description: str = Field("", description="one line for lists and reports; not in the prompt")
    problem: str = Field("", description="what is to be solved; precedes the instruction")
    instruction: Text
    constraints: tuple[Text, ...] = Field(
        (), description="in words: shown in the prompt, never scored"
    )
    io_examples: tuple[IoExample, ...] = ()
    function_signature: str | None = Field(None, min_length=1)
    acceptance_contract: AcceptanceContract | None = None
    evaluation: Evaluations
    revision: StrictInt | Text = 1

    @model_validator(mode="after")
    def _expected_is_possible(self) -> StructuredTask:
        self.require_possible(self.evaluation)
        return self

    @property
    def id(self) -> int:
        """The number of the task, by which tasks are ordered and selected."""
        if isinstance(self.written_id, int):
            return self.written_id
        return int(self.written_id[len(self.written_id.rstrip("0123456789")) :])

    @property
    def test_id(self) -> str:
        """The name of the task in artifacts and baselines; one path component."""
        return (
            f"{self.family}-{self.id:04d}" if isinstance(self.written_id, int) else self.written_id
        )

    @property
    def family(self) -> str:
        """The category as one lower-case word."""
        return re.sub("[ -]", "_", self.category).lower()

    @property
    def sent(self) -> dict[str, Any]:
        """What an answer depends on, without anything that grades it."""
        return self.sent_with(self.prompt)

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """The graders."""
        return self.evaluation

    @property
    def prompt(self) -> str:
        """The rendered prompt."""
        return render(
            PromptParts(
                problem=self.problem,
                instruction=self.instruction,
                signature=self.function_signature or "",
                constraints=self.constraints,
                examples=tuple((example.input, example.output) for example in self.io_examples),
                evaluations=self.evaluation,
                offers_tools=bool(self.tools),
            )
        )

    @property
    def notes(self) -> dict[str, Any]:
        """The author's own keys in the acceptance contract, which are never scored."""
        return dict(self.acceptance_contract.model_extra or {}) if self.acceptance_contract else {}


def _form(value: Any) -> str:
    """Return the form of a task; only questions have `prompt` or `grader`."""
    if isinstance(value, dict):
        return "question" if {"prompt", "grader"} & set(value) else "structured"
    return "question" if isinstance(value, Question) else "structured"


Task = Question | StructuredTask
AnyTask = Annotated[
    Annotated[Question, Tag("question")] | Annotated[StructuredTask, Tag("structured")],
    Discriminator(_form),
]


def is_graded(task: Task) -> bool:
    """Return whether a right answer is known; otherwise only agreement with the baseline counts."""
    return not any(isinstance(one, Agrees) for one in task.evaluations)


def right_answer(task: Task) -> str | None:
    """Return what the graders expect, in words; None where they name no answer."""
    return "\n".join(filter(None, map(_expected, task.evaluations))) or None


def _expected(asked: Evaluation) -> str | None:
    match asked:
        case Contains():
            return "contains " + ", ".join([*asked.all, " or ".join(asked.any)]).strip(", ")
        case Regex():
            return f"matches {asked.pattern}"
        case ReasoningGym():
            return str(asked.entry.get("answer"))
        case _:
            value = asked.model_dump(mode="json").get("expected")
            return value if isinstance(value, str | None) else json.dumps(value, ensure_ascii=False)


def needs_sandbox(task: Task) -> bool:
    """Return whether grading an answer means running its code."""
    return any(isinstance(one, RUN) for one in task.evaluations)
