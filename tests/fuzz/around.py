"""What happens around the writes: others look, names and numbers change, control flow wraps a stretch."""

from __future__ import annotations

from fuzz.draw import Draw, Lines, birth, block, indent, index, size, value
from fuzz.writes import some


def harmless(d: Draw, o: str) -> Lines:
    """Something that does not look at the elements, or at other memory only."""
    return (
        d.one(
            [
                f"s = {o}.shape[0]",
                f"assert {o}.dim() > 0",
                f"p = {o}",
                "z = x + y",
                f"other = torch.empty_like({o})",
                "keep(x)",
                f"view = {o}[:{size(d, 2)}]",
                f"s = {o}.numel()",
                "x.add_(1)",
                "z = torch.zeros(3)",
                "boom(False)",
            ]
        ),
    )


def use(d: Draw, o: str) -> Lines:
    return (
        d.one([f"keep({o})", f"peek({o})", f"z = {o} + 1", f"z = {o}.sum()", f"KEPT.append({o})", f"z = same({o})"]),
    )


def observe(d: Draw) -> Lines:
    """Something that may look at a tensor, or let others look."""
    o = d.any()
    return d.one(
        [
            (f"peek({o})",),
            (f"keep({o})",),
            (f"z = {o}.clone()", "KEPT.append(z)"),
            (f"KEPT.append({o}.sum())",),
            ("KEPT.extend(look())",),
            (f"q = {o}",),
            (f"q = {o}[{index(d)}]", "KEPT.append(q)"),
            (f"q = {o} if flag else x",),
            (f"q = flag and {o}",),
            (f"q = same({o})",),
            (f"SEEN = {o}",),
            (f"box = [{o}]", "keep(box[0])"),
            (f"box = {{'a': {o}, 'b': x}}", "peek(box['a'])"),
            (*block("def g():", (f"return {o} + 0",)), "KEPT.append(g())"),
            (*block(f"def g(t={o}):", ("KEPT.append(t)",)), "g()"),
            (f"g = lambda: {o}.clone()", "KEPT.append(g())"),
            (f"KEPT.append([t + 0 for t in {o}])",),
            (f"if {o}.sum() > 2: peek(x)",),
            block("if flag:", (f"peek({o})",)),
            block("if flag:", (f"return {o}",)),
            block("if n > 3:", ("return x",)),
            (f"KEPT.append({o}[m].clone())",),
            (f"x.copy_({o})",),
            (f"y = y + {o}.sum()",),
            (f"{o}.add_(1)",),
            (f"{o} += 1",),
            (f"KEPT.append(float({o}.sum()))",),
            (f"r = iter({o})", "KEPT.append(next(r))"),
            (f"w[0] = {o}",),
            (f"out = torch.add({o}, 1)", "KEPT.append(out)"),
            (f"KEPT.append({o}.tolist())",),
            (f"KEPT.append(f'{{{o}}}')",),
            (f"gen = (t + 1 for t in {o})", "KEPT.append(list(gen))"),
            (f"torch.add({o}, 1, out={d.any()})",),
            (f"r = torch.stack([{o}, {o}])", "keep(r)"),
        ]
    )


