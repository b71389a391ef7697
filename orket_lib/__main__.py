"""`python -m orket_lib <command>`: the form that the workflow's rules use."""

import sys

from orket_lib.cli import main

sys.exit(main())
