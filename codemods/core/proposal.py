"""What a codemod proposes: an edit and what must be true for it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from codemods.core.edit import Edit
from codemods.core.verdict import Saves


@dataclass(frozen=True, slots=True)
class Proposal:
    """Obligations are tried in order; all must hold."""

    codemod: str
    node: ast.AST  # the call or the statement that would change
    subject: str
    edits: tuple[Edit, ...]
    obligations: tuple[object, ...]
    saves: Saves = field(default_factory=Saves)
