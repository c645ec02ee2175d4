"""Calls of functions in a kernel: those of the module are traced in place, others may do anything to a pointer."""

from __future__ import annotations

import ast

from codemods.core.condition import FALSE, both
from codemods.read.lanes import NOTHING, Block, Code, Pointer, Row, Value, joined
from codemods.read.modules import Module
from codemods.read.operate import Expressions
from codemods.read.trace import DEEP, Frame, NotUnderstood


class Functions(Expressions):
    def inline(self, code: Code, node: ast.Call) -> Value:
        """A function of the module, with the arguments of this call."""
        state, function = self.state, code.function
        assert function is not None and isinstance(code.module, Module)
        if state.depth >= DEEP:
            raise NotUnderstood(f"`{function.name}` calls itself, line {node.lineno}")
        env = self.arguments(function, code.module, node)
        outer, path = state.frame, state.path
        state.frame = Frame(code.module, env, len(path), len(state.loops))
        state.depth += 1
        if self.run(function.body):
            state.frame.results.append((both(*state.path[len(path) :]), NOTHING))
        results, state.frame, state.path = state.frame.results, outer, path
        state.depth -= 1
        results = [result for result in results if result[0] != FALSE]
        if not results:
            return NOTHING
        value = results[-1][1]
        for test, other in reversed(results[:-1]):
            value = joined(test, other, value, state.blind)
        return value

    def arguments(self, function: ast.FunctionDef, module: Module, node: ast.Call) -> dict[str, Value]:
        listed = function.args
        names = [argument.arg for argument in (*listed.posonlyargs, *listed.args)]
        given = [self.value(part) for part in node.args]
        words = {word.arg or "": self.value(word.value) for word in node.keywords}
        env = dict(zip(names, given, strict=False)) | words
        defaults = dict(zip(names[len(names) - len(listed.defaults) :], listed.defaults, strict=True))
        missing = [name for name in names if name not in env and name not in defaults]
        if (
            listed.vararg
            or listed.kwarg
            or listed.kwonlyargs
            or missing
            or set(env) - set(names)
            or len(given) > len(names)
        ):
            raise NotUnderstood(f"the arguments of `{function.name}`, line {node.lineno}")
        outer, self.state.frame = self.state.frame, Frame(module, {})  # a default knows no name of the caller
        left = {name: self.value(default) for name, default in defaults.items() if name not in env}
        self.state.frame = outer
        return left | env

    def foreign(self, node: ast.Call, values: list[Value]) -> Value:
        """Code that cannot be seen: harmless where it gets no pointer."""
        values = values or [self.value(part) for part in node.args] + [self.value(word.value) for word in node.keywords]
        if any(reaches(value) for value in values):
            raise NotUnderstood(f"`{ast.unparse(node.func)}(..)`, line {node.lineno}")
        return self.unknown(f"`{ast.unparse(node.func)}(..)`", *values)


def reaches(value: Value) -> bool:
    """Memory may be reached through it."""
    match value:
        case Pointer() | Block() | Code():
            return True
        case Row(items=items):
            return any(map(reaches, items))
    return False