def disturb(d: Draw) -> Lines:
    """Something that changes what names, numbers or memory stand for."""
    o, p = d.any(), d.any()
    return d.one(
        [
            ("n = n - 1",),
            ("k = k + 1",),
            ("k = 1",),
            ("n, k = k, n",),
            ("idx.add_(1)",),
            ("idx.fill_(3)",),
            ("k = idx",),
            ("k = int(idx)",),
            ("s = n",),
            ("x = x[:k]",),
            ("x = y",),
            (f"{o} = {p}",),
            (f"{o} = {o}[:]",),
            (f"{o} = {o}.clone()",),
            (f"{o}, {p} = {p}, {o}",),
            (f"del {o}",),
            (f"{o} = {value(d, (4,))}",),
            (f"{o} = x if flag else {o}",),
            (f"({o} := {p})",),
            ("x.zero_()",),
            (f"{o}.zero_()",),
            (f"{o}.fill_(1.0)",),
            (f"{o} = {birth(d, (4,))}",),
            some(d, o, d.known.get(o, (4,))),
            some(d, o, d.known.get(o, (4,))),
            ("boom(fail)",),
            ("boom(flag)",),
            (f"{o}.fill_(1 / k)",),
            (f"{o}.fill_(xs[n])",),
            (f"{o} = torch.full((4,), xs[n], dtype=torch.float32)",),
            (f"{o} = torch.zeros(8 // k)",),
            (f"torch.cumsum(x[:k], 0, out={o})",),
            (f"{o} = same({o})",),
            (f"overwrite({o})",),
            (f"x = {o}",),
            (f"y = {o}[:]",),
            (f"{o} = {o}.t()",),
            (f"{o} = {o}.view(-1)",),
            ("xs.append(1.0)",),
            ("xs = xs[1:]",),
            (f"{o} = {o}.unsqueeze(0)",),
            (f"{o}.squeeze_()",),
            (f"{o}.t_()",),
            (f"{o}.resize_(2)",),
            (f"{o}.unsqueeze_(0)",),
            ("xs.pop()",),
            ("w = w[:k]",),
            (f"{o}.data = y",),
            (f"{o}.set_(y)",),
            ("if flag: n = 2",),
            ("k = k if flag else n",),
            ("m = ~m",),
            (*block("def h():", (f"nonlocal {o}", f"{o} = x")), "h()"),
            (*block("def h():", ("nonlocal k", "k = 1")), "h()"),
            ("assert n == x.shape[0]",),
            ("for n in range(3): pass",),
            ("if k > 2: return x",),
            ("x, y = y, x",),
            (f"{p} = [{o} for _ in xs][0]",),
            (f"[({o} := t) for t in (x, y)]",),
        ]
    )


def wrapped(d: Draw, body: list[Lines]) -> list[Lines]:
    """Some statements in a row under control flow."""
    start = d.rng.randrange(len(body))
    end = d.rng.randrange(start, len(body)) + 1
    inner, more = body[start:end], observe(d) if d.chance(0.5) else disturb(d)
    i = d.index_name()
    made: Lines = d.one(
        [
            block("if flag:", *inner),
            block("if flag:", *inner) + block("else:", more),
            block("if not flag:", *inner),
            block("if n > 0:", *inner),
            block(f"for {i} in range(2):", *inner),
            block(f"for {i} in range(k):", *inner),
            block(f"for {i} in range(2):", more, *inner),
            block(f"for {i} in range(2):", *inner, more),
            block("for t in (x, y):", *inner, ("if flag: break",)) + block("else:", more),
            block("try:", *inner, ("boom(fail)",)) + block("except RuntimeError:", more),
            block("try:", ("boom(fail)",), *inner) + block("except RuntimeError:", more),
            block("try:", *inner) + block("finally:", more),
            block("try:", *inner) + block("except RuntimeError:", more) + block("else:", ("boom(fail)",)),
            block("with contextlib.suppress(RuntimeError):", ("boom(fail)",), *inner),
            block("with contextlib.suppress(Exception):", *inner, ("boom(fail)",)),
            block("with Swallow():", *inner),
            block("with Swallow():", ("boom(fail)",), *inner),
            block("with torch.no_grad():", *inner),
            ("match flag:", *indent(block("case True:", *inner)), *indent(block("case _:", more))),
            block("while True:", *inner, ("break",)),
            (*block("def inner():", *inner, ("return 0",)), "inner()"),
            block("while k > 1:", *inner, ("k = k - 1",)),
            block("if 0 < k < n:", *inner),
            block("try:", block("try:", *inner, ("boom(fail)",)) + block("finally:", more))
            + block("except RuntimeError:", ("pass",)),
            block(f"for {i} in range(3):", ("if flag: continue",), *inner),
            block(f"for {i} in range(2):", *inner, (f"if {i} == k: break",)) + block("else:", more),
            block("try:", *inner, ("raise ValueError",)) + block("except ValueError as error:", more),
            block("try:", *inner, ("return x",)) + block("finally:", more),
            block("with Swallow():", *inner, ("return x",)),
            block("try:", ("boom(fail)",)) + block("except RuntimeError:", more, ("raise",)) + block("else:", *inner),
            block("if (z := flag) or fail:", *inner) + block("else:", more),
            block("while n > 2:", ("n = n - 1",), *inner, ("if flag: continue",), more),
        ]
    )
    return [*body[:start], made, *body[end:]]
