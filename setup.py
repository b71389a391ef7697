"""Puts the workflow into the wheel: what lies beside the package in a checkout lies inside it.

Everything else about the package is in pyproject.toml.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = ("Snakefile", "rules", "config", "profiles", "models/orket-nano")


class BuildWithWorkflow(build_py):
    """The package, and the workflow in `orket_lib/shipped/`."""

    def run(self) -> None:
        """Build the package, then copy the workflow; an editable install finds it where it is."""
        if self.editable_mode:
            super().run()
            return
        shutil.rmtree(self.build_lib, ignore_errors=True)  # files of an earlier build
        super().run()
        root = Path(__file__).parent
        for name in SHIPPED:
            target = Path(self.build_lib, "orket_lib", "shipped", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if (root / name).is_dir():
                shutil.copytree(root / name, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(root / name, target)


setup(cmdclass={"build_py": BuildWithWorkflow})
