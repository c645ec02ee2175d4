"""Random small Triton kernels, and functions that allocate memory and launch them.

A kernel starts out as one that stores all of a tensor (or two of them, one after the other), in one of many spellings.
Then most are sabotaged: a token, a line, the grid.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from fuzz.draw import Draw, Lines, block
from fuzz.hosts import hosted

HEADER = "import torch\nimport triton\nimport triton.language as tl\n\nKEPT = []\nSEEN = None\n\n"
HELPER = {
    "place": "@triton.jit\ndef place(pid, B: tl.constexpr):\n    return pid * B + tl.arange(0, B)\n\n",
    "put": "@triton.jit\ndef put(p, v, mask):\n    tl.store(p, v, mask=mask)\n\n",
    "twice": "@triton.jit\ndef twice(v):\n    return v + v\n\n",
}
HOSTED = 0.4
SIZED = "def f(x: torch.Tensor, y: torch.Tensor, w: torch.Tensor, m, idx, xs, n: int, k: int, flag, fail):"
EDITS = [
    ("0", "1"), ("1", "0"), ("1", "2"), ("n", "(n - 1)"), ("n", "m"), ("m", "n"), ("<", "<="), ("<", "=="), ("B", "2"),
    ("i", "(i + 1)"), ("pid", "(pid + 1)"), ("pid", "0"), ("+", "-"), ("*", "+"), ("n", "n // 2"), ("B", "(B - 1)"),
    ("mask", "i < 3"), ("//", "%"), ("%", "//"), ("0.0", "1.0"), ("2.0", "0.0"), ("B", "B * 2"), ("i", "i * 2"),
    ("a", "o"), ("cdiv(n, B)", "n"), ("n", "n + 1"), (" & ", " | "), ("pid == 0", "pid != 0"),
]  # fmt: skip


@dataclass
class Made:
    """A kernel, how it is launched on an output `o` with `dims`, and which names it knows."""

    name: str
    header: str
    body: list[Lines]
    grid: str
    given: str
    dims: int = 1
    helpers: set[str] = field(default_factory=set)


def value(d: Draw, i: str = "i", mask: str = "mask") -> str:
    return d.one(
        [
            "2.0", "0.0", "1.0", f"tl.load(a + {i}, mask={mask})", f"tl.load(a + {i}, mask={mask}, other=0.0) + 1.0",
            f"tl.load(a + {i}, mask={mask})", f"twice(tl.load(a + {i}, mask={mask}))",  "tl.zeros([B], tl.float32)",
            f"tl.load(o + {i}, mask={mask}) + 1.0", f"tl.load(o + {i}, mask={mask})",
            f"tl.where({i} < 2, 1.0, 0.0)", "n * 1.0", f"{i}.to(tl.float32)",
            "tl.full([B], 3.0, tl.float32)",
        ]
    )  # fmt: skip


def store(d: Draw, i: str = "i", mask: str = "mask", given: str = "") -> str:
    given = given or value(d, i, mask)
    return d.one([f"tl.store(o + {i}, {given}, mask={mask})"] * 5 + [f"put(o + {i}, {given}, {mask})"])


def flat(d: Draw, name: str) -> Made:
    """A block of elements a program."""
    spelled = d.one(["pid * B + tl.arange(0, B)", "place(pid, B)", "tl.arange(0, B) + B * pid", "pid * B + lane"])
    body: list[Lines] = [("pid = tl.program_id(0)",)]
    if "lane" in spelled:
        body.append(("lane = tl.arange(0, B)",))
    body.append((f"i = {spelled}",))
    if d.chance(0.15):
        body.append(("i = n - 1 - i",))
        body.append(("mask = (i < n) & (i >= 0)",))
    else:
        body.append((d.one(["mask = i < n", "mask = n > i", "mask = (i < n) & (i >= 0)", "mask = i <= n - 1"]),))
    body += writes(d)
    grid = d.one(
        [
            "(triton.cdiv(n, B),)",
            "(triton.cdiv(n, B),)",
            "((n + B - 1) // B,)",
            "lambda meta: (triton.cdiv(n, meta['B']),)",
        ]
    )
    return Made(name, "o, a, n, m, B: tl.constexpr", body, grid, "{o}, {a}, n, m, B=B")


def writes(d: Draw) -> list[Lines]:
    """All of a block, once or more often."""
    one = store(d)
    return d.one(
        [
            [(one,)],
            [(one,)],
            [(one,), (store(d),)],
            [("tl.store(o + i, 0.0, mask=mask)",), (one,)],
            [("v = " + value(d),), (store(d, given="v"),)],
            [block("if m > 2:", (one,)) + block("else:", (store(d),))],
            [block("if m > 2:", ("tl.store(o + i, 0.0, mask=mask)", "return")), (one,)],
            [(store(d, mask="mask & (i < m)"),), (store(d, mask="mask & (i >= m)"),)],
            [("total = tl.zeros([B], dtype=tl.float32)",), block("for j in range(m):", ("total += tl.load(a + j)",)),
             (store(d, given="total"),)],
            [block("for j in range(2):", (one,))],
            [block("for j in range(m):", (one,))],
            [("seen = False",), block("for j in range(m):", block("if j > 2:", ("seen = True", one))),
             block("if seen == False:", ("tl.store(o + i, 0.0, mask=mask)",))],
            flagged(d),
        ]
    )  # fmt: skip


def flagged(d: Draw) -> list[Lines]:
    """An accumulator of zeros that is stored, and a store of zeros if nothing was added to it."""
    const = d.one(["tl.zeros([B], dtype=tl.float32)", "tl.full([B], 2.0, tl.float32)"])
    unset, done = d.one([("False", "True"), ("0", "1")])
    test = d.one([f"seen == {unset}", "not seen"])
    found = (f"seen = {done}", "total += tl.load(a + i, mask=mask)")
    return [
        (f"seen = {unset}",),
        (f"total = {const}",),
        block("for j in range(m):", block("if tl.load(a + j) > 2.0:", found)),
        ("tl.store(o + i, total, mask=mask)",),
        block(f"if {test}:", (f"tl.store(o + i, {const}, mask=mask)",)),
    ]  # fmt: skip


def rows(d: Draw, name: str) -> Made:
    """A row a program, in one block or in a loop over blocks."""
    stride = d.one(["n", "n", "s0"])
    body: list[Lines] = [("row = tl.program_id(0)",)]
    if d.chance(0.3):
        body.append((d.one(["if row >= m: return", "if row > m - 1: return"]),))
    body.append((f"o += row * {stride}",) if d.chance(0.5) else ("pass",))
    base = "o" if "o +=" in str(body) else f"o + row * {stride}"
    given = d.one(["2.0", "0.0", "tl.load(a + j, mask=mask)", "row * 1.0", "tl.zeros([B], tl.float32)"])
    inner: Lines = ("j = c + tl.arange(0, B)", "mask = j < n", f"tl.store({base} + j, {given}, mask=mask)")
    if d.chance(0.2):
        inner = (*inner[:2], f"tl.store({base} + j, 0.0, mask=mask)", *inner[2:])
    body.append(
        d.one(
            [
                block("for c in range(0, n, B):", inner),
                block("for c in tl.range(0, n, B):", inner),
                ("c = 0", *inner),
                block("for step in range(tl.cdiv(n, B)):", ("c = step * B", *inner)),
            ]
        )
    )
    grid = d.one(["(m,)", "(m,)", "({o}.shape[0],)", "[m]", "(m, 1)"])
    return Made(name, "o, a, n, m, s0, B: tl.constexpr", body, grid, "{o}, {a}, n, m, {o}.stride(0), B=B", 2)


def tiles(d: Draw, name: str) -> Made:
    """Tiles of a matrix, with a grid of two dimensions or of one."""
    one = d.chance(0.5)
    body: list[Lines] = (
        [("pid = tl.program_id(0)",), ("cols = tl.cdiv(n, B)",), ("p, q = pid // cols, pid % cols",)]
        if one
        else [("p = tl.program_id(0)",), ("q = tl.program_id(1)",)]
    )
    if one:
        body[-1:] = [("p = pid // cols",), ("q = pid % cols",)]
    body += [
        ("r = p * B + tl.arange(0, B)",),
        ("c = q * B + tl.arange(0, B)",),
        (d.one(["mask = (r[:, None] < m) & (c[None, :] < n)", "mask = (r < m)[:, None] & (c < n)[None, :]"]),),
        (
            d.one(
                [
                    "i = r[:, None] * s0 + c[None, :]",
                    "i = r[:, None] * n + c[None, :]",
                    "i = c[None, :] + s0 * r[:, None]",
                ]
            ),
        ),
    ]
    given = d.one(["2.0", "0.0", "tl.zeros((B, B), tl.float32)", "tl.load(a + c, mask=c < n)[None, :]"])
    body += [(f"tl.store(o + i, {given}, mask=mask)",)] * d.one([1, 1, 2])
    product = "triton.cdiv(m, {B}) * triton.cdiv(n, {B})"
    flat = [f"({product.format(B='B')},)", "lambda meta: ({},)".format(product.format(B="meta['B']"))]
    grid = d.one(flat if one else ["(triton.cdiv(m, B), triton.cdiv(n, B))", "(triton.cdiv(n, B), triton.cdiv(m, B))"])
    return Made(name, "o, a, n, m, s0, B: tl.constexpr", body, grid, "{o}, {a}, n, m, {o}.stride(0), B=B", 2)


def single(d: Draw, name: str) -> Made:
    """An element a program; perhaps element 0 apart, or two in a program."""
    body: list[Lines] = [("pid = tl.program_id(0)",)]
    given = d.one(["2.0", "0.0", "tl.load(a + pid)", "pid * 1.0"])
    choice = d.one(["plain", "plain", "prefix", "pair", "loop", "first", "guard"])
    grid = "(n,)"
    match choice:
        case "plain":
            body.append((f"tl.store(o + pid, {given})",))
        case "guard":
            body += [block("if pid < n:", (f"tl.store(o + pid, {given})",))]
            grid = d.one(["(n,)", "(n + 2,)", "(8,)"])
        case "prefix":
            body += [block("if pid == 0:", ("tl.store(o, 0.0)",)), (f"tl.store(o + pid + 1, {given})",)]
            grid = "(n - 1,)"
        case "pair":
            body += [(f"tl.store(o + 2 * pid, {given})",), ("tl.store(o + 2 * pid + 1, 1.0, mask=2 * pid + 1 < n)",)]
            grid = d.one(["(triton.cdiv(n, 2),)", "(n // 2,)", "((n + 1) // 2,)"])
        case "loop":
            body += [
                block("for j in range(pid, n, tl.num_programs(0)):", (f"tl.store(o + j, {given.replace('pid', 'j')})",))
            ]
            grid = d.one(["(2,)", "(k,)", "(1,)", "(n,)"])
        case "first":
            body += [block("if pid > 0:", ("return",)), block("for j in range(n):", ("tl.store(o + j, 0.0)",))]
    return Made(name, "o, a, n, m", body, grid, "{o}, {a}, n, m")


KINDS: list[tuple[Callable[[Draw, str], Made], int]] = [(flat, 6), (rows, 3), (tiles, 3), (single, 4)]


def kernel_program(seed: int) -> str:
    """The source of a module with one or two kernels and a function `f` that launches them."""
    d = Draw(random.Random(seed))
    if d.chance(HOSTED):
        return HEADER + hosted(d)
    functions, weights = zip(*KINDS)
    kernels: list[Made] = [d.rng.choices(functions, weights)[0](d, f"kernel{i}") for i in range(d.one([1, 1, 1, 2]))]
    for made in kernels:
        for _ in range(d.one([0, 0, 0, 1, 1, 2])):
            sabotaged(d, made)
    host = launching(d, kernels)
    for _ in range(d.one([0, 0, 0, 1])):
        host = edited_host(d, host)
    parts = [
        "\n".join(("@triton.jit", *block(f"def {made.name}({made.header}):", *made.body))) + "\n\n" for made in kernels
    ]
    text = "".join(parts)
    helpers = "".join(lines for name, lines in HELPER.items() if f"{name}(" in text)
    return HEADER + helpers + text + "\n".join(block(SIZED, *host)) + "\n"


def sabotaged(d: Draw, made: Made) -> None:
    kind = d.one(["token", "token", "token", "drop", "swap", "double", "grid", "if"])
    place = d.rng.randrange(len(made.body))
    match kind:
        case "token":
            row = d.rng.randrange(len(made.body[place]))
            lines = made.body[place]
            made.body[place] = (*lines[:row], token(d, lines[row]), *lines[row + 1 :])
        case "grid":
            made.grid = token(d, made.grid)
        case "drop" if len(made.body) > 1:
            del made.body[place]
        case "swap":
            other = d.rng.randrange(len(made.body))
            made.body[place], made.body[other] = made.body[other], made.body[place]
        case "double":
            made.body.insert(place, made.body[place])
        case "if":
            test = d.one(["pid == 0", "m > 2", "n > 3", "tl.load(a) > 1.0", "pid < m"])
            made.body[place] = block(f"if {test}:", made.body[place])


def token(d: Draw, line: str) -> str:
    found = [
        (match, new)
        for old, new in EDITS
        for match in re.finditer(rf"(?<![\w.]){re.escape(old)}(?![\w.])" if old.isalnum() else re.escape(old), line)
    ]
    if not found:
        return line
    match, new = d.one(found)
    return line[: match.start()] + new + line[match.end() :]


def launching(d: Draw, kernels: list[Made]) -> list[Lines]:
    dims = kernels[0].dims
    shape = ["n", "m, n"][dims - 1]
    m = d.one(["m = k", "m = 3", "m = x.shape[0]", "m = n", "m = w.shape[0]"])
    n = d.one(["pass", "pass", "n = x.shape[0]", "assert n > 0", "assert n % 2 == 0"])
    body: list[Lines] = [(m,), (n,), (d.one(["B = 2", "B = 4", "B = 2", "B = triton.next_power_of_2(n)", "B = 1"]),)]
    births = [
        f"torch.zeros({shape})", f"torch.zeros(({shape},))", f"torch.full(({shape},), 5.0)", f"x.new_zeros({shape})",
        f"torch.ones({shape}, dtype=torch.float32, device=x.device)", f"torch.empty({shape})",
    ]  # fmt: skip
    births += ["torch.zeros_like(x)", "torch.zeros(x.shape)"] if dims == 1 else ["torch.zeros_like(w)"]
    body.append((f"o = {d.one(births)}",))
    if d.chance(0.25):
        body.append(
            (d.one(["o.zero_()", "o.fill_(2.0)", "o[:1] = 1.0", "KEPT.append(o.sum())", "v = o[1:]", "p = o"]),)
        )
    for made in kernels:
        o = d.one(["o"] * 12 + ["o[1:]", "o.view(-1)", "x", "o[:]", "o.t()"])
        a = d.one(["x"] * 8 + ["y", "o", "o", "w", "x + 1", "w[0]"])
        launch = f"{made.name}[{made.grid.format(o=o)}]({made.given.format(o=o, a=a)})"
        lines: Lines = (launch,)
        if "lambda" not in launch and d.chance(0.15):
            lines = (f"grid = {made.grid.format(o=o)}", f"{made.name}[grid]({made.given.format(o=o, a=a)})")
        if d.chance(0.1):
            lines = d.one([block("if n > 0:", lines), block("if flag:", lines), block("for _ in range(2):", lines)])
        body.append(lines)
        if d.chance(0.15):
            body.append((d.one(["o[0] = 3.0", "KEPT.append(o.clone())", "o.add_(1)", "z = o + x"]),))
    body.append((d.one(["return o", "return o", "return o, x", "return o.sum()", "return o[1:]"]),))
    return body


def edited_host(d: Draw, body: list[Lines]) -> list[Lines]:
    place = d.rng.randrange(len(body))
    if d.chance(0.3):
        return body[:place] + body[place + 1 :]
    row = d.rng.randrange(len(body[place]))
    lines = body[place]
    return [*body[:place], (*lines[:row], token(d, lines[row]), *lines[row + 1 :]), *body[place + 1 :]]
