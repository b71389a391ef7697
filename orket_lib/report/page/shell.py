"""What all pages share: one HTML file, which loads nothing and runs nothing but its own script.

Its text is escaped by the template, and what can't be seen in it (control characters, marks that
reverse the reading direction) is shown as escapes. Style and script are named by their hashes in
the page's security policy, so nothing in an answer can become either.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from typing import Any

from markupsafe import Markup

from orket_lib.vocabulary.text import visible

# What is set to the right, and on one line.
_NUMBER = re.compile(r"(?=.{1,24}$)([<>] )?[-+]?[\d.,]+(e[-+]?\d+)?( %| GiB| MiB| of \d+)?|—")


def rendered(template: str, **values: Any) -> str:
    """Return a page.

    Args:
        template: Name of its template, which extends `shell.html.j2`.
        values: What the template names.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("orket_lib.report"),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["numeric"] = lambda cell: _NUMBER.fullmatch(cell) is not None
    style, script = (
        Markup(environment.get_template(name).render().strip())
        for name in ("page.css.j2", "page.js.j2")
    )
    return environment.get_template(template).render(
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        **values,
    )


def _visible(value: object) -> object:
    return value if isinstance(value, Markup) else visible(str(value))


def _hash(content: str) -> str:
    return b64encode(hashlib.sha256(content.encode()).digest()).decode()
