"""README, docs and CONTRIBUTING: links lead somewhere, and what they say is what the code has."""

from __future__ import annotations

import argparse
import ast
import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from docs_site import anchor

from orket_lib import cli
from orket_lib.config.loading.parse import parse
from orket_lib.vocabulary.null_reasons import NullReason
from orket_lib.vocabulary.reasons import Reason, Severity, severity
from orket_lib.vocabulary.statuses import ADVICE, AnswerFailure, DecisionStatus

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    ROOT / "config" / "README.md",
    ROOT / "config" / "presets" / "README.md",
    *sorted(DOCS.rglob("*.md")),
]
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
LOCK = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RULES = {
    name: path.name
    for path in [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]
    for name in re.findall(r"^rule (\w+):", path.read_text(encoding="utf-8"), re.M)
}


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    return {anchor(heading, "-") for heading in re.findall(r"^#+ (.+)$", text, re.M)}


def prose(text: str) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"```.*?```", "", text, flags=re.S)


@pytest.mark.parametrize("page", TEXTS)
def test_every_link_leads_somewhere(page: str) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(TEXTS[page])):
        if link.startswith("http"):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        if not target.exists() or (
            anchor and anchor not in anchors(target.read_text(encoding="utf-8"))
        ):
            broken.append(link)
    assert broken == []


def test_every_page_is_linked_from_the_overview() -> None:
    pages = {name.removeprefix("docs/") for name in TEXTS if name.startswith("docs/")}
    linked = set(re.findall(r"\]\(([^)#]+)", TEXTS["docs/README.md"]))
    assert pages - linked == {"README.md"}


def test_every_page_is_in_the_menu_of_the_site_once() -> None:
    menu = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    entries = re.findall(r"'([^']+\.md)'", str(menu))
    assert sorted(f"docs/{entry}" for entry in entries) == [
        name for name in sorted(TEXTS) if name.startswith("docs/")
    ]


def test_the_readme_is_short() -> None:
    assert TEXTS["README.md"].count("\n") <= 100


@pytest.mark.parametrize("page", [page for page in TEXTS if page != "CHANGELOG.md"])
def test_the_words_are_those_of_the_field(page: str) -> None:
    found = re.findall(r"(?i)\b(nobody|somebody|told|stands|beside|likewise)\b", TEXTS[page])
    assert found == []


# --- commands and config -------------------------------------------------------------------------


@cache
def options_of(name: str) -> set[str]:
    """Return the options of a command and of its actions, as they are typed."""
    (commands,) = (
        action
        for action in cli.parser_of(name)._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return set(_options(commands.choices[name]))


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from _options(child)


def test_every_command_is_described() -> None:
    listed = re.findall(r"^\| `orket ([\w-]+)", TEXTS["docs/reference/commands.md"], re.M)
    assert listed == [name for group in cli.GROUPS for name in group.commands]
    assert all(
        f"`{older}` (`{name}`)" in flat("docs/reference/commands.md")
        for older, name in cli.ALIASES.items()
    )


def flat(page: str) -> str:
    return " ".join(TEXTS[page].split())


@pytest.mark.parametrize("page", TEXTS)
def test_forced_rules_exist(page: str) -> None:
    """As a module, the rules have a prefix."""
    forced = re.findall(r"(?<=-R )[a-z_]+(?: [a-z_]+)*", TEXTS[page])
    named = {word.removeprefix("orket_") for words in forced for word in words.split()}
    assert named - set(RULES) - {"kpi_gate"} == set()  # of what is wrong to type, a target


def test_commands_name_the_rules_that_call_them() -> None:
    page = TEXTS["docs/reference/commands.md"]
    named = re.findall(r"^\| `orket ([\w-]+)` \|[^|]+\| `([a-z_]+)` \|", page, re.M)
    assert len(named) > 12
    for command, rule in named:
        text = (ROOT / "rules" / RULES[rule]).read_text(encoding="utf-8")
        assert f"python -m orket_lib {command} " in text


@pytest.mark.parametrize("page", [page for page in TEXTS if page != "CHANGELOG.md"])
def test_every_command_line_has_options_that_there_are(page: str) -> None:
    unknown = []
    lines = re.findall(r"(?:^|`)orket ([^`\n#]+)", TEXTS[page], re.M)
    for line in lines:
        name, *words = line.split()
        if name in cli.ALIASES or not re.fullmatch(r"[a-z][a-z-]+", name):
            continue
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        unknown += [(line, option) for option in used - options_of(name) - {"--help"}]
    assert unknown == []


def test_every_config_key_is_described() -> None:
    schema = json.loads((DOCS / "schemas" / "sweep_config.schema.json").read_text("utf-8"))
    named = set(re.findall(r"`(\w+)`", TEXTS["docs/reference/config.md"]))
    assert set(schema["properties"]) - named == set()


@pytest.mark.parametrize(
    "page", [page for page in TEXTS if page.startswith(("docs/guides", "docs/tutorial"))]
)
def test_configs_in_guides_are_configs(page: str) -> None:
    base = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    for block in re.findall(r"```yaml\n(.*?)```", TEXTS[page], re.S):
        parse(base | yaml.safe_load(block))


# --- FAQ -----------------------------------------------------------------------------------------

FAQ = TEXTS["docs/guides/faq.md"]
FAQ_ROWS = [re.split(r" (?<!\\)\| ", row[2:-2]) for row in FAQ.splitlines() if row.startswith("| ")]


def _spans(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


@cache
def _literals() -> tuple[str, ...]:
    """Return the text of every string in the library, up to each placeholder."""
    files = sorted((ROOT / "orket_lib").rglob("*.py"))
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))))
    values = (node.value for node in nodes if isinstance(node, ast.Constant))
    return tuple(value for value in values if isinstance(value, str))


