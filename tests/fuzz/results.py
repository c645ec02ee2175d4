"""Tensors that are computed anew from themselves, joined with constants, or allocated in each turn of a loop."""

from __future__ import annotations

from fuzz.draw import Draw, Lines, block

DTYPES = ("int64", "int64", "int32", "uint8", "bool", "float32", "float16")
SHAPES = ("4", "n", "2, 4", "n, 1", "2, 1, 3", "1, 4", "()")
OPERATORS = ("+", "-", "*", "//", "%", "**", "&", "|", "<<", "/")
HOLDERS = (
    "{o}[0]", "{o}", "[{o}]", "{o}.view(-1)", "{o}.t()", "{o}.clone()", "iter({o})", "{o}.T", "{o}.long()", "{o}[:0]",
    "{o}.sum()", "{o}.numpy()", "(lambda: {o})", "{o}.expand_as({o})", "{o}.flip(0)", "torch.squeeze({o})",
)  # fmt: skip


def updated(d: Draw) -> list[Lines]:
    """`x = x - y`, and what may hold the old memory."""
    shape, dtype, o = d.one(SHAPES), d.one(DTYPES), d.tensor((4,))
    make = d.one(["torch.ones", "torch.zeros", "torch.ones"])
    body: list[Lines] = [(f"{o} = {make}({shape}, dtype=torch.{dtype})",)]
    right = d.one(
        ["1", "2", "n", "k", "0.5", "True", "other", "other", f"{o}.sum()", f"{o}[:1]", "other.t()", "len(xs)"]
    )
    if "other" in right:
        permuted = d.one(["", "", ".permute(2, 1, 0)", "[None]", "[:1]", ".unsqueeze(0)", ".expand(4)"])
        like = d.one([shape, shape, d.one(SHAPES)])
        body.append((f"other = torch.ones({like}, dtype=torch.{d.one([dtype, dtype, d.one(DTYPES)])}){permuted}",))
    if d.chance(0.35):
        body.append((f"held = {d.one(HOLDERS).format(o=o)}",))
        if d.chance(0.4):
            body.append(("held = None",))
    update = (f"{o} = {o} {d.one(OPERATORS)} {right}",)
    body.append(
        d.one(
            [update, update, update, block("if flag:", update), block("try:", update) + block("finally:", ("k = 3",))]
        )
    )
    if d.chance(0.2):
        body.append(("KEPT.append(held)",) if any("held" in str(lines) for lines in body) else (f"KEPT.append({o})",))
    return body


def joined(d: Draw) -> list[Lines]:
    """A constant in front of a tensor, or behind it."""
    o, dtype = d.tensor((4,)), d.one(DTYPES)
    cast = d.one(["", ".long()", ".int()", ".half()", ".bool()", ".float()", ".to(torch.uint8)"])
    source = d.one(["x", "x", "y", "w", "x[::2]", "w.t()", "w[:0]", "torch.cumsum(x.int(), 0)", "x + 1"])
    body: list[Lines] = [(f"s = {source}{cast}",)]
    if "w" in source or d.chance(0.3):
        body.append(("a, b = s.shape",) if "w" in source else ("(a,) = s.shape",))
    shape = (
        d.one(["1", "2", "1, 4", "4, 1", "(1,)", "k", "0"]) if "w" not in source else d.one(["1, 4", "4, 1", "n, 1"])
    )
    value = d.one(["0", "1", "-1", "2.5", "300", "True", "70000"])
    constant = d.one(
        [
            f"s.new_zeros({shape})",
            f"s.new_ones({shape})",
            f"torch.zeros({shape}, dtype=s.dtype)",
            f"torch.zeros({shape}, dtype=torch.{dtype})",
            f"torch.zeros({shape})",
            f"torch.full(({shape.strip('()')},), {value}, dtype=torch.{dtype})",
            f"torch.full(({shape.strip('()')},), {value}, dtype=s.dtype)",
        ]
    )
    if d.chance(0.4):
        body.append((f"c = {constant}",))
        constant = d.one(["c", "c", "c[None]", "c[1:]", "c.view(-1)", "c.unsqueeze(-1)"])
    parts = d.one([f"[{constant}, s]", f"[s, {constant}]", f"({constant}, s, {constant})", f"[{constant}, s, y]"])
    dim = d.one(["", "", ", 0", ", dim=-1", ", 1", ", dim=1"])
    call = d.one(["torch.cat", "torch.cat", "torch.concat", "torch.hstack", "torch.vstack"])
    body.append((f"{o} = {call}({parts}{dim if 'stack' not in call else ''})",))
    return body


def scratch(d: Draw) -> list[Lines]:
    """A buffer for each turn of a loop."""
    o = d.tensor((4,))
    call = d.one(
        [
            'torch.empty(4, dtype=torch.float32, device="cpu")',
            'torch.zeros(n, dtype=torch.float32, device="cpu")',
            "x.new_empty(4)",
            "torch.empty_like(x)",
            "torch.zeros_like(w[0])",
            "x.new_full((4,), 2.0)",
            "x.new_zeros(x.shape[0])",
        ]
    )
    uses = [
        (f"{o}.copy_(x)",),
        (f"{o}[i] = 1.0",),
        (f"{o}.fill_(i)",),
        (f"total = total + {o}.sum()",),
        (f"{o}.add_(y)",),
        (f"last = {o}",),
        (f"last = {o}[1:]",),
        (f"last = {o} + 1",),
        (f"got = [*got, {o}.sum()]",),
        (f"got = [*got, {o}]",),
        (f"torch.add(x, y, out={o})",),
        ("total = total + last.sum()",),
        ("if flag: continue",),
        ("n = n + 1",),
        (f"last = max(last, {o}, key=len)",),
        (f"x = x + {o}",),
    ]
    inner: list[Lines] = [(f"{o} = {call}",), (f"{o}.copy_(x)",), *(d.one(uses) for _ in range(d.one([1, 2, 2, 3])))]
    if d.chance(0.2):
        inner.insert(0, d.one(uses))
    loop = block(d.one(["for i in (0, 1, 2):", "for i in (0, 1):", "for i in range(k):"]), *inner)
    quiet = block("with torch.no_grad():", loop) if d.chance(0.7) else loop
    return [("total, last, got = 0, y, []",), quiet, ("KEPT.extend([total, last, got])",)]
