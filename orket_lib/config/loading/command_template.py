"""Templates of commands: a text or a list in a config, split into arguments before anything runs.

Split before anything is filled in, so no value of a placeholder can become an argument.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection

from orket_lib.config.loading.messages import got
from orket_lib.config.sections.fields import IN_A_COMMAND, refuse_placeholders
from orket_lib.vocabulary.errors import ConfigError

Template = str | tuple[str, ...]


def split_template(key: str, template: Template, known: Collection[str]) -> tuple[str, ...]:
    """Return a template's arguments: a text is split as a POSIX shell would, a list is kept.

    Args:
        key: Of the config.
        template: Its value.
        known: The placeholders that the template may have.

    Raises:
        ConfigError: The text has an open quote, there is no command in it, or a placeholder that
            there is not; names `key`.
    """
    try:
        arguments = tuple(shlex.split(template) if isinstance(template, str) else template)
    except ValueError as error:
        raise ConfigError([f"{key}: {str(error).lower()} ({got(template)})"]) from None
    if not arguments or not arguments[0]:
        raise ConfigError([f"{key}: must name a command ({got(template)})"])
    try:
        refuse_placeholders(arguments, known, IN_A_COMMAND)
    except ValueError as error:
        raise ConfigError([f"{key}: {error} ({got(template)})"]) from None
    return arguments
