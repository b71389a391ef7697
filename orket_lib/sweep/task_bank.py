"""The task bank of a config: a file, or generated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orket_lib.artifacts.io import write_json
from orket_lib.config.model import SweepConfig
from orket_lib.config.sections.task_bank import GeneralTasks, GeneratedBank
from orket_lib.config.shipped import located
from orket_lib.tasks.bank import TaskBank, load_bank
from orket_lib.tasks.generators.bank import FAMILIES_WITHOUT_CODE, generate
from orket_lib.tasks.generators.gym import gym_bank
from orket_lib.tasks.shipped_banks import SHIPPED_BANKS
from orket_lib.vocabulary.errors import ArtifactError, ConfigError


def bank_of(config: SweepConfig) -> TaskBank:
    """Return the bank that a config names.

    Raises:
        ConfigError: There is none; one line for each problem.
    """
    named = config.task_bank
    try:
        if isinstance(named, str):
            return load_bank(located(named))
        return TaskBank.model_validate(_made(named))
    except ConfigError as error:
        raise ConfigError([f"task_bank.{line}" for line in error.problems]) from None
    except (ArtifactError, OSError) as error:
        known = "" if Path(str(named)).suffix else f"; shipped banks are {', '.join(SHIPPED_BANKS)}"
        raise ConfigError([f"task_bank: {error}{known}"]) from None


def _made(bank: GeneratedBank) -> dict[str, Any]:
    """Return a generated bank in the file format.

    Raises:
        ConfigError: It can't be made; the places are those below `task_bank`.
    """
    kind = "general" if bank.general else "reasoning_gym"
    try:
        if gym := bank.reasoning_gym:
            return gym_bank(gym.families, gym.n, gym.seed)
        asked = bank.general or GeneralTasks()
        families = asked.families or FAMILIES_WITHOUT_CODE
        return generate(families, asked.levels, asked.n, asked.seed, apart=True)
    except ConfigError as error:
        raise ConfigError([f"{kind}.{line}" for line in error.problems]) from None


def keep_bank(config: SweepConfig, bank: TaskBank) -> None:
    """Write a generated bank to the file from which jobs read it."""
    if not isinstance(config.task_bank, str):
        content = bank.model_dump(mode="json", by_alias=True, exclude_unset=True)
        write_json(Path(config.task_bank.path), content)
