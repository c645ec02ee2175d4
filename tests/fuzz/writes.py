"""Sets of statements that together write all of a tensor, on the base input at least."""

from __future__ import annotations

from collections.abc import Callable

from fuzz.draw import Dims, Draw, Lines, block, indent, index, size, tensor_value, value

Writer = Callable[[Draw, str, Dims], list[Lines]]


def whole(d: Draw, o: str, dims: Dims) -> list[Lines]:
    given, tensor = value(d, dims), tensor_value(d, dims)
    colons = ", ".join([":"] * len(dims))
    return [
        (
            d.one(
                [
                    f"{o}.copy_({tensor})",
                    f"{o}.copy_({tensor})",
                    f"{o}[:] = {given}",
                    f"{o}[...] = {given}",
                    f"{o}[{colons}] = {given}",
                    f"{o}.fill_({d.one(['1.0', '2.0', 'k', '0'])})",
                    f"{o}.zero_()",
                    f"{o}[0:] = {given}",
                    f"{o}[:{size(d, dims[0])}] = {given}",
                    f"{o}[None] = {given}",
                    f"{o}[..., :] = {given}",
                    f"{o}[:, ...] = {given}",
                    f"torch.add({tensor}, {tensor_value(d, dims)}, out={o})",
                    f"torch.mul({tensor}, 2, out={o})",
                    f"torch.cumsum({tensor}, 0, out={o})",
                    f"{o}[:], extra = {given}, 1",
                    f"{o}.data.copy_({tensor})",
                    f"{o}.detach().copy_({tensor})",
                    f"{o}.expand({size(d, 1)}, {'-1, ' * len(dims)}).fill_(1.0)",
                    f"torch.add(x[:{size(d, 2)}], 1, out={o})",
                    f"{o}.masked_fill_(torch.ones_like({o}, dtype=torch.bool), 2.0)",
                ]
            ),
        )
    ]


def two_parts(d: Draw, o: str, dims: Dims) -> list[Lines]:
    """`[:c]` and `[c:]` along some dimension."""
    along = d.rng.randrange(len(dims))
    if dims[along] < 2:
        return whole(d, o, dims)
    cut = d.rng.randrange(1, dims[along])
    name = d.one(
        [size(d, cut), size(d, cut), str(cut - dims[along]), "-k", "k", "idx", "i"] if cut == 2 else [size(d, cut)]
    )
    other = name if d.chance(0.85) else d.one([size(d, cut), str(cut), str(cut - dims[along])])
    front = d.one([":, ", "..., "]) if along == len(dims) - 1 and along == 1 else ":, " * along
    given = (*dims[:along], cut, *dims[along + 1 :]), (*dims[:along], dims[along] - cut, *dims[along + 1 :])
    upto = d.one(["", "", "", size(d, dims[along])])
    parts = [(f":{name}", given[0]), (f"{other}:{upto}", given[1])]
    made = [part_write(d, o, front + text, part) for text, part in parts]
    if d.chance(0.3):
        made.reverse()
    return made


def part_write(d: Draw, o: str, text: str, dims: Dims) -> Lines:
    """One part, by assignment or through a view."""
    if d.chance(0.65):
        return (f"{o}[{text}] = {value(d, dims)}",)
    view = d.tensor(dims, "v")
    tail = d.one(
        [
            f"{view}.copy_({tensor_value(d, dims)})",
            f"{view}.fill_(4.0)",
            f"{view}[:] = {value(d, dims)}",
            f"{view}.zero_()",
        ]
    )
    return (f"{view} = {o}[{text}]", tail) if d.chance(0.5) else (tail.replace(view, f"{o}[{text}]", 1),)


def strided(d: Draw, o: str, dims: Dims) -> list[Lines]:
    step = d.one([2, 2, 3])
    front = ":, " if len(dims) == 2 and d.chance(0.4) else ""
    order = list(range(step))
    d.rng.shuffle(order)
    return [
        (f"{o}[{front}{rest if rest else d.one([str(rest), ''])}::{step}] = {d.one(['1.0', '2.0', 'float(n)'])}",)
        for rest in order
    ]


