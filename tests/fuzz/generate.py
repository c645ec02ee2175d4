"""Random small PyTorch programs, biased towards those in which something can be proved.

A program is a few lives of tensors, told side by side: a birth, a complete set of writes, a use. Then most programs are
sabotaged: a statement goes, two change places, an observer or an alias comes in, some are wrapped into control flow.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from fuzz.around import disturb, harmless, observe, use, wrapped
from fuzz.callees import classes, delegated, functions, locals_of, needed, outlined, words
from fuzz.draw import Draw, Lines, birth, block, dimensions, size, tensor_value
from fuzz.results import joined, scratch, updated
from fuzz.templates import served
from fuzz.told import told
from fuzz.writes import complete, counted

IMPORTS = "import contextlib\nimport functools\nimport torch\n\nKEPT = []\nSEEN = None\n\n"
HELPERS = {
    "same": "def same(t):\n    return t\n\n",
    "keep": "def keep(t):\n    KEPT.append(t)\n\n",
    "peek": "def peek(t):\n    KEPT.append(t.clone())\n\n",
    "look": "def look():\n    return [t.clone() for t in KEPT[:4]]\n\n",
    "overwrite": "def overwrite(t):\n    t[...] = 9.0\n    return t\n\n",
    "boom": "def boom(fail):\n    if fail:\n        raise RuntimeError('boom')\n\n",
    "Swallow": (
        "class Swallow:\n    def __enter__(self):\n        return self\n\n"
        "    def __exit__(self, *error):\n        return isinstance(error[1], Exception)\n\n"
    ),
}
HEADERS = [
    "def f(x, y, w, m, idx, xs, n, k, flag, fail):",
    "def f(x: torch.Tensor, y: torch.Tensor, w: torch.Tensor, m, idx, xs, n: int, k: int, flag, fail):",
    (
        "def f(x: torch.Tensor, y: torch.Tensor, w: torch.Tensor, m: torch.Tensor, "
        "idx: torch.Tensor, xs: list, n: int, k: int, "
        "flag: bool, fail: bool):"
    ),
]


def program(seed: int) -> str:
    """The source of one module with a function `f`."""
    return drawn(random.Random(seed))


def drawn(rng: random.Random) -> str:
    d = Draw(rng)
    calls = d.chance(0.6)
    d.methods = calls and d.chance(0.25)
    body = weave(d, [life(d, calls) for _ in range(d.one([1, 1, 1, 2, 2, 3]))])
    for _ in range(d.one([0, 1, 1, 2, 2, 3, 3, 4, 5])):
        body = sabotage(d, body)
        if calls and body and d.chance(0.3):
            body = outlined(d, repaired(body))
    body = repaired(with_extents(body)) if d.chance(0.92) else body
    for _ in range(d.one([0, 0, 1, 1, 2]) if calls and body else 0):
        body = outlined(d, body)
    body = with_extents(body)
    d.known = {name: dims for name, dims in d.known.items() if name in locals_of(body)}
    body = [*body, *finish(d)]
    if d.chance(0.06):
        body = [*body[:-1], *(yielded(d) if d.chance(0.5) else [("KEPT.append(0)",)]), body[-1]]
    header = d.one(HEADERS)
    if any(callee.method for callee in d.callees):
        text = classes(d, block(header.replace("def f(", "def run(self, "), *body))
    else:
        text = "\n".join(block(header, *body)) + "\n"
    text = functions(d) + text
    return IMPORTS + "".join(helper for name, helper in HELPERS.items() if f"{name}(" in text) + text


def with_extents(body: list[Lines]) -> list[Lines]:
    needed = {"rows", "cols"} & words(body) and "rows, cols = w.shape" not in [lines[0] for lines in body if lines]
    return [("rows, cols = w.shape",), *body] if needed else body


def repaired(body: list[Lines]) -> list[Lines]:
    """Statements that need names which are bound further down, put behind those. Else most programs would raise."""
    needs = [needed(lines) for lines in body]
    binds = [locals_of([lines]) for lines in body]
    every, have = set().union(*binds), set()
    out: list[Lines] = []
    waiting = list(range(len(body)))
    while waiting:
        place = next((place for place in waiting if needs[place] & every <= have), waiting[0])
        waiting.remove(place)
        out.append(body[place])
        have |= binds[place]
    return out


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


def life(d: Draw, calls: bool) -> list[Lines]:
    lives = [born, filled, prealloc, renewed, updated, joined, scratch, told, served, delegated]
    return d.rng.choices(lives, [10, 4, 3, 2, 4, 4, 4, 4, *((10, 40) if calls else (0, 0))])[0](d)


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
    choice: list[Lines] = d.one(
        [
            [again],
            [again],
            [block("if flag:", again)],
            [block("if flag:", again) + block("else:", again)],
            [block("try:", ("boom(fail)",), again) + block("except RuntimeError:", d.one([("pass",), again]))],
            [block(f"for _ in range({size(d, 2)}):", again)],
            [block("if flag:", again) + block("else:", ("raise ValueError",))],
            [block("with contextlib.suppress(RuntimeError):", ("boom(fail)",), again)],
            [(f"del {o}",), again],
            [block("while True:", again, ("break",))],
            [(f"({o} := x + 1)",)],
            [block(f"for {o} in [x, y]:", ("pass",))],
            [(f"{o}, other = x + 1, y",)],
            [block("if flag:", ("return x",)), again],
        ]
    )
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


# sabotage


def sabotage(d: Draw, body: list[Lines]) -> list[Lines]:
    steps: list[tuple[Callable[[Draw, list[Lines]], list[Lines]], int]] = [
        (dropped, 2),
        (swapped, 2),
        (inserted, 7),
        (wrapped, 5),
        (doubled, 1),
        (edited, 3),
    ]
    functions, weights = zip(*steps)
    return d.rng.choices(functions, weights)[0](d, body) if body else body


def dropped(d: Draw, body: list[Lines]) -> list[Lines]:
    place = d.rng.randrange(len(body))
    rest = body[:place] + body[place + 1 :]
    missed = (locals_of([body[place]]) - locals_of(rest)) & words(rest)
    return body if missed and d.chance(0.9) else rest


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


EDITS = [
    ("n", "k"),
    ("k", "n"),
    ("4", "n"),
    ("0", "1"),
    ("1", "0"),
    ("2", "k"),
    ("x", "y"),
    ("-1", "-2"),
    (":]", ":-1]"),
    ("[:", "[1:"),
    ("n", "(n - 1)"),
    ("i", "i + 1"),
    ("2", "3"),
    ("flag", "fail"),
    ("k", "-k"),
    ("n", "x.shape[0]"),
    ("fill_", "add_"),
    ("copy_", "add_"),
    ("k", "(k + 1)"),
]


def edited(d: Draw, body: list[Lines]) -> list[Lines]:
    """One token of one line exchanged."""
    place = d.rng.randrange(len(body))
    row = d.rng.randrange(len(body[place]))
    line = body[place][row]
    wanted = [(found, new) for old, new in EDITS for found in re.finditer(_whole(old), line)]
    if not wanted:
        return body
    found, new = d.one(wanted)
    changed = line[: found.start()] + new + line[found.end() :]
    return [*body[:place], (*body[place][:row], changed, *body[place][row + 1 :]), *body[place + 1 :]]


def _whole(token: str) -> str:
    return rf"(?<!\w){re.escape(token)}(?!\w)" if token.isalnum() else re.escape(token)


def yielded(d: Draw) -> list[Lines]:
    return [(f"yield {d.any()}",)]


def finish(d: Draw) -> list[Lines]:
    """What the caller gets to see."""
    names = [name for name in d.known if d.chance(0.6)] or [d.any()]
    together = ", ".join(names)
    return [
        (
            d.one(
                [
                    f"return {d.any()}",
                    f"return {together}",
                    f"return {together}, x",
                    f"return [{together}]",
                    f"return {d.any()}.clone()",
                    f"return {{'a': {d.any()}, 'b': {d.any()}}}",
                    f"return {d.any()} + 1",
                    f"return lambda: ({together},)",
                    "return x",
                    f"keep({d.any()})",
                ]
            ),
        )
    ]
