"""Imported by every Python that has this folder on its path: fails the jobs that a test names.

`WALK_FAIL=run:Q2_K` ends `python -m orket_lib run ...` for that quant before it does anything, the
way a crash would. Nothing of the product knows of it.
"""

import os
import sys

_RULE, _, _WORD = os.environ.get("WALK_FAIL", "").partition(":")

if _RULE:
    _arguments = sys.orig_argv
    if "orket_lib" in _arguments and _RULE in _arguments and any(_WORD in a for a in _arguments):
        os._exit(1)
