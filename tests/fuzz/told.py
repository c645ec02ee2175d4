"""Lives of tensors that are written as far as another one reaches, behind words on the shape of that one."""

from __future__ import annotations

from fuzz.draw import Draw, Lines, size, tensor_value

FACTS = [
    "assert {z}.shape == ({s},)", "assert {z}.shape == ({s},)", "assert ({s},) == {z}.shape",
    "assert {z}.numel() == {s}", "assert {z}.ndim == 1 and {z}.shape[0] == {s}",
    "if {z}.shape != ({s},):\n    return None", "(a,) = {z}.shape\nassert a == {s}",
    "assert not ({z}.shape != ({s},) or flag is None)", "assert {z}.shape == {o}.shape",
    "assert {z}.size() == ({s},), n", "match {z}.shape == ({s},):\n    case False: return None\n    case _: pass",
    "same = ({s},) == {z}.shape\nassert same", "while {z}.shape != ({s},):\n    {z} = {o} + 1",
    "assert {z}.dim() == 1\nif {z}.size(0) != {s}: raise ValueError",
]  # fmt: skip
LIES = [
    "assert {z}.shape == ({s},) or flag", "try:\n    assert {z}.shape == ({s},)\nexcept AssertionError:\n    pass",
    "if {z}.shape == ({s},): pass", "match {z}.shape == ({s},):\n    case True: pass\n    case _: {o}[{s}:] = 2.0",
    "assert {z}.shape[:1] == ({s},)[:1] or n", "if flag:\n    assert {z}.shape == ({s},)",
    "assert {z}.shape != (n + 1,)", "for _ in range(k - 2): assert {z}.shape == ({s},)",
    "assert ({z}.shape == ({s},), 'a tuple')", "assert {z}.shape",
    "match {z}.shape[0]:\n    case 4: {o}[:] = 1.0\n    case _: {o}[{z}.shape[0]:] = 1.0",
    "match {z}.shape == ({s},):\n    case False: pass\n    case _: return None",
    "match n:\n    case 3: pass\n    case _: n = 4",
]  # fmt: skip
DISTURBING = [
    "{z} = y[:k]", "{z} = {z}[1:]", "{z}.resize_(2)", "torch.add(w[0, :2], 1, out={z})", "torch.ones(2, out={z})",
    "{z}.data = y[:2]", "{z}.unsqueeze_(0)", "{z}.t_()", "torch.masked_select(x, x < 3, out={z})", "{z} @= w[:, :2]",
    "{z}, y = y, {z}", "for {z} in ({z}, y[:2]): pass", "while {z}.shape[0] > k: {z} = {z}[1:]", "n = k",
    "{o} = {o}[1:]", "def change():\n    nonlocal {z}\n    {z} = y[:2]\nchange()", "if flag: {z} = y[:k]",
]  # fmt: skip
WRITES = [
    "{o}[:{z}.shape[0]] = 1.0", "{o}[:{z}.shape[0]] = {z}", "for i in range({z}.shape[0]):\n    {o}[i] = 1.0",
    "{o}[:len({z})] = 2.0", "{o}[:{z}.numel()] = {z}", "for i, e in enumerate({z}):\n    {o}[i] = e",
    "{o}[{z}.shape[0] - 1:] = 1.0\n{o}[:{z}.shape[0] - 1] = 2.0", "{o}[:{z}.size(-1)] = 2.0",
]  # fmt: skip


def told(d: Draw) -> list[Lines]:
    """A vector, mostly one that is as long as it is said that another one is."""
    o, s = d.tensor((4,)), size(d, 4)
    z = d.one(["x", "y", d.name("z")])
    made = (f"{o} = {d.one(['torch.zeros({})', 'torch.zeros({})', 'x.new_zeros({})'])}".format(s),)
    said = d.one(FACTS if d.chance(0.75) else LIES).format(z=z, s=s if d.chance(0.9) else size(d, 4), o=o)
    lines: list[Lines] = [made, tuple(said.split("\n"))]
    if d.chance(0.3):
        lines.reverse()
    if d.chance(0.3):
        lines.insert(d.rng.randrange(len(lines) + 1), tuple(d.one(DISTURBING).format(z=z, o=o).split("\n")))
    first: list[Lines] = [] if z in ("x", "y") else [(f"{z} = {tensor_value(d, (4,))}",)]
    return [*first, *lines, tuple(d.one(WRITES).format(z=z, o=o).split("\n"))]
