"""`python -m codemods`, also from a directory that has a `cli` of its own."""

from __future__ import annotations

import runpy
from pathlib import Path

if __name__ == "__main__":
    runpy.run_path(str(Path(__file__).parents[1] / "cli.py"), run_name="__main__")
