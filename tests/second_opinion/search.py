"""Inputs for a function of which only the source is known, and what both of its forms do with them."""

from __future__ import annotations

import ast
import contextlib
import inspect
import random
import signal
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import torch
import torch._dynamo  # what is imported late must not be imported while the clock runs
from second_opinion.blame import involved
from second_opinion.cut import Function, Module, functions, method, named
from second_opinion.fills import Draw, Fill
from second_opinion.holes import NOW, Hints, Overrun, Run, StandIn, annotated, hints
from second_opinion.repair import suspect
from test_soundness import Look, poisoned
from torch.overrides import TorchFunctionMode

POISONS = ((6.0e4, 7, 7, True), (-12345.5, -7, 201, True))
AWAY = ("cuda", "npu", "xpu", "hpu", "musa")
LONGEST = 2.0  # seconds that one run may take
IDLE = 150  # runs without anything new, after which there are enough inputs


class Bare(TorchFunctionMode):
    """Every device is the CPU, and a tensor on it says that it is on a GPU."""

    def __torch_function__(
        self, func: Callable[..., Any], kinds: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = {name: here(value) for name, value in (kwargs or {}).items() if name != "pin_memory"}
        if isinstance(kwargs.get("device"), int):
            kwargs["device"] = "cpu"
        name = getattr(func, "__name__", "")
        if name in ("cuda", "npu", "pin_memory", "record_stream"):
            return args[0]
        if func is torch.Tensor.is_cuda.__get__:  # type: ignore[attr-defined]
            return True
        return func(*map(here, args), **kwargs)


def here(value: Any) -> Any:
    kind = value.type if isinstance(value, torch.device) else value if isinstance(value, str) else ""
    return torch.device("cpu") if kind.startswith(AWAY) else value


class Facts(Look):
    def at(self, value: Any, inside: tuple[int, ...] = ()) -> Any:
        if isinstance(value, StandIn):
            return "stand-in", value._path
        if isinstance(value, types.ModuleType | torch.Generator):
            return type(value).__name__
        return super().at(value, inside)


@dataclass(frozen=True)
class Class:
    """A class of the package, without being made: the methods of a stand-in for its instances."""

    module: Module
    node: ast.ClassDef

    def attribute(self, of: StandIn, name: str) -> tuple[Any] | None:
        for owner in self.line():
            for part in owner.node.body:
                match part:
                    case ast.FunctionDef() | ast.AsyncFunctionDef() if part.name == name:
                        words = {word for one in part.decorator_list for word in named(one)}
                        made = method(owner.module, part)
                        if words & {"property", "cached_property"}:
                            return (made(of),)
                        return (made if "staticmethod" in words else types.MethodType(made, of),)
                    case ast.Assign(targets=[ast.Name(id=other)], value=value) if other == name:
                        code = compile(ast.Expression(value), owner.module.name, "eval")
                        return (eval(code, owner.module.names),)
        return None

    def kinds(self, name: str) -> list[str]:
        for owner in self.line():
            for part in owner.node.body:
                match part:
                    case ast.AnnAssign(target=ast.Name(id=other), annotation=annotation) if other == name:
                        return annotated(annotation)
        return []

    def line(self, depth: int = 4) -> Iterator[Class]:
        """The class and those above it, as far as they are in the package."""
        yield self
        for base in self.node.bases if depth else ():
            if isinstance(base, ast.Name) and (found := class_of(self.module, base.id)) is not None:
                yield from found.line(depth - 1)


def class_of(module: Module, name: str, depth: int = 4) -> Class | None:
    match module.binders.get(name):
        case ast.ClassDef() as node:
            return Class(module, node)
        case ast.ImportFrom(module=source, names=names, level=0) if depth and source:
            other = module.world.module(source)
            original = next((alias.name for alias in names if (alias.asname or alias.name) == name), name)
            return class_of(other, original, depth - 1) if other is not None else None
    return None


def typed(module: Module, annotation: ast.expr | None) -> Class | None:
    """The class of the package that an annotation names."""
    text = annotation.value if isinstance(annotation, ast.Constant) else annotation and ast.unparse(annotation)
    for name in filter(str.isidentifier, str(text).replace("[", " ").replace("]", " ").replace("|", " ").split()):
        if (found := class_of(module, name)) is not None:
            return found
    return None


@dataclass(frozen=True)
class Outcome:
    """`lines`: of the file, reached. `what`: "returned", "raised" or "endless"."""

    what: str
    facts: Any
    lines: frozenset[int]
    asked: tuple[str, ...]


class TooLong(Overrun):
    pass


def stop(*_: object) -> None:
    raise TooLong


@contextlib.contextmanager
def bare() -> Iterator[None]:
    """What asks for a GPU gets an answer."""
    answers = {
        "current_device": lambda: 0, "synchronize": lambda *_: None, "get_device_capability": lambda *_: (9, 0),
        "current_stream": lambda *_: StandIn("stream"), "stream": lambda *_: contextlib.nullcontext(),
        "device": lambda *_: contextlib.nullcontext(), "Event": lambda *_, **__: StandIn("event"),
        "empty_cache": lambda: None,
    }  # fmt: skip
    with contextlib.ExitStack() as stack:
        for name, answer in answers.items():
            stack.enter_context(mock.patch.object(torch.cuda, name, answer))
        stack.enter_context(Bare())
        yield


def run(function: Function, fills: dict[str, Fill], hint: Hints, draw: Draw, poison: Any, trace: bool) -> Outcome:
    """One call. Holes that have no fill get one."""
    look = Facts({}, [])
    now = Run(fills, hint, draw, None if trace else look.at)
    lines: set[int] = set()
    name = function.module.world.code_name(function.module.file)

    def local(frame: types.FrameType, event: str, _: Any) -> Any:
        lines.add(frame.f_lineno)
        return local

    def called(frame: types.FrameType, event: str, _: Any) -> Any:
        return local(frame, event, _) if frame.f_code.co_filename == name else None

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, LONGEST if trace else 10 * LONGEST)  # a machine may be busy with others
    NOW.append(now)
    what, facts = "raised", None
    try:
        with poisoned(poison), warnings.catch_warnings(), bare():
            warnings.simplefilter("ignore")
            torch.manual_seed(0)
            random.seed(0)
            if trace:
                sys.settrace(called)
            try:
                args, kwargs = arguments(function, now)
                result = finished(function.made()(*args, **kwargs))
            finally:
                sys.settrace(None)
            what = "returned"
            facts = None if trace else [look.at([result, args, kwargs]), look.at(now.given), now.log]
    except Overrun:
        what = "endless"
    except (Exception, SystemExit) as error:
        facts = type(error).__name__, str(error)[:200], involved(error, now.built) if trace else ()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        NOW.pop()
    return Outcome(what, facts, frozenset(lines), tuple(now.asked))


