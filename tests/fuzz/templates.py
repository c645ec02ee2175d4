"""Functions that were written by hand, each with one way to treat the memory that it is given, and calls of them."""

from __future__ import annotations

from fuzz.draw import Callee, Draw, Lines, birth, dimensions

TEMPLATES = [
    ("def {h}(t, a):", "    t.copy_(a)"),
    ("def {h}(t, a=None):", "    if a is None:", "        t.zero_()", "    else:", "        t.copy_(a)"),
    ("def {h}(t, a=None):", "    if a is not None:", "        t.copy_(a)", "    return t"),
    ("def {h}(t, a, write=True):", "    if write:", "        t[:] = a", "    return t"),
    ("def {h}(t, a, write=False):", "    if write:", "        t[:] = a", "        return t", "    t[1:] = a[1:]"),
    ("def {h}(a, out=None):", "    if out is None:", "        out = torch.zeros_like(a)", "    out.copy_(a)",
     "    return out"),
    ("def {h}(a, out=None):", "    out = out if out is not None else torch.zeros(4)", "    out[:] = a",
     "    return out"),
    ("def {h}(t, a, seen=[]):", "    seen.append(t)", "    t.copy_(a)", "    KEPT.append(seen[0].clone())"),
    ("def {h}(t, a):", "    v = t[:]", "    v.copy_(a)", "    return v"),
    ("def {h}(t, a):", "    v = t.view(-1)", "    t.zero_()", "    v[:] = a", "    return v[1:]"),
    ("def {h}(t, a):", "    t.zero_()", "    t.copy_(a)", "    return t.sum()"),
    ("def {h}(t, a):", "    t.zero_()", "    if a.sum() > 3:", "        raise RuntimeError", "    t.copy_(a)"),
    ("def {h}(t, a):", "    t.zero_()", "    assert a.shape[0] < 5", "    t.copy_(a)"),
    ("def {h}(t, a):", "    try:", "        t.copy_(a)", "    finally:", "        KEPT.append(t.clone())"),
    ("def {h}(t, a):", "    try:", "        t[0] = 1.0", "    finally:", "        t.copy_(a)"),
    ("def {h}(t, a):", "    for i in range(len(t)):", "        t[i] = a[i]"),
    ("def {h}(t, a):", "    for i, e in enumerate(a):", "        t[i] = e"),
    ("def {h}(t, a):", "    for i in range(a.shape[0]):", "        if i == 2: return", "        t[i] = 1.0"),
    ("def {h}(t, a):", "    t, a = a, t", "    t.copy_(a)"),
    ("def {h}(t, a):", "    t = t.clone()", "    t.copy_(a)", "    return t"),
    ("def {h}(t, a):", "    t = torch.zeros(4)", "    t[:] = a", "    return t"),
    ("def {h}(*ts):", "    for t in ts:", "        t.fill_(1.0)"),
    ("def {h}(*ts):", "    ts[0].copy_(ts[1])", "    return ts"),
    ("def {h}(t, a):", "    t[:2], t[2:] = a[:2], a[2:]"),
    ("def {h}(t, a):", "    t[:2] = a[2:]", "    t[2:] = t[:2]"),
    ("def {h}(t, a):", "    torch.add(a, 1, out=t)", "    return t"),
    ("def {h}(t, a):", "    t.resize_(4)", "    t.copy_(a)"),
    ("def {h}(t, a):", "    return lambda: t.copy_(a)"),
    ("def {h}(t, a):", "    def g():", "        t.copy_(a)", "    g()"),
    ("def {h}(t, a):", "    box = [t]", "    box[0].copy_(a)", "    return box"),
    ("def {h}(t, a):", "    return {{'t': t, 'a': a}}"),
    ("def {h}(t, a):", "    with torch.no_grad():", "        t.copy_(a)"),
    ("def {h}(t, a):", "    with Swallow():", "        boom(a.sum() > 3)", "        t.copy_(a)"),
    ("def {h}(t, a):", "    a.zero_()", "    t.fill_(1.0)", "    return a"),
    ("def {h}(t, a):", "    a.copy_(t)", "    t.copy_(a)"),
    ("def {h}(t, a):", "    t.copy_(a)", "    a.zero_()"),
    ("def {h}(t, a):", "    u = t if a.sum() > 3 else a", "    u.fill_(2.0)", "    return u"),
    ("def {h}(t, a):", "    match a.shape[0]:", "        case 4:", "            t.copy_(a)",
     "        case _:", "            t[:1] = 1.0"),
    ("def {h}(t, a):", "    t[...] = a", "    t.t_() if t.dim() == 2 else None", "    return t"),
    ("def {h}(t, a):", "    t.data = a.clone()", "    t.zero_()"),
    ("def {h}(t, a):", "    t[0:a.shape[0]] = a"),
    ("def {h}(t, a):", "    t[a.shape[0]:] = 1.0", "    t[:a.shape[0]] = a"),
    ("def {h}(t, a):", "    while True:", "        t.copy_(a)", "        if a.sum() > 0: break",
     "        return t", "    return None"),
    ("def {h}(t, a):", "    del t[:0], a" , "    return None"),
    ("def {h}(t: torch.Tensor, a: torch.Tensor) -> torch.Tensor:", "    t.zero_()", "    return t.copy_(a)"),
    ("def {h}(t: torch.Tensor, a: torch.Tensor):", "    n = t.shape[0]", "    t[:n] = 2.0"),
    ("def {h}(t: torch.Tensor, a: torch.Tensor):", "    n = a.shape[0]", "    t[:n] = 2.0", "    t[n:].zero_()"),
    ("def {h}(t: torch.Tensor, n: int):", "    t[:n] = 2.0", "    t[n:] = 1.0"),
]  # fmt: skip
USES = [
    "{h}({o}, {a})", "{h}({o}, {a})", "{h}({o}, {a})", "{o} = {h}({o}, {a})", "r = {h}({o}, {a})", "{h}({o}[:], {a})",
    "{h}({o}, {o})", "{h}({o}, a={a})", "{h}(a={a}, t={o})", "{h}({a}, out={o})", "{h}({o}, {a}, {o})", "{h}({o})",
    "{h}({o}, None)", "{h}(*[{o}, {a}])", "r = {h}({a}, {o})", "{h}({o}[:2], {a}[:2])", "KEPT.append({h}({o}, {a}))",
    "{h}({o}, {a}, write=flag)", "{h}({o}, {a}, True)", "{h}({o}.view(-1), {a})", "{h}({o}, n)", "{h}({o}, k)",
    "{h}({a}, {o}) if flag else {h}({o}, {a})", "r = [{h}(t, {a}) for t in ({o},)]", "{h}(out={o}, a={a})",
]  # fmt: skip


