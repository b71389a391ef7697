"""How an answer can fail, each with what it means and what to change."""

from __future__ import annotations

from enum import StrEnum


class AnswerFailure(StrEnum):
    """Why an answer did not get its task right."""

    WRONG = "WRONG"
    UNPARSEABLE = "UNPARSEABLE"
    EMPTY = "EMPTY"
    CUT = "CUT"
    TIMEOUT = "TIMEOUT"
    FAULT = "FAULT"


MEANINGS: dict[AnswerFailure, str] = {
    AnswerFailure.WRONG: "another answer than the right one",
    AnswerFailure.UNPARSEABLE: "no form that its grader could read",
    AnswerFailure.EMPTY: "nothing was answered",
    AnswerFailure.CUT: "the answer ended at the limit of its tokens",
    AnswerFailure.TIMEOUT: "no answer within task_timeout_sec",
    AnswerFailure.FAULT: "the server failed the request",
}

# Failures that may have another cause than the quant, with what to change.
ADVICE: dict[AnswerFailure, str] = {
    AnswerFailure.EMPTY: "look at what the server sends, `orket run-task` shows it; a model that "
    "thinks may need a larger max_output_tokens",
    AnswerFailure.CUT: "raise max_output_tokens",
    AnswerFailure.TIMEOUT: "raise task_timeout_sec",
    AnswerFailure.FAULT: "see the server's log",
}