def finished(result: Any) -> Any:
    if inspect.isgenerator(result):
        return list(result)
    if inspect.iscoroutine(result):
        try:
            result.send(None)
        except StopIteration as end:
            return end.value
        finally:
            result.close()
        raise Overrun
    return result


def arguments(function: Function, now: Run) -> tuple[list[Any], dict[str, Any]]:
    """A fill for each parameter; one that is left at its default is not passed, nor are those behind it by place."""
    spec = function.node.args
    places = [*spec.posonlyargs, *spec.args]
    defaults = [None] * (len(places) - len(spec.defaults)) + list(spec.defaults)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    words = {word for one in function.node.decorator_list for word in named(one)}
    for place, (parameter, default) in enumerate(
        [*zip(places, defaults, strict=True), *zip(spec.kwonlyargs, spec.kw_defaults, strict=True)]
    ):
        path = parameter.arg
        if place == 0 and function.owner is not None and "staticmethod" not in words:
            now.owners[path] = Class(function.module, function.owner)
            args.append(StandIn(path))
            continue
        if (owner := typed(function.module, parameter.annotation)) is not None:
            now.owners[path] = owner
        kinds = annotated(parameter.annotation) or now.hints.of(path)
        if default is not None:
            kinds = kinds + ["default"] * (1 + len(kinds) // 2)
        value = now.get(path, kinds)
        if now.fills[path].kind == "default" and default is not None:
            continue
        if place < len(spec.posonlyargs):
            args.append(value)
        else:
            kwargs[path] = value
    return args, kwargs


@dataclass
class Search:
    """A climb: what reaches more lines is kept, and some holes of it are filled anew."""

    function: Function
    sites: tuple[int, ...]  # lines that are wanted
    seed: int = 0
    inputs: list[dict[str, Fill]] = field(default_factory=list)  # that reach a site and return
    hits: list[frozenset[int]] = field(default_factory=list)  # the sites that each of them reaches
    reached: set[int] = field(default_factory=set)
    errors: dict[str, int] = field(default_factory=dict)  # why the runs that got furthest ended
    tries: int = 0

    def climb(self, tries: int, wanted: int) -> None:
        chance = random.Random(self.seed)
        node = self.function.node
        hint = hints(node, self.function.owner)
        words = tuple(
            part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and part.value is not None
        )
        best: tuple[Any, ...] = ()
        fills: dict[str, Fill] = {}
        asked: tuple[str, ...] = ()
        message, near = "", tuple[str, ...]()
        stale = idle = 0
        done: set[frozenset[int]] = set()
        draw = Draw(chance, 4, words)
        for _ in range(tries):
            self.tries += 1
            trial = dict(fills)
            found = suspect(message, near, asked, fills) if chance.random() < 0.7 else None
            if found is not None:
                paths, kinds = found
                path = paths[min(int(chance.expovariate(0.7)), len(paths) - 1)]
                if kinds:
                    trial[path] = draw.one(chance.choice(kinds))
                elif chance.random() < 0.6:
                    trial[path] = draw.nudged(fills[path], list(fills.values()), message)
                else:
                    trial[path] = draw.any(hint.of(path))
            else:
                for path in blamed(asked, chance):
                    trial.pop(path, None)
            outcome = run(self.function, trial, hint, draw, POISONS[0], trace=True)
            hit = outcome.lines & set(self.sites)
            own = {line for line in outcome.lines if node.lineno <= line <= (node.end_lineno or 0)}
            returned = outcome.what == "returned"
            self.reached |= hit
            idle += 1
            if hit and returned and (outcome.lines not in done or len(self.inputs) < wanted // 2):
                idle = 0
                done.add(outcome.lines)
                self.inputs.append({path: trial[path] for path in outcome.asked})
                self.hits.append(frozenset(hit))
            enough = self.reached >= set(self.sites) and len(self.inputs) >= wanted // 2
            if enough and (len(self.inputs) >= wanted or idle > IDLE):
                return
            fresh = len(hit - {line for line in self.reached if self.inputs}), len(hit), len(own), returned
            if not fills or fresh >= best:
                stale = 0 if fresh > best else stale + 1
                best, fills, asked = fresh, trial, outcome.asked
                message, near = outcome.facts[1:] if outcome.what == "raised" else ("", ())
                if outcome.what == "raised":
                    self.errors = {f"{outcome.facts[0]}: {outcome.facts[1]}": max(own, default=0)}
            else:
                stale += 1
            if stale > 60:
                best, fills, asked, stale, message, near = (), {}, (), 0, "", ()
                draw = Draw(chance, chance.choice((4, 2, 8, 1, 16)), words)


def blamed(asked: tuple[str, ...], chance: random.Random) -> Iterator[str]:
    """Some holes; those that were asked for last are the likeliest cause."""
    for _ in range(chance.choice((1, 1, 1, 2, 3)) if asked else 0):
        back = (
            min(int(chance.expovariate(0.3)), len(asked) - 1) if chance.random() < 0.7 else chance.randrange(len(asked))
        )
        yield asked[-1 - back]


def difference(before: Function, after: Function, fills: dict[str, Fill]) -> str | None:
    """What differs between the two forms; "" is nothing, None that the first form does not repeat itself."""
    hint = hints(before.node, before.owner)
    for poison in POISONS:
        old, again, new = (
            run(function, dict(fills), hint, Draw(random.Random(0)), poison, trace=False)
            for function in (before, before, after)
        )
        if old.what != "returned" or old.facts != again.facts:
            return None
        if new.what != "returned":
            return f"{new.what}: {new.facts}"
        if new.facts != old.facts:
            parts = zip(("result or argument", "attribute of an object", "call"), old.facts, new.facts)
            return f"another {' and '.join(name for name, one, two in parts if one != two)}"
    return ""


def launchers(module: Module, kernel: str) -> list[Function]:
    """The functions of the file that launch a kernel."""
    return [
        function
        for function in functions(module)
        if any(
            isinstance(part, ast.Subscript) and isinstance(part.value, ast.Name) and part.value.id == kernel
            for part in ast.walk(function.node)
        )
    ]
