"""Random functions that launch a kernel on a tensor which they make like another one, or are given.

What the kernel stores is all of it only where a rank or a shape is what the function says. It says so in many
spellings: mostly of the right tensor, and where control comes past. `f` calls such a function with tensors of several
ranks; one that does not suit raises, and `f` goes on.
"""

from __future__ import annotations

from fuzz.draw import Draw, Lines, block

KERNEL = {  # in memory without gaps these store the first n * m * d elements, one row or one block a program
    "rows": (
        "at = (tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)) * d",
        "lane = tl.arange(0, B)",
        "tl.store(o + at + lane, {value}, mask=lane < d)",
    ),
    "blocks": ("lane = tl.program_id(0) * B + tl.arange(0, B)", "tl.store(o + lane, {value}, mask=lane < n * m * d)"),
}
ROWS = [
    "(n, m)", "(n, m)", "({t}.shape[0], {t}.shape[1])", "lambda meta: (n, m)", "(n, {t}.shape[1])", "(n * m, 1)",
]  # fmt: skip
BLOCKS = ["(triton.cdiv(n * m * d, B),)", "lambda meta: (triton.cdiv({t}.numel(), B),)", "(triton.cdiv(n, B) * m * d,)"]
GRIDS = {"rows": ROWS, "blocks": BLOCKS}
SIZES = [
    *["{t}.shape[0], {t}.shape[1], {t}.shape[2]"] * 4, "{t}.shape", "{t}.size()", "1, 1, {t}.numel()",
    "{t}.size(0), {t}.size(1), {t}.size(-1)", "{t}.shape[-3], {t}.shape[-2], {t}.shape[-1]",
    "{t}.shape[0], 1, {t}.numel() // {t}.shape[0]",
]  # fmt: skip
FLAGS = [*["out is not None", "out is None"] * 3, *["z is not None", "given"] * 2, "not (out is None)"]
FACTS = [
    "assert {t}.ndim == {r}", "assert {t}.dim() == {r}", "assert len({t}.shape) == {r}", "assert {r} == {t}.ndim",
    "assert {t}.shape == ({sizes})", "assert ({sizes}) == {t}.shape", "assert {t}.shape == {u}.shape",
    "assert {t}.size() == ({sizes})", "assert {t}.numel() == n * m * d", "assert not {t}.shape != ({sizes})",
    "assert {t}.ndim == {r} and {u}.ndim == {r}", "assert {t}.ndim == {r} == {u}.ndim", "n, m, d = {t}.shape",
    "assert {t}.ndim == {r}, 'its rank'", "assert {t}.shape[2] == d", "same = {t}.shape == ({sizes})\nassert same",
    "if {t}.ndim != {r}: raise ValueError", "if {t}.shape != ({sizes}): return None",
    "assert {t}.shape == {u}.shape == ({sizes})", "if {t}.ndim != {r} or {t}.shape[0] != n:\n    raise ValueError",
    "while {t}.ndim < {r}:\n    {t} = {t}[None]", "match {t}.ndim:\n    case {r}: pass\n    case _: return None",
    "for v in ({t}, {u}): assert v.ndim == {r}",
    "match {t}.ndim == {r}:\n    case False: return None\n    case _: pass",
]  # fmt: skip
LIES = [  # they look like one of those, and say nothing, or something else
    "assert {t}.ndim == {r} or {u}.ndim == {r}", "assert {t}.ndim != {r}", "assert {t}.shape[:3] == ({sizes})",
    "if {t}.ndim == {r}: pass", "assert ({t}.ndim == {r}, 'a tuple')", "assert {t}.shape == [n, m, d] or True",
    "if {t}.shape == ({sizes}): n = n + 1", "match {t}.ndim == {r}:\n    case False: pass\n    case _: return None",
    "try:\n    assert {t}.ndim == {r}\nexcept AssertionError:\n    pass", "a, *b = {t}.shape",
    "assert {t}.ndim >= {r}", "try:\n    n, m, d = {t}.shape\nexcept ValueError:\n    n, m, d = 1, 2, 2",
    "a, b, c, e = {t}.shape", "match {t}.shape[0]:\n    case 2: pass\n    case _: n = {t}.shape[0]",
    "if flag:\n    assert {t}.ndim == {r}", "for _ in range(n - 2): assert {t}.ndim == {r}",
    "assert {t}.ndim == {r} if flag else True", "assert {t}.ndim == 4", "assert -({t}.ndim == {r}) < 1",
    "while {t}.ndim != {r}: break",
]  # fmt: skip
DISTURBING = [
    "t = u", "t, u = u, t", "out = u", "t = t[None]", "t = t[0]", "t.unsqueeze_(0)", "u.unsqueeze_(0)", "t.t_()",
    "out = out[0]", "out.unsqueeze_(0)", "out = out.transpose(0, 1)", "torch.add(u, 1, out=t)",
    "torch.ones(2, 2, out=t)", "t.data = u", "n = 1", "d = m", "u = out", "n, m = m, n", "SEEN = out",
    "t.resize_(2, 2)", "t.data @= u", "for t in (t, u): pass", "while n > 1:\n    n -= 1\n    t, u = u, t",
    "z = (t := u)", "out = torch.zeros_like(u)", "def change():\n    nonlocal t\n    t = u\nchange()",
    "if flag: t = u", "out = out.view(-1)", "out = out[:]", "del u",
]  # fmt: skip
BIRTHS = [
    "out = torch.zeros_like(t)", "out = torch.zeros_like(t)", "out = torch.zeros_like(t)",
    "out = torch.zeros(t.shape)", "out = torch.zeros_like(u)", "out = torch.zeros(n, m, d)",
    "out = t.new_zeros(t.shape)", "out = torch.zeros(*t.shape)",
]  # fmt: skip
TENSORS = [
    "torch.ones(2, 3, 4)", "torch.ones(2, 3, 4)", "torch.ones(k, n, 2)", "w", "w[None]", "w[:, None]", "x",
    "w.t()[None]", "torch.ones(2, 2, 2, 2)", "torch.ones(2, 3, 4).transpose(0, 1)", "torch.ones(1, n, 1, 2)",
    "torch.ones(1, 2, 4)", "x.expand(2, 2, -1)", "torch.ones(2, 0, 4)", "torch.ones(2, 3, 4, 2)",
    "torch.ones(1, 1, 4)",
]  # fmt: skip
GIVEN = [
    "", "", "", "out=None", "out=torch.zeros_like({t})", "out=torch.zeros(2, 3, 4)", "out={t}",
    "out=torch.zeros(3, 8)",
]  # fmt: skip


