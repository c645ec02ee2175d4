"""Plain data by itself: conditions, polynomials with choices in them, dtypes, paths, and what an expression may do."""

from __future__ import annotations

import ast
import random

import pytest
from numbers_of import calculated, text

from codemods.core.condition import (
    FALSE,
    TRUE,
    Blind,
    Condition,
    Flag,
    at_least,
    below,
    blind,
    both,
    either,
    equal,
    negated,
    pick,
)
from codemods.core.event import Buffer, Event, Flow, Read, Write
from codemods.core.meta import Meta, dtype_name
from codemods.core.paths import agrees, way
from codemods.core.poly import Atom, Poly, cdiv, div, least, mod, most, named, poly, pow2, rem, replace, trunc
from codemods.core.report import Notice, exit_status
from codemods.core.size import Atom as SizeAtom
from codemods.core.size import as_size, variable
from codemods.core.span import between
from codemods.core.syntax import effects, subject

N, M = named("n", natural=True), named("m", natural=True)
Z = named("z", kind="any")
NUMBERS = [{"n": n, "m": m, "z": z, "f": f} for n in (0, 1, 3) for m in (1, 4) for z in (-5, -1, 2) for f in (0, 1)]
DRAWN = 1_500


def some(chance: random.Random, depth: int = 2) -> Poly:
    if not depth:
        return chance.choice((N, M, Z, N + 1, M * 2, Z * 3 - 1, poly(chance.randint(-3, 3))))
    one, two = some(chance, depth - 1), some(chance, depth - 1)
    by = chance.choice((M, N + 1, poly(3)))  # divisors are >= 1
    return chance.choice((
        one + two, one - two, one * two, div(one, by), mod(one, by), cdiv(one, by), trunc(one, by), rem(one, by),
        least(one, two), most(one, two), pow2(one), pick(question(chance, one, two), one, two),
    ))  # fmt: skip


def question(chance: random.Random, one: Poly, two: Poly) -> Condition:
    first = chance.choice((at_least(one), below(one, two), equal(one, two), Flag("f")))
    return chance.choice((first, negated(first), both(first, at_least(two)), either(first, at_least(two))))


