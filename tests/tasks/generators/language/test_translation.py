"""Translation: done again from the glossary of the prompt, with full tables of endings."""

from __future__ import annotations

import re

from family_contract import FamilyContract
from matches import match_in

from orket_lib.tasks.generators.drafts import Draft
from orket_lib.tasks.generators.language import translation
from orket_lib.tasks.generators.language.translation_words import ADJECTIVES, BEINGS, THINGS

# Determiner and ending of the adjective, by what is said in English and by gender; p is a plural.
NOMINATIVE = {
    "the": {"m": "der e", "f": "die e", "n": "das e", "p": "die en"},
    "a": {"m": "ein er", "f": "eine e", "n": "ein es"},
}
ACCUSATIVE = {
    "the": {"m": "den en", "f": "die e", "n": "das e", "p": "die en"},
    "a": {"m": "einen en", "f": "eine e", "n": "ein es"},
}
SPANISH = {"the": {"m": "el", "f": "la", "mp": "los", "fp": "las"}, "a": {"m": "un", "f": "una"}}
IRREGULAR = {"mice": "mouse", "women": "woman", "men": "man", "knives": "knife"}


class Glossary:
    """The words that a prompt gives."""

    def __init__(self, text: str) -> None:
        self.nouns = {one: rest for one, *rest in re.findall(
            r"(?m)^(\w+) = (\w+) \((\w)\), plural (\w+)$", text)}  # fmt: skip
        self.verbs: dict[str, str] = {}
        for pair in re.findall(r"(?m)^(\w+) = (\w+), (\w+) = (\w+)$", text):
            self.verbs |= dict(zip(pair[::2], pair[1::2], strict=True))
        self.words = dict(re.findall(r"(?m)^(\w+) = (\w+)$", text))

    def phrase(self, english: str, is_object: bool, language: str) -> str:
        """Return a determiner, an adjective and a noun in another language."""
        determiner, adjective, noun = english.lower().split()
        plural = noun not in self.nouns
        one = (IRREGULAR.get(noun) or noun.removesuffix("s")) if plural else noun
        word, gender, several = self.nouns[one]
        noun = several if plural else word
        other = self.words[adjective]
        if language == "German":
            number = self.words.get(determiner)
            table = (ACCUSATIVE if is_object else NOMINATIVE).get(determiner, {})
            article, ending = f"{number} e".split() if number else (
                table["p" if plural else gender].split())  # fmt: skip
            return f"{article} {other}{ending} {noun}"
        forms = SPANISH.get(determiner, {})
        article = self.words.get(determiner) or forms[gender + "p" * plural]
        other = re.sub("o$", "oa"["mf".index(gender)], other) + "s" * plural
        return f"{article} {noun} {other}"

    def sentence(self, english: str, language: str) -> str:
        """Return a whole sentence."""
        clauses = []
        for clause in english.rstrip(".").split(" and "):
            words = clause.split()
            parts = [self.phrase(" ".join(words[:3]), False, language), self.verbs[words[3]],
                     self.phrase(" ".join(words[4:]), True, language)]  # fmt: skip
            clauses.append(" ".join(parts))
        text = (" und " if language == "German" else " y ").join(clauses)
        return text[:1].upper() + text[1:] + "."


class TestTranslation(FamilyContract):
    family = translation

    def agrees(self, draft: Draft) -> bool:
        asked = match_in('"(.*)"', draft.instruction)[1]
        language = "German" if draft.problem.startswith("English = German") else "Spanish"
        if "Rules" not in draft.problem:
            lines = [line.split(" = ") for line in draft.problem.splitlines()[1:]]
            (answer,) = (other for pair in lines for other in pair
                         if asked in pair and other != asked)  # fmt: skip
            return answer == draft.answer
        glossary = Glossary(draft.problem)
        if asked.endswith("."):
            return glossary.sentence(asked, language) == draft.answer
        return glossary.phrase(asked, False, language) == draft.answer

    def wrong(self, draft: Draft) -> list[str]:
        answer = draft.answer
        return [f"{answer} {answer}", f"x{answer}", answer[1:], f"{answer}n" if answer[-1] != "."
                else f"{answer[:-1]}n.", answer.split()[0][:-1] or "?", "das ist es"]  # fmt: skip

    def test_plurals_are_regular_in_spanish(self) -> None:
        plain = str.maketrans("áéíóú", "aeiou")
        for noun in (*BEINGS, *THINGS):
            one, several = (getattr(noun.forms["Spanish"], form) for form in ("singular", "plural"))
            ending = "s" if one[-1] in "aeiou" else "es"
            assert several.translate(plain) == f"{one.translate(plain)}{ending}"

    def test_words_differ(self) -> None:
        for language in ("German", "Spanish"):
            words = [noun.forms[language].singular for noun in (*BEINGS, *THINGS)]
            words += [forms[language] for forms in ADJECTIVES.values()]
            assert len(set(words)) == len(words)
        assert all(noun.english != noun.english_plural for noun in (*BEINGS, *THINGS))
        assert {form["Spanish"][-1] for form in ADJECTIVES.values()} <= {"o", "e"}