def hosted(d: Draw) -> str:
    """The kernel, a function `g` that launches it, and an `f` that calls `g`."""
    kind = d.one(["rows", "rows", "blocks"])
    flag = d.one(["", "", "FLAG", "not FLAG"])
    *first, store = (line.format(value=d.one(["1.0", "2.0", "lane * 1.0", "d * 1.0"])) for line in KERNEL[kind])
    stored = block(f"if {flag}:", (store,)) if flag else (store,)
    kernel = block("def kernel0(o, n, m, d, FLAG: tl.constexpr, B: tl.constexpr):", tuple(first), stored)
    given = d.one(["{o}, n"] * 9 + ["o={o}, n=n"])
    passed = d.one(FLAGS) if flag else "True"
    launch = f"kernel0[{d.one(GRIDS[kind])}]({given}, m=m, d=d, FLAG={passed}, B=B)"
    note = d.one(["", ": torch.Tensor"])
    words = d.one([f"t{note}, u{note}, out=None, flag=True, z=None", f"t{note}, u, flag=True, *, z=None, out=None"])
    unset = ("n = m = d = 2", "given = u is not None")  # what an edit takes out would raise where they are not bound
    host = block(f"def g({words}):", unset, *body(d, launch))
    main = block("def f(x, y, w, m, idx, xs, n, k, flag, fail):", *(line for _ in range(5) for line in called(d)))
    return "\n".join(("@triton.jit", *kernel, "", *host, "", *main)) + "\n"


def called(d: Draw) -> list[Lines]:
    """One call of `g`, mostly with two tensors of one shape."""
    t = d.one(TENSORS)
    u = t if d.chance(0.6) else d.one(TENSORS)
    words = [t, u, d.one(["", "", "flag=flag", "flag=True", "flag=False"]), d.one(GIVEN).format(t=t)]
    call = f"KEPT.append(g({', '.join(filter(None, words))}))"
    return [block("try:", (call,)), block("except (AssertionError, IndexError, ValueError):", ("pass",))]


def body(d: Draw, launch: str) -> list[Lines]:
    """In some order: an allocation, what is said of a shape, sizes; then the launch."""
    named = {"t": d.one(["t", "t", "out"]), "u": d.one(["u", "out", "t"])}
    birth: Lines = (d.one(BIRTHS),)
    made = block("if out is None:", birth) if d.chance(0.8) else birth
    sized = (f"n, m, d = {d.one(SIZES)}".format(**(named if d.chance(0.8) else {"t": d.one(["t", "u", "out"])})),)
    said = [saying(d, named) for _ in range(d.one([0, 1, 1, 1, 2]))]
    lines = d.one([[made, sized, *said], [made, sized, *said], [made, *said, sized], [sized, *said, made]])
    if d.chance(0.3):
        lines.insert(0, ("given = out is not None",))
    if d.chance(0.35):
        lines.insert(d.rng.randrange(len(lines) + 1), tuple(d.one(DISTURBING).split("\n")))
    if d.chance(0.05):
        d.rng.shuffle(lines)
    lines.append((d.one(["B = triton.next_power_of_2(d)", "B = 16", "B = 4"]),))
    run = (launch.format(o=d.one(["out"] * 12 + ["t", "u", "out[:]", "(out := t)"]), **named),)
    again = d.one(["if flag:", "for _ in range(2):", "try:"]) if d.chance(0.08) else ""
    run = block(again, run) if again else run
    run = (*run, *block("finally:", ("KEPT.append(1)",))) if again == "try:" else run
    return [*lines, run, ("return out",)]


def saying(d: Draw, named: dict[str, str]) -> Lines:
    text = d.one(FACTS if d.chance(0.75) else LIES)
    named = named if d.chance(0.8) else {"t": d.one(["t", "u", "out"]), "u": d.one(["t", "u", "out"])}
    sizes = d.one(["n, m, d", "n, m, d", "n, m, d", "n, d, m", "n, m", "n, m, 4"])
    return tuple(text.format(r=d.one([3, 3, 3, 3, 3, 2, 4]), sizes=sizes, **named).split("\n"))
