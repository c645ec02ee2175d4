"""Cases run before and after with poisoned memory: an element that was forgotten shows itself.

The other half checks this file: where a page says that the naive rewrite of a refused site is wrong
(`# differs`), running it must show that.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import io
import linecache
import re
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from cases import Case, cases

from codemods import MOST_ROUNDS, Options, rewrite

torch = pytest.importorskip("torch")
from torch.overrides import TorchFunctionMode  # noqa: E402

pytestmark = pytest.mark.torch
try:
    import triton
except ImportError:
    triton = None
CASES = [case for case in cases() if case.runs]
REWRITES = [case for case in CASES if case.kind == "rewrite"]
WRONG = [case for case in CASES if case.differs]
Facts = tuple[Any, ...]

# (floating and complex, signed integer, unsigned integer, bool); None leaves torch's own NaN and largest integer
POISONS = (None, (6.0e4, 7, 7, True), (-12345.5, -7, 201, True))
NEW = {"empty", "empty_like", "empty_strided", "empty_permuted", "new_empty", "new_empty_strided"}


class Poison(TorchFunctionMode):
    """Memory that torch hands out unfilled is filled with something that must not be seen."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        super().__init__()
        self.values = values

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") in NEW and isinstance(result, torch.Tensor):
            with torch.no_grad():
                result.fill_(self.value(result.dtype))
        return result

    def value(self, dtype: torch.dtype) -> Any:
        real, signed, unsigned, truth = self.values
        if dtype == torch.bool:
            return truth
        if dtype.is_floating_point or dtype.is_complex:
            return real if dtype.itemsize > 1 else 1.5
        return signed if dtype.is_signed else unsigned


@pytest.fixture(autouse=True)
def runnable(request: pytest.FixtureRequest) -> None:
    """A kernel needs Triton, which is not there for every platform."""
    params = getattr(getattr(request.node, "callspec", None), "params", {})
    if triton is None and "triton" in getattr(params.get("case"), "before", ""):
        pytest.skip("triton is not installed")


@contextlib.contextmanager
def poisoned(values: tuple[Any, ...] | None) -> Iterator[None]:
    """Inside, unfilled memory holds `values`, and torch computes the same bits every time."""
    was = torch.are_deterministic_algorithms_enabled(), torch.utils.deterministic.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = True
    try:
        with Poison(values) if values else contextlib.nullcontext():
            yield
    finally:
        torch.use_deterministic_algorithms(was[0])
        torch.utils.deterministic.fill_uninitialized_memory = was[1]


def observe(source: str, call: str, values: tuple[Any, ...] | None) -> Facts:
    """All that the caller can see of one call: its result, its arguments afterwards, tensors of the module, what it
    printed; or its exception."""
    printed = io.StringIO()
    with poisoned(values), warnings.catch_warnings(), contextlib.redirect_stdout(printed):
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        try:
            names: dict[str, Any] = {"__name__": "case", "torch": torch}
            linecache.cache["<case>"] = len(source), None, source.splitlines(True), "<case>"  # Triton reads it
            exec(compile(source, "<case>", "exec", dont_inherit=True), names)
            names["record"] = record
            facts = eval(recorded(call), names)
            left = Look({}, []).at({name: value for name, value in names.items() if isinstance(value, torch.Tensor)})
            return ("returned", facts, left, printed.getvalue())
        except Exception as error:
            return ("raised", type(error).__name__)


def recorded(call: str) -> str:
    """`f(a, b)` -> `record(f, a, b)`, so that the arguments can be looked at afterwards."""
    node = ast.parse(call, mode="eval").body
    assert isinstance(node, ast.Call)
    return ast.unparse(ast.Call(ast.Name("record"), [node.func, *node.args], node.keywords))


