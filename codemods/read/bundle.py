"""What is told of a proof about a launch that small numbers contradict: an error, and all it takes to see it again."""

from __future__ import annotations

import ast

from codemods.core.effect import Contradiction
from codemods.core.launch import Launch
from codemods.core.report import Notice
from codemods.read.modules import KernelSource


def contradicted(found: Contradiction, kernel: KernelSource, launch: Launch, node: ast.Call) -> Notice:
    """The notice, with a bundle. Constants of the kernel's file are in it; of the rest of the checkout, nothing is."""
    import json

    path, line = kernel.module.path, kernel.function.lineno
    bundle = {
        "kernel": ast.unparse(kernel.function),
        "around": [ast.unparse(call) for call in kernel.around],
        "constants": {name: repr(value) for name, value in kernel.module.constants.items()},
        "launch": ast.unparse(node),
        "understood": repr(launch),
        "proof": {"claim": found.claim, "from": found.place},
        "run": {"found": found.found, "sizes": dict(found.sizes)},
        "stores": list(found.stores),
        "shape": found.shape,
        "grid": found.grid,
    }
    message = f"internal error, please report it: the proof says that {found.claim}, but {found.found}"
    return Notice(path, line, message, internal=True, bundle=json.dumps(bundle, indent=2))