@pytest.mark.parametrize("seed", range(4))
def test_what_polynomials_mean(seed: int) -> None:
    """What is exchanged in them is exchanged everywhere, and what is called the same is the same."""
    chance = random.Random(seed)
    called: dict[str, str] = {}
    for _ in range(DRAWN // 4):
        value, new = some(chance), some(chance, 1)
        old = chance.choice((N, M, Z))
        after = replace(value, lambda atom, old=old, new=new: new if poly(atom) == old else None)
        meant = called.setdefault(str(value), text(value))
        for numbers in chance.sample(NUMBERS, 6):
            given = calculated(text(new), numbers)
            assert meant == text(value) or calculated(meant, numbers) == calculated(text(value), numbers)
            assert not value.natural or calculated(text(value), numbers) >= 0
            if given >= (old == N) + 0 and (old != M or given >= 1):
                moved = numbers | {str(old): given}
                assert calculated(text(after), numbers) == calculated(text(value), moved), (value, old, new, numbers)


def test_what_a_choice_becomes() -> None:
    (n,) = N.atoms
    value = pick(at_least(N - 3), N * 2, Z)
    assert replace(value, lambda atom: poly(5) if atom == n else None) == poly(10)
    assert replace(value, lambda atom: poly(2) if atom == n else None) == Z
    assert "m" in str(replace(value, lambda atom: M if atom == n else None))
    lane = poly(Atom("lane", (7, N), True))
    (moved,) = replace(lane, lambda atom: M if atom == n else None).atoms
    assert (moved.kind, moved.parts) == ("lane", (7, M))
    assert pick(TRUE, N, M) == N and pick(FALSE, N, M) == M


def test_what_is_not_seen_in_a_condition() -> None:
    hidden = Blind("a load")
    assert blind(either(at_least(N), hidden)) == hidden == blind(both(at_least(N), either(hidden, Flag("f"))))
    assert blind(both(at_least(N), either(at_least(M), Flag("f")))) is None
    assert both(at_least(N), FALSE) == FALSE and either(FALSE, at_least(N)) == at_least(N) == both(TRUE, at_least(N))


def test_dtypes_and_layouts() -> None:
    assert dtype_name("torch.half") == "torch.float16" and dtype_name("torch.uint8") == "torch.uint8"
    assert dtype_name("torch.strided") is None is dtype_name(None)
    n = variable(SizeAtom("n", "n", True))
    two, three = as_size(2), as_size(3)
    assert not Meta(plain=True).firm and not Meta(plain=True, rank=2).steady and Meta(plain=True, rank=1).firm
    assert Meta(plain=True, shape=(n, two, three)).firm and not Meta(shape=(n, two)).firm
    assert not Meta(plain=True, shape=(two, n)).firm and Meta(plain=True, shape=(two, n)).steady
    assert not Meta(plain=True, shape=(n, n)).steady and not Meta(plain=True, shape=(as_size(1), n)).steady


def test_a_write_that_depends_on_the_way() -> None:
    buffer, node = Buffer("out"), ast.Pass()
    sure = Write(buffer, None, node, "", sure=True, unless=(frozenset({(3, 1)}),))
    flow = Flow("f", "a.py", "call", (), ((1, 2), (3,), (3,), ()), joins={3: {1: (3, 0), 2: (3, 1)}})
    assert way(flow, [sure]).joins == frozenset({3})
    assert list(way(flow, [sure]).after(2, frozenset())) == [(3, frozenset({(3, 1)}))]
    assert list(way(flow, [Read(buffer, None, node, "")]).after(2, frozenset())) == [(3, frozenset())]
    other = Event(buffer, None, node, "", frozenset({(3, 0), (5, 1)}))
    assert agrees(other.when, frozenset({(3, 0)})) and not agrees(other.when, frozenset({(3, 1)}))


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("int('3', base=f())", True),
        ("int(f())", True),
        ("int(n)", False),
        ("len(x.shape)", False),
        ("list(x)", True),
        ("x.size(0) + n[1:k]", False),
        ("x.size(dim=f())", True),
        ("x.numel(f())", True),
        ("x.item()", True),
        ("x.lazy", True),
        ("x.other", False),
        ("[n, (m, k)]", False),
        ("n if f() else m", True),
        ("-n", False),
        ("(n := 3)", True),
        ("float(x=n)", True),
    ],
)
def test_what_an_expression_may_do(expression: str, found: bool) -> None:
    node = ast.parse(expression, mode="eval").body
    assert bool(effects(node, frozenset({"int", "len", "float"}), frozenset({"lazy"}))) == found
    assert effects(node, frozenset(), frozenset(), raising=True)


def test_what_a_value_is_called() -> None:
    names = []
    for line in ("x: int = f().g()", "(x := f())", "h(x=f())", "x = f().g.h()", "print(f())"):
        tree = ast.parse(line)
        parents = {inner: node for node in ast.walk(tree) for inner in ast.iter_child_nodes(node)}
        call = next(node for node in parents if isinstance(node, ast.Call) and ast.unparse(node) == "f()")
        names.append(subject(call, parents))
    assert names == ["x", "x", "x", "x", "f()"]


def test_the_text_between() -> None:
    source = b"f(a, # one\n  # two\n\n b)\n"
    call = ast.parse(source).body[0].value  # type: ignore[attr-defined]
    assert between(source, call.args[0], call.args[1]) == b", # one\n  # two\n\n "
    assert between(b"f(a, b)", *ast.parse("f(a, b)").body[0].value.args) == b", "  # type: ignore[attr-defined]


def test_the_exit_status() -> None:
    failed, internal = Notice("a.py", 1, ""), Notice("a.py", 1, "", internal=True)
    assert exit_status([failed, internal], forgiving=True) == 2
    assert (exit_status([]), exit_status([failed]), exit_status([failed], forgiving=True)) == (0, 1, 0)
    assert exit_status([], found=True, forgiving=True) == 1