def record(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Facts:
    look = Look({}, [])
    facts = look.at((args, kwargs))
    shown = look.at(function(*args, **kwargs))
    return facts, shown, look.at((args, kwargs, getattr(function, "__self__", None)))


@dataclass(frozen=True)
class Look:
    """Turns values into plain data; memory is told by the order in which it was first met, so that aliases show."""

    places: dict[int, int]
    kept: list[Any]  # memory that is freed could come back under the same address

    def at(self, value: Any, inside: tuple[int, ...] = ()) -> Any:
        """`inside`: the objects around `value`, which may hold each other."""
        self.kept.append(value)
        match value:
            case torch.Tensor():
                return self.at_tensor(value)
            case list() | tuple() | set():
                return type(value).__name__, [self.at(item, inside) for item in value]
            case dict():
                return [(str(key), self.at(item, inside)) for key, item in value.items()]
            case None | bool() | int() | float() | str() | torch.dtype():
                return repr(value)
            case types.GeneratorType():
                return "generator", [self.at(item, inside) for item in value]
            case types.CoroutineType():
                return self.at(asyncio.run(value), inside)
        named = isinstance(value, types.FunctionType | types.BuiltinFunctionType | types.MethodType | type)
        if named or id(value) in inside:
            return type(value).__name__
        return type(value).__name__, self.at(getattr(value, "__dict__", {}), (*inside, id(value)))

    def at_tensor(self, value: torch.Tensor) -> Facts:
        storage = value.untyped_storage()
        self.kept.append(storage)
        known = self.places.setdefault(storage.data_ptr(), len(self.places)) if storage.nbytes() else None
        place = known, value.storage_offset()
        bits = (
            value.detach()
            .resolve_conj()
            .clone(memory_format=torch.contiguous_format)
            .reshape(-1)
            .view(torch.uint8)
            .tolist()
        )
        kind = str(value.dtype), tuple(value.shape), value.stride(), value.requires_grad, value.is_leaf, value.device
        return type(value).__name__, kind, place, bits


@pytest.mark.parametrize("case", REWRITES, ids=str)
def test_both_forms_agree(case: Case) -> None:
    outcomes = set()
    for call in case.runs:
        before = observe(case.before, call, POISONS[0])
        outcomes.add(before[0])
        for values in POISONS:
            assert observe(case.after, call, values) == before, call
    assert "returned" in outcomes, "no run of this case comes to an end"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_all_codemods_together_agree(case: Case) -> None:
    """Proofs that are right one by one must not be wrong together, whatever page the code is from."""
    fixed = everything(case.before)
    if fixed == case.before:
        return
    for call in case.runs:
        before = observe(case.before, call, POISONS[0])
        if before[0] == "returned":
            for values in POISONS:
                assert observe(fixed, call, values) == before, fixed


def everything(source: str) -> str:
    """`source` after every codemod has done all that it can prove, until nothing is left to do."""
    fixed, rounds = rewrite(source.encode(), "case.py", Options(every=True))
    assert len(rounds) < MOST_ROUNDS, "it does not come to an end"
    return fixed.decode()


@pytest.mark.parametrize("case", [case for case in CASES if case.kind != "rewrite"], ids=str)
def test_what_stays_can_be_run(case: Case) -> None:
    """A refusal that raises would say nothing."""
    assert "returned" in {observe(case.before, call, POISONS[0])[0] for call in case.runs}


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_wrong_rewrite_is_seen(case: Case) -> None:
    """Every marked site by itself, so that one does not hide behind another."""
    for line in {line for line, _ in case.refused}:
        wrong = naive(case, line)
        assert wrong != case.before
        pairs = [(observe(case.before, call, p), observe(wrong, call, p)) for call in case.runs for p in POISONS]
        assert any(before != after for before, after in pairs), case.before.splitlines()[line - 1]


def test_most_refusals_with_a_run_are_seen_to_be_needed() -> None:
    refusals = [case for case in CASES if case.kind == "refusal"]
    assert len(WRONG) >= 0.7 * len(refusals)
    assert {case.page for case in WRONG} == {case.page for case in CASES}


def naive(case: Case, number: int) -> str:
    """The text with the marked line rewritten as somebody would who does not look around."""
    lines = case.before.splitlines()
    line, _, mark = lines[number - 1].partition("  #")
    indent = line[: len(line) - len(line.lstrip())]
    match case.page:
        case "zeros_to_empty":
            line = re.sub(r"\b(new_)?(?:zeros|ones)(_like)?\(", r"\1empty\2(", line)
        case "drop_fill":
            line = re.sub(r"\.(?:zero|fill)_\([^()]*\)", "", line)
        case "drop_prealloc":
            line = f"{indent}pass"
        case "drop_store":
            line = f"{indent}if False:" if line.lstrip().startswith("if ") else f"{indent}pass"
        case "hoist_buffer":
            above = range(number - 2, -1, -1)
            depth = next(n for n in above if re.match(rf"(?!{indent})\s*(?:for|while)\b", lines[n]))
            filled = {"zeros": "zero_()", "ones": "fill_(1)"}.get((re.findall(r"zeros|ones", line) or [""])[0])
            lines[number - 1] = f"{indent}{line.split('=')[0].strip()}.{filled}" if filled else f"{indent}pass"
            outer = lines[depth][: len(lines[depth]) - len(lines[depth].lstrip())]
            return "\n".join([*lines[:depth], outer + line.lstrip(), *lines[depth:]]) + "\n"
        case "make_inplace":
            line = re.sub(r"(\w+) = \1 ([-+*/]{1,2}) (.+)", in_place, line)
            line = re.sub(r"(\w+) = torch\.(\w+)\(\1(?:, )?", r"\1.\2_(", line)
            line = re.sub(r"(\w+) = (\1\..+)", lambda found: re.sub(r"(\.\w+)\(", r"\1_(", found[2]), line)
        case "cat_to_pad":
            line = padded(line)
        case page:
            raise AssertionError(page)
    lines[number - 1] = f"{line}  #{mark}"
    return "\n".join(lines) + "\n"


def in_place(found: re.Match[str]) -> str:
    method = {"+": "add_", "-": "sub_", "*": "mul_", "/": "div_", "//": "floor_divide_"}[found[2]]
    return f"{found[1]}.{method}({found[3]})"


def padded(line: str) -> str:
    """The line with its joins turned into pads by one element, of whatever is no constant."""
    tree = ast.parse(line.strip())
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="cat" | "hstack" | "vstack" as name), args=[ast.List(elts=parts), *_]
            ):
                others = [part for part in parts if not re.search(r"\bz\b|zeros|ones|full|\bzero\b", ast.unparse(part))]
                first = parts[0] not in others
                ends = "0, 0, 1, 0" if name == "vstack" else "1, 0" if first else "0, 1"
                pad = ast.parse(f"torch.nn.functional.pad({ast.unparse(others[0])}, ({ends}))", mode="eval").body
                node.func, node.args, node.keywords = pad.func, pad.args, pad.keywords  # type: ignore[attr-defined]
    return line[: len(line) - len(line.lstrip())] + ast.unparse(tree)


@pytest.mark.parametrize("values", POISONS)
@pytest.mark.parametrize("make", ["torch.empty(3)", "torch.ones(3).new_empty(3)", "torch.empty_like(torch.ones(3))"])
def test_poison_is_seen(make: str, values: tuple[Any, ...] | None) -> None:
    facts = observe("import torch\ndef f():\n    return torch.zeros(3)\n", "f()", values)
    assert facts == observe("import torch\ndef f():\n    return torch.zeros(3)\n", "f()", None)
    assert facts != observe(f"import torch\ndef f():\n    return {make}\n", "f()", values)


def test_an_alias_a_stride_a_dtype_and_an_exception_are_seen() -> None:
    source = "import torch\ndef f(x):\n    return {}\n"
    forms = ["x", "x.clone()", "x.t()", "x.double()", "x.requires_grad_()", "x[0, 5]", "x[5, 0, 0, 0]"]
    outcomes = [observe(source.format(form), "f(torch.ones(2, 2))", None) for form in forms[:-1]]
    assert all(a != b for i, a in enumerate(outcomes) for b in outcomes[:i])
    assert observe(source.format(forms[-1]), "f(torch.ones(2, 2))", None) == outcomes[-1]
