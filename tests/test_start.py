"""The ways in which the command is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from commands import PROVED, ROOT, execute

TOLD = "a.py:5:11: zeros_to_empty proved saves 1 launch per call\n"


def test_the_file_is_a_script(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(PROVED)
    command = [sys.executable, str(ROOT / "cli.py"), "check", "--output-format", "concise", "a.py"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, TOLD)


@pytest.mark.parametrize("name", ["cli.py", "cli/__init__.py", "typer_cli.py"])
def test_the_package_is_one_in_a_checkout_with_a_module_of_that_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.py").write_text(PROVED)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("raise SystemExit('not this one')\n")
    result = execute("check", "--output-format", "concise", "a.py", cwd=tmp_path)
    assert (result.returncode, result.stdout.decode()) == (1, TOLD)