def test_every_code_in_the_faq_is_one_that_there_is() -> None:
    codes = set(re.findall(r"`([A-Z][A-Z_]{3,})`", FAQ))
    assert len(codes) > 25
    assert codes - {*NullReason, *Reason, *AnswerFailure, *DecisionStatus} == set()


def test_the_faq_has_whatever_spoils_an_answer_or_a_row() -> None:
    spoiling = {reason for reason in Reason if severity(reason) is not Severity.NOTE}
    assert {*ADVICE, *spoiling} - set(_spans(FAQ)) == set()


def test_messages_in_the_faq_are_those_of_the_code() -> None:
    seen = [span for row in FAQ_ROWS for span in _spans(row[0]) if " " in span]
    seen += [span for span in _spans(FAQ) if "..." in span and span not in seen]
    assert len(seen) > 12
    parts = [part.strip() for message in seen for part in message.split("...")]
    assert [part for part in parts if not any(part in text for text in _literals())] == []


def test_settings_in_the_faq_are_settings() -> None:
    base = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    todo = " ".join(row[-1] for row in FAQ_ROWS)
    settings = [span for span in _spans(todo) if re.match(r"\w+: ", span)]
    assert len(settings) > 8
    for setting in settings:
        parse(base | yaml.safe_load(setting))


# --- architecture --------------------------------------------------------------------------------


def test_the_picture_is_what_the_linter_enforces() -> None:
    picture = re.search(r"```text\n(.*?)```", TEXTS["docs/ARCHITECTURE.md"], re.S)
    assert picture
    drawn = [line.strip() for line in picture[1].splitlines() if line.strip(" |")]
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    assert drawn == [layer.replace("orket_lib.", "") for layer in layers]


def test_every_package_has_its_line() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", TEXTS["docs/ARCHITECTURE.md"], re.M)
    named = {name for row in rows for name in re.findall(r"\w+", row)}
    folders = {path.parent.name for path in (ROOT / "orket_lib").glob("*/__init__.py")}
    assert named == folders


def test_every_rule_is_in_the_dag() -> None:
    named = set(re.findall(r"\b[a-z_]+\b", TEXTS["docs/ARCHITECTURE.md"]))
    assert set(RULES) - named - {"all"} == set()


@pytest.mark.parametrize("title", ["from `snakemake` to the HTTP request", "`n_ctx` from YAML"])
def test_a_journey_is_short(title: str) -> None:
    journey = (
        TEXTS["docs/ARCHITECTURE.md"].partition(f"## Journey: {title}")[2].partition("\n## ")[0]
    )
    files = re.findall(r"^\d+\. \[(.+?)\]\(\.\./(.+?)\)", journey, re.M)
    assert 5 < len(files) <= 10
    assert all(name == path and (ROOT / path).is_file() for name, path in files)


# --- traps ---------------------------------------------------------------------------------------

TRAPS = re.findall(
    r"^\| T(\d+) \| .+? \| .+? \| \[.+?\]\(\.\./(.+?)\) \| \[.+?\]\(\.\./(.+?)\) \|$",
    TEXTS["docs/TRAPS.md"],
    re.M,
)


def test_every_trap_has_its_row() -> None:
    assert [int(number) for number, *_ in TRAPS] == list(range(1, 37))


@pytest.mark.parametrize(("number", "file", "test"), TRAPS, ids=lambda value: value[:12])
def test_a_trap_is_closed_in_a_file_and_has_a_test(number: str, file: str, test: str) -> None:
    assert (ROOT / file).exists()
    assert f"def test_t{int(number):02d}_" in (ROOT / test).read_text(encoding="utf-8")


# --- lock ----------------------------------------------------------------------------------------


def test_the_lock_pins_every_dependency_and_names_no_host() -> None:
    lines = LOCK.splitlines()
    assert all(re.fullmatch(r"[\w.-]+==[\w.+!-]+", line) for line in lines)
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines}
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    names = {re.split(r"[^\w.-]", item)[0].lower().replace("_", "-") for item in wanted}
    assert names - pinned == set()