def points(d: Draw, o: str, dims: Dims) -> list[Lines]:
    places = list(range(dims[0]))
    if d.chance(0.3):
        d.rng.shuffle(places)
    rest = dims[1:]
    texts = [d.one([str(place), str(place), str(place - dims[0])]) for place in places]
    if d.chance(0.3) and dims[0] > 1:
        return [(f"{o}[{places[0]}] = {value(d, rest)}",), *two_or_rest(d, o, places[0], dims)]
    return [(f"{o}[{text}] = {value(d, rest)}",) for text in texts]


def two_or_rest(d: Draw, o: str, place: int, dims: Dims) -> list[Lines]:
    made: list[Lines] = []
    if place:
        made.append((f"{o}[:{place}] = {d.one(['1.0', '2.0'])}",))
    return [*made, (f"{o}[{place + 1}:] = {d.one(['1.0', '2.0'])}",)]


def counted(d: Draw, o: str, dims: Dims) -> list[Lines]:
    """A loop over an index."""
    i, extent = d.index_name(), size(d, dims[0])
    body = element(d, o, i, dims)
    loop = d.one(
        [
            f"for {i} in range({extent}):",
            f"for {i} in range({extent}):",
            f"for {i} in range(0, {extent}):",
            f"for {i} in range({o}.shape[0]):",
            f"for {i} in range(len({o})):",
            f"for {i} in range(0, {extent}, 1):",
            f"for {i} in range({extent} - 1, -1, -1):",
            f"for {i} in list(range({extent})):",
            f"for {i} in range(len(xs)):",
        ]
    )
    return [block(loop, body, twist(d, i))]


def shared_iterator(d: Draw, o: str, dims: Dims) -> list[Lines]:
    """A loop over an iterator that has a name."""
    r, i = d.name("r"), d.index_name()
    source, target = d.one(
        [
            ("enumerate(xs)", f"{i}, e"),
            (f"enumerate({o})", f"{i}, e"),
            (f"iter(range({size(d, dims[0])}))", i),
            (f"range({size(d, dims[0])})", i),
        ]
    )
    more: Lines = (d.one([f"next({r}, 0)", f"list({r})", "k = 1", "pass"]),) if d.chance(0.5) else ()
    return [(f"{r} = {source}",), block(f"for {target} in {r}:", (f"{o}[{i}] = 1.0",), more)]


def twist(d: Draw, i: str) -> Lines:
    """What may stand at the end of the body of a loop."""
    return (
        (
            d.one(
                ["break", f"if {i} == k: break", f"{i} += 1", "if flag: continue", "if fail: break", "n += 1", "k = 0"]
            ),
        )
        if d.chance(0.12)
        else ()
    )


def element(d: Draw, o: str, i: str, dims: Dims) -> Lines:
    if len(dims) == 2 and d.chance(0.3):
        j = d.one(["j", "c"])
        if d.chance(0.5):
            return block(f"for {j} in range({size(d, dims[1])}):", (f"{o}[{i}, {j}] = {d.one(['1.0', 'float(n)'])}",))
        return (
            (f"{o}[:, {i}] = {value(d, dims[:1])}",) if dims[0] == dims[1] else (f"{o}[{i}, :] = {value(d, dims[1:])}",)
        )
    given = value(d, dims[1:])
    return d.one(
        [
            (f"{o}[{i}] = {given}",),
            (f"{o}[{i}] = {given}",),
            (f"{o}[{i}:{i} + 1] = 1.0",),
            (f"{o}[{i}].fill_(2.0)",),
            (f"row = {o}[{i}]", "row.fill_(3.0)"),
            (f"{o}[{i}, ...] = {given}",),
            (f"{o}.select(0, {i}).fill_(1.0)",),
            (f"{o}.narrow(0, {i}, 1).fill_(1.0)",),
        ]
    )


def enumerated(d: Draw, o: str, dims: Dims) -> list[Lines]:
    i, v = d.index_name(), d.name("e")
    source = d.one(["xs", "x", "y", "list(x)", f"range({size(d, dims[0])})", "x.tolist()", "w"])
    given = d.one([v, "1.0"]) if len(dims) == 1 and source != "w" else "2.0"
    body = block(f"for {i}, {v} in enumerate({source}):", (f"{o}[{i}] = {given}",), twist(d, i))
    zipped = block(f"for {i}, {v} in zip(range({size(d, dims[0])}), xs):", (f"{o}[{i}] = 1.0",), twist(d, i))
    return [zipped if d.chance(0.2) else body]


