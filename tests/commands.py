"""What the tests of the command share: how it is called, and files with one site each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from cli import app

ROOT = Path(__file__).parent.parent
PROVED = "import torch\n\n\ndef f(n, x):\n    out = torch.zeros(n)\n    out.copy_(x)\n    return out\n"
REWRITTEN = PROVED.replace("torch.zeros", "torch.empty")
REFUTED = "import torch\n\n\ndef g(n):\n    out = torch.zeros(n)\n    return out\n"


def invoke(*arguments: object) -> Result:
    """In this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def execute(*arguments: object, cwd: Path, **settings: str) -> subprocess.CompletedProcess[bytes]:
    """As `python -m codemods` in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **settings}
    command = [sys.executable, "-m", "codemods", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, check=False, timeout=60)


def git(*arguments: str, cwd: Path, **settings: Any) -> subprocess.CompletedProcess[bytes]:
    """Without the settings of whoever runs the tests."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(["git", *arguments], cwd=cwd, env=environment, capture_output=True, check=False, **settings)
