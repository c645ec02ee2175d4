"""Random small PyTorch programs, biased towards those in which something can be proved.

A program is a few lives of tensors, told side by side: a birth, a complete set of writes, a use. Then most programs are
sabotaged: a statement goes, two change places, an observer or an alias comes in, a stretch is wrapped into control flow.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from fuzz.draw import Draw, Lines, birth, block, dimensions, index, indent, size, tensor_value, value
from fuzz.writes import complete, counted, some

IMPORTS = "import contextlib\nimport torch\n\nKEPT = []\nSEEN = None\n\n"
HELPERS = {
    "same": "def same(t):\n    return t\n\n",
    "keep": "def keep(t):\n    KEPT.append(t)\n\n",
    "peek": "def peek(t):\n    KEPT.append(t.clone())\n\n",
    "look": "def look():\n    return [t.clone() for t in KEPT[:4]]\n\n",
    "overwrite": "def overwrite(t):\n    t[...] = 9.0\n    return t\n\n",
    "boom": "def boom(fail):\n    if fail:\n        raise RuntimeError('boom')\n\n",
    "Swallow": "class Swallow:\n    def __enter__(self):\n        return self\n\n    def __exit__(self, *error):\n        return True\n\n",
}
HEADERS = [
    "def f(x, y, w, m, idx, xs, n, k, flag, fail):",
    "def f(x: torch.Tensor, y: torch.Tensor, w: torch.Tensor, m, idx, xs, n: int, k: int, flag, fail):",
    "def f(x: torch.Tensor, y: torch.Tensor, w: torch.Tensor, m: torch.Tensor, idx: torch.Tensor, xs: list, n: int, k: int, "
    "flag: bool, fail: bool):",
]


def program(seed: int) -> str:
    """The source of one module with a function `f`."""
    d = Draw(random.Random(seed))
    body = weave(d, [life(d) for _ in range(d.one([1, 1, 1, 2, 2, 3]))])
    for _ in range(d.one([0, 1, 1, 2, 2, 3, 3, 4, 5])):
        body = sabotage(d, body)
    body = [("rows, cols = w.shape",), *body] if "rows" in str(body) or "cols" in str(body) else body
    body = [*body, *finish(d)]
    header = d.one(HEADERS)
    if d.chance(0.06):
        body = [*body[:-1], *(yielded(d) if d.chance(0.5) else [("KEPT.append(0)",)]), body[-1]]
    text = "\n".join(block(header, *body)) + "\n"
    return IMPORTS + "".join(helper for name, helper in HELPERS.items() if f"{name}(" in text) + text


def weave(d: Draw, lives: list[list[Lines]]) -> list[Lines]:
    """The statements of all, each in its own order."""
    lives = [list(life) for life in lives]
    if d.chance(0.4):
        return [lines for life in lives for lines in life]
    out: list[Lines] = []
    while any(lives):
        out.append(d.one([life for life in lives if life]).pop(0))
    return out


# lives


def life(d: Draw) -> list[Lines]:
    return d.rng.choices([born, filled, prealloc, renewed], [10, 4, 3, 2])[0](d)


def born(d: Draw) -> list[Lines]:
    dims = dimensions(d)
    o = d.tensor(dims)
    made: list[Lines] = [(f"{o} = {birth(d, dims)}",)]
    if d.chance(0.25):
        made.append(harmless(d, o))
    made += complete(d, o, dims)
    if d.chance(0.3):
        made += complete(d, o, dims)
    return made + ([use(d, o)] if d.chance(0.3) else [])


def filled(d: Draw) -> list[Lines]:
    """A fill in place, of memory of ours or of somebody else."""
    own = d.chance(0.5)
    dims = dimensions(d) if own else (4,)
    o = d.tensor(dims) if own else d.one(["x", "y"])
    made: list[Lines] = [(f"{o} = {birth(d, dims, 0.4) if d.chance(0.6) else tensor_value(d, dims)}",)] if own else []
    if d.chance(0.2):
        made += complete(d, o, dims)
    target = d.one([o, o, o, f"{o}[:]", f"{o}[:{size(d, 2)}]", f"{o}.view(-1)"])
    fill = d.one([".zero_()", ".fill_(2.0)", ".fill_(k)", ".zero_()"])
    made.append((d.one([f"{target}{fill}", f"{target}{fill}", f"{o} = {o}{fill}", f"p = {target}{fill}"]),))
    if d.chance(0.2):
        made.append((f"{o}.zero_()",))
    return made + complete(d, o, dims)


def prealloc(d: Draw) -> list[Lines]:
    """A name that is bound again."""
    dims = dimensions(d)
    o = d.tensor(dims)
    again = (f"{o} = {d.one([tensor_value(d, dims), birth(d, dims), 'x + y', f'same({tensor_value(d, dims)})', 'x'])}",)
    choice: list[Lines] = d.one([
        [again], [again], [block("if flag:", again)], [block("if flag:", again) + block("else:", again)],
        [block("try:", ("boom(fail)",), again) + block("except RuntimeError:", d.one([("pass",), again]))],
        [block(f"for _ in range({size(d, 2)}):", again)], [block("if flag:", again) + block("else:", ("raise ValueError",))],
        [block("with contextlib.suppress(RuntimeError):", ("boom(fail)",), again)], [(f"del {o}",), again],
        [block("while True:", again, ("break",))], [(f"({o} := x + 1)",)], [block(f"for {o} in [x, y]:", ("pass",))],
        [(f"{o}, other = x + 1, y",)], [block("if flag:", ("return x",)), again],
    ])  # fmt: skip
    return [(f"{o} = {birth(d, dims, 0.5)}",), *choice]


def renewed(d: Draw) -> list[Lines]:
    """Born in each turn of a loop."""
    dims = dimensions(d)
    o = d.tensor(dims)
    body: list[Lines] = [(f"{o} = {birth(d, dims)}",), *complete(d, o, dims)]
    if d.chance(0.5):
        body.insert(d.rng.randrange(len(body) + 1), observe(d))
    kept = d.one([("acc.append(o)",), (f"acc.append({o})",), (f"last = {o}",), (f"acc = [{o}]",)])
    body.insert(d.rng.randrange(len(body) + 1), kept)
    loop = d.one([f"for {d.index_name()} in range({size(d, 2)}):", "for _x in xs:", "for _ in (0, 1):"])
    return [("acc, last, o = [], None, None",), block(loop, *body)]


# what happens around


def harmless(d: Draw, o: str) -> Lines:
    """Something that does not look at the elements, or at other memory only."""
    return (d.one([f"s = {o}.shape[0]", f"assert {o}.dim() > 0", f"p = {o}", "z = x + y", f"other = torch.empty_like({o})", "keep(x)",
                   f"view = {o}[:{size(d, 2)}]", f"s = {o}.numel()", "x.add_(1)", "z = torch.zeros(3)", "boom(False)"]),)  # fmt: skip


def use(d: Draw, o: str) -> Lines:
    return (
        d.one([f"keep({o})", f"peek({o})", f"z = {o} + 1", f"z = {o}.sum()", f"KEPT.append({o})", f"z = same({o})"]),
    )


def observe(d: Draw) -> Lines:
    """Something that may look at a tensor, or let others look."""
    o = d.any()
    return d.one([
        (f"peek({o})",), (f"keep({o})",), (f"z = {o}.clone()", "KEPT.append(z)"), (f"KEPT.append({o}.sum())",), ("KEPT.extend(look())",),
        (f"q = {o}",), (f"q = {o}[{index(d)}]", "KEPT.append(q)"), (f"q = {o} if flag else x",), (f"q = flag and {o}",),
        (f"q = same({o})",), (f"SEEN = {o}",), (f"box = [{o}]", "keep(box[0])"), (f"box = {{'a': {o}, 'b': x}}", "peek(box['a'])"),
        block("def g():", (f"return {o} + 0",)) + ("KEPT.append(g())",),
        block(f"def g(t={o}):", ("KEPT.append(t)",)) + ("g()",), (f"g = lambda: {o}.clone()", "KEPT.append(g())"),
        (f"KEPT.append([t + 0 for t in {o}])",), (f"if {o}.sum() > 2: peek(x)",), block("if flag:", (f"peek({o})",)),
        block("if flag:", (f"return {o}",)), block("if n > 3:", ("return x",)), (f"KEPT.append({o}[m].clone())",), (f"x.copy_({o})",),
        (f"y = y + {o}.sum()",), (f"{o}.add_(1)",), (f"{o} += 1",), (f"KEPT.append(float({o}.sum()))",), (f"r = iter({o})", "KEPT.append(next(r))"),
        (f"w[0] = {o}",), (f"out = torch.add({o}, 1)", "KEPT.append(out)"), (f"KEPT.append({o}.tolist())",), (f"KEPT.append(f'{{{o}}}')",),
        (f"gen = (t + 1 for t in {o})", "KEPT.append(list(gen))"), (f"torch.add({o}, 1, out={d.any()})",), (f"r = torch.stack([{o}, {o}])", "keep(r)"),
    ])  # fmt: skip


def disturb(d: Draw) -> Lines:
    """Something that changes what names, numbers or memory stand for."""
    o, p = d.any(), d.any()
    return d.one([
        ("n = n - 1",), ("k = k + 1",), ("k = 1",), ("n, k = k, n",), ("idx.add_(1)",), ("idx.fill_(3)",), ("k = idx",), ("k = int(idx)",), ("s = n",),
        ("x = x[:k]",), ("x = y",), (f"{o} = {p}",), (f"{o} = {o}[:]",), (f"{o} = {o}.clone()",), (f"{o}, {p} = {p}, {o}",), (f"del {o}",),
        (f"{o} = {value(d, (4,))}",), (f"{o} = x if flag else {o}",), (f"({o} := {p})",), ("x.zero_()",), (f"{o}.zero_()",), (f"{o}.fill_(1.0)",),
        (f"{o} = {birth(d, (4,))}",), some(d, o, d.known.get(o, (4,))), some(d, o, d.known.get(o, (4,))), ("boom(fail)",), ("boom(flag)",), (f"{o}.fill_(1 / k)",), (f"{o}.fill_(xs[n])",),
        (f"{o} = torch.full((4,), xs[n], dtype=torch.float32)",), (f"{o} = torch.zeros(8 // k)",), (f"torch.cumsum(x[:k], 0, out={o})",),
        (f"{o} = same({o})",), (f"overwrite({o})",), (f"x = {o}",), (f"y = {o}[:]",), (f"{o} = {o}.t()",), (f"{o} = {o}.view(-1)",), ("xs.append(1.0)",),
        ("xs = xs[1:]",), (f"{o} = {o}.unsqueeze(0)",), (f"{o}.squeeze_()",), (f"{o}.t_()",), (f"{o}.resize_(2)",), (f"{o}.unsqueeze_(0)",),
        ("xs.pop()",), ("w = w[:k]",), (f"{o}.data = y",), (f"{o}.set_(y)",), ("if flag: n = 2",), ("k = k if flag else n",), ("m = ~m",),
        block("def h():", (f"nonlocal {o}", f"{o} = x")) + ("h()",), block("def h():", ("nonlocal k", "k = 1")) + ("h()",), ("assert n == x.shape[0]",),
        ("for n in range(3): pass",), ("if k > 2: return x",), ("x, y = y, x",), (f"{p} = [{o} for _ in xs][0]",), (f"[({o} := t) for t in (x, y)]",),
    ])  # fmt: skip


def wrapped(d: Draw, body: list[Lines]) -> list[Lines]:
    """Some statements in a row under control flow."""
    start = d.rng.randrange(len(body))
    end = d.rng.randrange(start, len(body)) + 1
    inner, more = body[start:end], observe(d) if d.chance(0.5) else disturb(d)
    i = d.index_name()
    made: Lines = d.one([
        block("if flag:", *inner), block("if flag:", *inner) + block("else:", more), block("if not flag:", *inner), block("if n > 0:", *inner),
        block(f"for {i} in range(2):", *inner), block(f"for {i} in range(k):", *inner), block(f"for {i} in range(2):", more, *inner),
        block(f"for {i} in range(2):", *inner, more), block("for t in (x, y):", *inner, ("if flag: break",)) + block("else:", more),
        block("try:", *inner, ("boom(fail)",)) + block("except RuntimeError:", more), block("try:", ("boom(fail)",), *inner) + block("except RuntimeError:", more),
        block("try:", *inner) + block("finally:", more), block("try:", *inner) + block("except RuntimeError:", more) + block("else:", ("boom(fail)",)),
        block("with contextlib.suppress(RuntimeError):", ("boom(fail)",), *inner), block("with contextlib.suppress(Exception):", *inner, ("boom(fail)",)),
        block("with Swallow():", *inner), block("with Swallow():", ("boom(fail)",), *inner), block("with torch.no_grad():", *inner),
        ("match flag:", *indent(block("case True:", *inner)), *indent(block("case _:", more))), block("while True:", *inner, ("break",)),
        block("def inner():", *inner, ("return 0",)) + ("inner()",), block("while k > 1:", *inner, ("k = k - 1",)), block("if 0 < k < n:", *inner),
        block("try:", block("try:", *inner, ("boom(fail)",)) + block("finally:", more)) + block("except RuntimeError:", ("pass",)),
        block(f"for {i} in range(3):", ("if flag: continue",), *inner), block(f"for {i} in range(2):", *inner, (f"if {i} == k: break",)) + block("else:", more),
        block("try:", *inner, ("raise ValueError",)) + block("except ValueError as error:", more), block("try:", *inner, ("return x",)) + block("finally:", more),
        block("with Swallow():", *inner, ("return x",)), block("try:", ("boom(fail)",)) + block("except RuntimeError:", more, ("raise",)) + block("else:", *inner),
        block("if (z := flag) or fail:", *inner) + block("else:", more), block("while n > 2:", ("n = n - 1",), *inner, ("if flag: continue",), more),
    ])  # fmt: skip
    return [*body[:start], made, *body[end:]]


def sabotage(d: Draw, body: list[Lines]) -> list[Lines]:
    steps: list[tuple[Callable[[Draw, list[Lines]], list[Lines]], int]] = [
        (dropped, 2), (swapped, 2), (inserted, 7), (wrapped, 5), (doubled, 1), (edited, 3),
    ]  # fmt: skip
    functions, weights = zip(*steps)
    return d.rng.choices(functions, weights)[0](d, body) if body else body


def dropped(d: Draw, body: list[Lines]) -> list[Lines]:
    place = d.rng.randrange(len(body))
    return body[:place] + body[place + 1 :]


def swapped(d: Draw, body: list[Lines]) -> list[Lines]:
    one, other = d.rng.randrange(len(body)), d.rng.randrange(len(body))
    body = list(body)
    body[one], body[other] = body[other], body[one]
    return body


def inserted(d: Draw, body: list[Lines]) -> list[Lines]:
    """One more statement, anywhere between lines of one block."""
    new = observe(d) if d.chance(0.4) else disturb(d)
    place = d.rng.randrange(len(body) + 1)
    if place < len(body) and len(body[place]) > 1 and d.chance(0.6):
        return [*body[:place], within(d, body[place], new), *body[place + 1 :]]
    return [*body[:place], new, *body[place:]]


def within(d: Draw, lines: Lines, new: Lines) -> Lines:
    place = d.rng.randrange(1, len(lines))
    margin = " " * (len(lines[place]) - len(lines[place].lstrip()))
    if lines[place].lstrip().startswith(("else", "except", "finally", "elif", "case")):
        margin += "    "
    return (*lines[:place], *(margin + line for line in new), *lines[place:])


def doubled(d: Draw, body: list[Lines]) -> list[Lines]:
    place = d.rng.randrange(len(body))
    return [*body[:place], *d.one([[body[place]] * 2, [body[place], *counted(d, d.any(), (4,))]]), *body[place + 1 :]]


EDITS = [("n", "k"), ("k", "n"), ("4", "n"), ("0", "1"), ("1", "0"), ("2", "k"), ("x", "y"), ("-1", "-2"), (":]", ":-1]"), ("[:", "[1:"), ("n", "(n - 1)"),
         ("i", "i + 1"), ("2", "3"), ("flag", "fail"), ("k", "-k"), ("n", "x.shape[0]"), ("fill_", "add_"), ("copy_", "add_"), ("k", "(k + 1)")]  # fmt: skip


def edited(d: Draw, body: list[Lines]) -> list[Lines]:
    """One token of one line exchanged."""
    place = d.rng.randrange(len(body))
    row = d.rng.randrange(len(body[place]))
    line = body[place][row]
    head, separator, tail = line.partition("=")
    wanted = [(old, new) for old, new in EDITS if old in (tail or head)]
    if not wanted:
        return body
    old, new = d.one(wanted)
    changed = (
        f"{head}{separator}{tail.replace(old, new, 1)}"
        if tail and d.chance(0.5)
        else line[::-1].replace(old[::-1], new[::-1], 1)[::-1]
    )
    return [*body[:place], (*body[place][:row], changed, *body[place][row + 1 :]), *body[place + 1 :]]


def yielded(d: Draw) -> list[Lines]:
    return [(f"yield {d.any()}",)]


def finish(d: Draw) -> list[Lines]:
    """What the caller gets to see."""
    names = [name for name in d.known if d.chance(0.6)] or [d.any()]
    together = ", ".join(names)
    return [(d.one([
        f"return {d.any()}", f"return {together}", f"return {together}, x", f"return [{together}]", f"return {d.any()}.clone()",
        f"return {{'a': {d.any()}, 'b': {d.any()}}}", f"return {d.any()} + 1", f"return lambda: ({together},)", "return x", f"keep({d.any()})",
    ]),)]  # fmt: skip