def offset_loop(d: Draw, o: str, dims: Dims) -> list[Lines]:
    """Element 0, then the rest in a loop (a prefix sum)."""
    i, extent = d.index_name(), size(d, dims[0])
    rest = d.one(
        [
            block(f"for {i} in range(1, {extent}):", (f"{o}[{i}] = 2.0",)),
            block(f"for {i} in range({extent} - 1):", (f"{o}[{i} + 1] = 2.0",)),
            block(f"for {i} in range(1, {extent}):", (f"{o}[{i}] = {o}[{i} - 1] + 1",)),
            block(f"for {i} in range({size(d, 3)}):", (f"{o}[{i} + 1] = 2.0",)),
        ]
    )
    first = (d.one([f"{o}[0] = 1.0", f"{o}[:1] = 1.0", f"{o}[:1].zero_()", f"{o}[0].fill_(1.0)"]),)
    return [first, rest]


def counter_loop(d: Draw, o: str, dims: Dims) -> list[Lines]:
    c = d.name("c")
    loop = block(f"while {c} < {size(d, dims[0])}:", (f"{o}[{c}] = 1.0", f"{c} += 1"))
    return [(f"{c} = 0",), loop]


def by_branch(d: Draw, o: str, dims: Dims) -> list[Lines]:
    one, other = complete(d, o, dims), complete(d, o, dims)
    return [
        d.one(
            [
                block("if flag:", *one) + block("else:", *other),
                block(f"if {d.one(['n > 2', 'k == 2', 'not fail', 'flag and n'])}:", *one) + block("else:", *other),
                block("if flag and k:", *one) + block("elif flag:", *other) + block("else:", *whole(d, o, dims)),
                matched(one, other),
                block("try:", ("boom(fail)",), *one) + block("except RuntimeError:", *other),
                block("try:", *one, ("boom(fail)",)) + block("except RuntimeError:", *other),
                block("try:", ("boom(fail)",)) + block("except RuntimeError:", *other) + block("else:", *one),
                block("try:", ("boom(fail)",)) + block("finally:", *one),
                block("for _t in range(k):", ("if flag: break",)) + block("else:", *other)
                if d.chance(0.2)
                else block("with torch.no_grad():", *one),
            ]
        )
    ]


def matched(one: list[Lines], other: list[Lines]) -> Lines:
    return ("match k:", *indent(block("case 2 | 3:", *one)), *indent(block("case _:", *other)))


