"""Templates of commands: a text or a list in a config, split into arguments before anything runs.

Split before anything is filled in, so no value of a placeholder can become an argument.
"""

from __future__ import annotations

import shlex

from orket_lib.config.wording import got
from orket_lib.vocabulary.errors import ConfigError

Template = str | tuple[str, ...]


def split_template(key: str, template: Template) -> tuple[str, ...]:
    """Return a template's arguments: a text is split as a POSIX shell would, a list is kept.

    Raises:
        ConfigError: The text has an open quote, or there is no command in it; names `key`.
    """
    try:
        arguments = tuple(shlex.split(template) if isinstance(template, str) else template)
    except ValueError as error:
        raise ConfigError([f"{key}: {str(error).lower()} ({got(template)})"]) from None
    if not arguments or not arguments[0]:
        raise ConfigError([f"{key}: must name a command ({got(template)})"])
    return arguments
