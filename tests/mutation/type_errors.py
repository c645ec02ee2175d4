"""What mypy says of a mutant that no test notices: a check that narrows a type cannot be left out unseen."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import libcst as cst
import libcst.matchers as m
from mutants import ROOT, Mutant
from mypy import api

# of what a mutant looks like, such as `if False:`, and not of its types
LOOKS = re.compile(r"\[(unreachable|redundant-expr|truthy-bool)\]$")


def type_error(mutant: Mutant) -> str:
    """The first error of its file with the mutant in place, or nothing."""
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as changed:
        changed.write(_whole(mutant))
        changed.flush()
        moment = int(mutant.key[:7], 16)  # mypy takes files of one size and one second for the same
        os.utime(changed.name, (moment, moment))
        return _first("--shadow-file", mutant.path, changed.name, mutant.path)


def without_a_change(mutants: list[Mutant]) -> None:
    """Ends the run where mypy finds an error in their files as they are."""
    if mutants and (error := _first(*sorted({mutant.path for mutant in mutants}))):
        sys.exit(f"mypy finds an error without a change: {error}")


def _first(*arguments: str) -> str:
    found, trouble, status = api.run(["--no-error-summary", f"--cache-dir={ROOT / '.mutants' / 'mypy'}", *arguments])
    if trouble or status not in (0, 1):
        sys.exit(f"mypy cannot be run: {trouble or found}")
    return next((line for line in found.splitlines() if ": error: " in line and not LOOKS.search(line)), "")


def _whole(mutant: Mutant) -> str:
    """The file with the mutant in the place of its function."""
    module = cst.parse_module(Path(ROOT, mutant.path).read_text("utf-8"))
    functions = m.findall(module, m.FunctionDef())
    place = next(one for one in functions if module.code_for_node(one).strip("\n") == mutant.before)
    return cst.ensure_type(module.deep_replace(place, cst.parse_statement(mutant.after)), cst.Module).code