def through_view(d: Draw, o: str, dims: Dims) -> list[Lines]:
    """All of it through a view that has a name."""
    options: list[tuple[str, Dims]] = [
        (f"{o}", dims),
        (f"{o}[:]", dims),
        (f"{o}.detach()", dims),
        (f"{o}.unsqueeze(0)", (1, *dims)),
        (f"{o}[None]", (1, *dims)),
        (f"{o}.view({', '.join(size(d, e) for e in dims)})", dims),
        (f"{o}.view_as({o})", dims),
        (f"{o}.contiguous()", dims),
        (f"{o}.reshape({size(d, dims[0])}, -1)", (dims[0], total(dims) // max(dims[0], 1))),
        (f"{o}.squeeze()", tuple(e for e in dims if e != 1)),
        (f"{o}.expand({', '.join(['-1'] * len(dims))})", dims),
        (f"{o}.narrow(0, 0, {size(d, dims[0])})", dims),
        (f"{o}[:{size(d, dims[0])}]", dims),
        (f"{o}.data", dims),
    ]
    if len(dims) > 1:
        options += [
            (f"{o}.view(-1)", (total(dims),)),
            (f"{o}.reshape(-1)", (total(dims),)),
            (f"{o}.flatten()", (total(dims),)),
            (f"{o}.transpose(0, 1)", (dims[1], dims[0], *dims[2:])),
            (f"{o}.ravel()", (total(dims),)),
        ]
    if len(dims) == 2:
        options += [
            (f"{o}.t()", dims[::-1]),
            (f"{o}.T", dims[::-1]),
            (f"{o}.permute(1, 0)", dims[::-1]),
            (f"{o}.t().reshape(-1)", (total(dims),)),
            (f"{o}.transpose(-1, 0)", dims[::-1]),
            (f"{o}.mT", dims[::-1]),
        ]
    text, shape = d.one(options)
    view = d.tensor(shape, "v")
    return [(f"{view} = {text}",), *(complete(d, view, shape) if shape else [(f"{view}.fill_(1.0)",)])]


def total(dims: Dims) -> int:
    product = 1
    for extent in dims:
        product *= extent
    return product


def pieces(d: Draw, o: str, dims: Dims) -> list[Lines]:
    """Split into views, each written whole."""
    if dims[0] not in (2, 4):
        return whole(d, o, dims)
    half = dims[0] // 2
    part = (half, *dims[1:])
    a, b = d.tensor(part, "a"), d.tensor(part, "b")
    text = d.one(
        [
            f"{o}.split({size(d, half)})",
            f"{o}.chunk(2)",
            f"torch.split({o}, {size(d, half)})",
            f"{o}.tensor_split(2)",
            f"({o}[:{half}], {o}[{half}:])",
            f"({o}.narrow(0, 0, {size(d, half)}), {o}.narrow(0, {half}, {half}))",
            f"[{o}[:k], {o}[k:]]",
            f"{o}.split([{half}, {half}], 0)",
            f"{o}.view(2, {half}, -1).unbind(0)",
        ]
    )
    if d.chance(0.3):
        return [
            block(
                f"for {a} in {d.one([f'{o}.unbind(0)', o, f'{o}.split(1)', f'[{o}[:{half}], {o}[{half}:]]'])}:",
                (f"{a}.fill_({d.one(['1.0', '2.0'])})",),
            )
        ]
    both = [(f"{v}.{d.one(['fill_(1.0)', 'zero_()', f'copy_({tensor_value(d, part)})'])}",) for v in (a, b)]
    return [(f"{a}, {b} = {text}",), *both]


def by_box(d: Draw, o: str, dims: Dims) -> list[Lines]:
    """Through a container."""
    box = d.name("box")
    d.boxes.append(box)
    tensor = tensor_value(d, dims)
    return d.one(
        [
            [(f"{box} = [{o}, y]",), (f"{box}[0].copy_({tensor})",)],
            [(f"{box} = ({o}, x)",), (f"{box}[0][:] = 1.0",)],
            [(f"{box} = {{'a': {o}}}",), (f"{box}['a'].copy_({tensor})",)],
            [(f"{box} = [{o}]",), block(f"for e in {box}:", ("e.fill_(2.0)",))],
            [(f"{box} = ({o}, {o})",), (f"e, _e = {box}",), ("e.fill_(2.0)",)],
        ]
    )


def masked(d: Draw, o: str, dims: Dims) -> list[Lines]:
    """Parts that are not known: by a mask, a list, a tensor."""
    if dims != (4,):
        return points(d, o, dims)
    return d.one(
        [
            [(f"{o}[m] = 1.0",), (f"{o}[~m] = 2.0",)],
            [(f"{o}[[0, 1, 2, 3]] = 1.0",)],
            [(f"{o}[torch.arange(4)] = y",)],
            [(f"{o}[idx] = 1.0",), (f"{o}[:] = x",)],
            [(f"{o}.index_fill_(0, torch.arange(n), 1.0)",)],
            [(f"{o}.masked_fill_(m, 1.0)",)],
        ]
    )


WRITERS: list[tuple[Writer, int]] = [
    (whole, 6),
    (two_parts, 6),
    (strided, 2),
    (points, 2),
    (counted, 4),
    (enumerated, 2),
    (offset_loop, 2),
    (counter_loop, 1),
    (by_branch, 4),
    (through_view, 4),
    (pieces, 3),
    (by_box, 1),
    (masked, 1),
    (shared_iterator, 1),
]


def complete(d: Draw, o: str, dims: Dims) -> list[Lines]:
    """A random complete set."""
    if not dims:
        return [(f"{o}.fill_(1.0)",)]
    writers, weights = zip(*WRITERS)
    return d.rng.choices(writers, weights)[0](d, o, dims)


def some(d: Draw, o: str, dims: Dims) -> Lines:
    """A write of a part."""
    if not dims:
        return (f"{o}.fill_(5.0)",)
    return (
        d.one(
            [
                f"{o}[{index(d)}] = 5.0",
                f"{o}[k:] = 6.0",
                f"{o}[:{index(d)}] = 5.0",
                f"{o}[1:-1] = 5.0",
                f"{o}.add_(1)",
                f"{o} += 1",
                f"{o}[0] += 1",
                f"{o}[{index(d)}:{index(d)}] = 3.0",
                f"{o}.narrow(0, k, 1).zero_()",
                f"{o}[::2] = 1.0",
            ]
        ),
    )