AGAIN = [
    ("def {h}(t, n):", "    if n > 0:", "        t[n - 1] = 1.0", "        {h}(t, n - 1)"),
    ("def {h}(t, n):", "    t.fill_(1.0)", "    if n > 3:", "        {h}(t, n - 1)"),
    ("def {h}(t, n):", "    if n > 3:", "        return {h}(t, n - 1)", "    t.zero_()", "    return t"),
]


def served(d: Draw) -> list[Lines]:
    """A tensor that a function gets to write."""
    dims = d.one([(4,), (4,), (4,), dimensions(d)])
    o = d.tensor(dims)
    made: list[Lines] = [(f"{o} = {birth(d, dims)}",)]
    return [*made, *(template(d, o) for _ in range(d.one([1, 1, 1, 2])))]


def template(d: Draw, o: str) -> Lines:
    """A function that was written by hand, and a call of it."""
    name = d.name("h")
    lines = d.rng.choices([d.one(TEMPLATES), d.one(AGAIN)], [12, 1])[0]
    d.callees.append(Callee(name, tuple(line.format(h=name) for line in lines)))
    header = lines[0]
    a = d.one(["x", "y", "x", "y", "w[0]", "x + y", "x[:]", d.any(), "w"])
    call = d.one(USES)
    if "out" in header:
        call = d.one(["{h}({a}, out={o})", "{h}({a}, {o})", "{o} = {h}({a})", "r = {h}({a}, out={o})", "{h}(x, None)"])
    if ", n" in header:
        call = d.one(["{h}({o}, n)", "{h}({o}, k)", "{h}({o}, n=n - 1)", "{h}({o}, 2)", "{h}({o}, -k)"])
    return (call.format(h=name, o=o, a=a),)
