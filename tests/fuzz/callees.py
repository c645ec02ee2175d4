"""Parts of a function taken out into functions of their own, which are called in many ways."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass

from fuzz.around import disturb, observe, use
from fuzz.draw import Callee, Draw, Lines, birth, block, dimensions
from fuzz.writes import complete, some

PARAMETERS = ("x", "y", "w", "m", "idx", "xs", "n", "k", "flag", "fail")
KINDS = dict.fromkeys(("x", "y", "w", "m", "idx"), "torch.Tensor") | {"n": "int", "k": "int"}
DEFAULTS = {"flag": ["True", "False", "None"], "fail": ["False"], "n": ["4", "2"], "k": ["2", "1"], "xs": ["()"]}
MOST_RESULTS = 3


@dataclass(frozen=True)
class Names:
    """Of a stretch of statements: what it reads and what it binds."""

    read: tuple[str, ...]
    bound: tuple[str, ...]

    @classmethod
    def of(cls, body: list[Lines], outer: set[str]) -> Names | None:
        """`outer`: the names that it may find around it. None where it cannot stand alone."""
        try:
            tree = ast.parse("\n".join(block("def f():", *body)))
            compile(tree, "<callee>", "exec")
        except SyntaxError:
            return None
        read: dict[str, None] = {}
        bound: dict[str, None] = {}
        for node in ast.walk(tree):
            match node:
                case ast.Yield() | ast.YieldFrom() | ast.Nonlocal():
                    return None
                case ast.Name(id=name, ctx=ast.Load() | ast.Del()) if name in outer:
                    read[name] = None
                case ast.AugAssign(target=ast.Name(id=name)):
                    read[name] = bound[name] = None
                case ast.Name(id=name, ctx=ast.Store()):
                    bound[name] = None
        return cls(tuple(read), tuple(bound))


def outlined(d: Draw, body: list[Lines]) -> list[Lines]:
    """Some statements in a row as a call of a function that does them."""
    start = d.rng.randrange(len(body))
    end = min(len(body), start + d.one([1, 1, 1, 1, 2, 2, 3]))
    call = taken_out(d, body[start:end], body[:start], body[end:])
    return body if call is None else [*body[:start], call, *body[end:]]


def delegated(d: Draw) -> list[Lines]:
    """A tensor that is born here and written by functions; what they look at or change comes in between."""
    dims = dimensions(d)
    o = d.tensor(dims)
    made: list[Lines] = [(f"{o} = {birth(d, dims)}",)]
    parts = [[lines] for lines in complete(d, o, dims)]
    for _ in range(d.one([0, 0, 0, 0, 1, 1, 2])):
        new = d.one([observe(d), disturb(d), use(d, o), some(d, o, dims), (f"{o}.add_(1)",), (f"peek({o})",)])
        parts.insert(d.rng.randrange(len(parts) + 1), [new])
    if d.chance(0.15):  # first out of sight, then looked at
        given = d.one(
            [f"keep({o})", f"KEPT.append({o})", f"p = same({o})", f"p = [{o}]", f"def g(t={o}): return t.sum()"]
        )
        look = "KEPT.append(g())" if "def" in given else "KEPT.extend(look())" if "p =" not in given else "keep(p)"
        place = d.rng.randrange(len(parts) + 1)
        parts[place:place] = [[(given,)], [(look,)]]
    while len(parts) > 1 and d.chance(0.4):
        place = d.rng.randrange(len(parts) - 1)
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    for place, part in enumerate(parts):
        below = [lines for later in parts[place + 1 :] for lines in later]
        call = taken_out(d, part, made, below) if d.chance(0.85) else None
        made += part if call is None else [call]
    return made


def taken_out(d: Draw, part: list[Lines], above: list[Lines], below: list[Lines]) -> Lines | None:
    before = locals_of(above)
    outer = {*before, *PARAMETERS, "self"}
    names = Names.of(part, outer)
    if names is None:
        return None
    used = words(below)
    results = [name for name in names.bound if name in used or below == [] and name in d.known]
    inner = spoilt(d, list(part), results)
    names = Names.of(inner, outer)
    if names is None or len(results) > MOST_RESULTS:
        return None
    given = [name for name in names.read if name != "self"]
    given += [name for name in results if name in before and name not in given]
    if d.chance(0.12):
        return local(d, part, results, given)
    method = "self" in names.read or d.methods and d.chance(0.8)
    static = method and "self" not in names.read and d.chance(0.15)
    name = d.name(d.one(["h", "write", "help"]))
    call, header, prefix = signature(d, given, method and not static)
    lines: list[Lines] = [prefix, *inner]
    if results:
        lines.append((f"return {', '.join(results)}",))
    elif given and d.chance(0.4):
        lines.append((d.one([f"return {d.one(given)}", "return None", f"return {', '.join(given)}"]),))
    decorated: Lines = ("@staticmethod",) if static else ()
    d.callees.append(Callee(name, (*decorated, *block(f"def {name}({header}):", *lines)), method))
    return called(d, spelled(d, name, call, method), results)


def spelled(d: Draw, name: str, call: str, method: bool) -> str:
    """One way to call it."""
    if method:
        return f"{d.one(['self'] * 12 + ['C()', 'type(self)()'])}.{name}({call})"
    kind = d.one(["plain"] * 12 + ["partial", "partial", "wrapper", "decorated", "object"])
    passed = call.split(", ") if call and "(" not in call else []
    match kind:
        case "partial":
            cut = d.rng.randrange(len(passed) + 1)
            if any("=" in one for one in passed[:cut]) or not passed:
                cut = 0
            first = ", ".join([name, *passed[:cut]])
            return f"functools.partial({first})({', '.join(passed[cut:]) if passed else call})"
        case "wrapper":
            around = d.name("h")
            d.callees.append(Callee(around, block(f"def {around}(*args, **kw):", (f"return {name}(*args, **kw)",))))
            return f"{around}({call})"
        case "decorated":
            around = d.name("wrapped")
            inner = block(
                "def inner(*args, **kw):", d.one([("pass",), ("KEPT.append(0)",)]), ("return g(*args, **kw)",)
            )
            d.callees.append(Callee(around, block(f"def {around}(g):", inner, ("return inner",))))
            return f"{around}({name})({call})"
        case "object":
            holder = d.name("Holder")
            body = [block("def __init__(self, value):", ("self.value = value",)),
                    block("def run(self, *args, **kw):", (f"return {name}(*args, **kw)",))]  # fmt: skip
            d.callees.append(Callee(holder, block(f"class {holder}:", *body)))
            return f"{holder}({d.any()}).run({call})"
    return f"{name}({call})"


def called(d: Draw, call: str, results: list[str]) -> Lines:
    target = ", ".join(results)
    if d.chance(0.1) and len(results) > 1:
        target = d.one([f"({target})", f"[{target}]"])
    line = f"{target} = {call}" if results else d.one([call, call, f"got = {call}"])
    return d.rng.choices(
        [
            (line,),
            block("try:", (line,)) + block("except RuntimeError:", d.one([("pass",), observe(d), disturb(d)])),
            block("with contextlib.suppress(RuntimeError):", (line,)),
            block("if flag:", (line,)),
            block("try:", (line,)) + block("finally:", observe(d)),
            block(f"for {d.index_name()} in range(2):", (line,)),
        ],
        [24, 2, 1, 1, 1, 1],
    )[0]


def spoilt(d: Draw, part: list[Lines], results: list[str]) -> list[Lines]:
    """The body of a callee with something of its own."""
    for _ in range(d.one([0, 0, 0, 0, 0, 1, 1, 2])):
        place = d.rng.randrange(len(part) + 1)
        early = f"return {', '.join(results)}" if results else "return"
        new: Lines = d.rng.choices(
            [
                observe(d),
                disturb(d),
                ("if fail:", "    raise RuntimeError('half way')"),
                ("if not flag:", f"    {early}"),
                ("global SEEN", f"SEEN = {d.any()}"),
                (f"KEPT.append({d.any()})",),
                ("boom(fail)",),
                ("assert n >= 0",),
            ],
            [4, 3, 2, 2, 1, 1, 2, 1],
        )[0]
        part = [*part[:place], new, *part[place:]]
    if d.chance(0.15) and part:
        more = observe(d)
        part = d.one(
            [
                [block("try:", *part) + block("finally:", more)],
                [block("try:", ("boom(fail)",), *part) + block("except RuntimeError:", more)],
                [block("try:", *part, ("boom(fail)",)) + block("except RuntimeError:", more, ("raise",))],
                [block("if flag:", *part) + block("else:", more)],
                [block("with torch.no_grad():", *part)],
                [block("for _ in range(1):", *part)],
            ]
        )
    return part


def signature(d: Draw, given: list[str], method: bool) -> tuple[str, str, Lines]:
    """What is passed, the parameters, and what the callee does first to have them under their names."""
    given = list(given)
    d.rng.shuffle(given)
    typed = d.chance(0.4)

    def parameter(name: str) -> str:
        return f"{name}: {KINDS[name]}" if typed and name in KINDS else name

    first = ["self"] if method else []
    style = d.one(["plain"] * 12 + ["words", "words", "default", "default", "star", "packed", "kwargs", "only", "swap"])
    if style == "star" and given:
        cut = d.rng.randrange(len(given))
        rest = given[cut:]
        unpack: Lines = (f"{', '.join(rest)}, = rest",)
        return ", ".join(given), ", ".join([*first, *map(parameter, given[:cut]), "*rest"]), unpack
    if style == "packed":
        opened = d.one(["*[{}]", "*({},)", "**dict({})"])
        inner = ", ".join(f"{name}={name}" if "dict" in opened else name for name in given)
        return opened.format(inner) if given else "", ", ".join([*first, *map(parameter, given)]), ()
    if style == "kwargs" and given:
        unpacked = tuple(f"{name} = kw[{name!r}]" for name in given)
        return ", ".join(f"{name}={name}" for name in given), ", ".join([*first, "**kw"]), unpacked
    if style in ("words", "only"):
        cut = d.rng.randrange(len(given) + 1)
        passed = [*given[:cut], *(f"{name}={name}" for name in d.rng.sample(given[cut:], len(given) - cut))]
        between = ["*"] if style == "only" and cut < len(given) else []
        return ", ".join(passed), ", ".join([*first, *given[:cut], *between, *map(parameter, given[cut:])]), ()
    if style == "default":
        front = [name for name in given if name not in DEFAULTS]
        back = [name for name in given if name in DEFAULTS]
        passed = [*front, *(f"{name}={name}" for name in back if d.chance(0.4))]
        header = [*map(parameter, front), *(f"{name}={d.one(DEFAULTS[name])}" for name in back)]
        return ", ".join(passed), ", ".join([*first, *header]), ()
    passed = list(given)
    if style == "swap":
        passed = [d.one([name, name, d.any()]) if name not in KINDS else d.one([name, name, "x"]) for name in given]
        passed = [one if name not in ("n", "k", "flag", "fail", "xs") else name for name, one in zip(given, passed)]
    return ", ".join(passed), ", ".join([*first, *map(parameter, given)]), ()


def local(d: Draw, part: list[Lines], results: list[str], given: list[str]) -> Lines:
    """A function inside of the function, which finds what it needs around it."""
    name = d.name("inner")
    if results or d.chance(0.5):
        caught = [name for name in given if d.chance(0.3)]
        header = ", ".join(f"{one}={one}" for one in caught)
        tail = (f"return {', '.join(results)}",) if results else ()
        needed = [one for one in results if one in given and one not in caught]
        header = ", ".join([*needed, header]) if header else ", ".join(needed)
        call = f"{', '.join(results)} = {name}({', '.join(needed)})" if results else f"{name}()"
        return (*block(f"def {name}({header}):", *part, tail), call)
    return (*block(f"def {name}():", *part), f"{name}()")


def words(lines: list[Lines]) -> set[str]:
    text = "\n".join(line for part in lines for line in part)
    return set("".join(c if c.isalnum() or c == "_" else " " for c in text).split())


def locals_of(lines: list[Lines]) -> set[str]:
    """Names that statements bind. Of text that cannot be parsed, none."""
    try:
        tree = ast.parse("\n".join(block("def f():", *lines)))
    except SyntaxError:
        return set()
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return bound - set(dir(builtins))


def functions(d: Draw) -> str:
    """The text of those that are no methods."""
    return "".join("\n".join(callee.text) + "\n\n" for callee in d.callees if not callee.method)


def classes(d: Draw, run: Lines) -> str:
    """`run` and the methods, as a class `C` and perhaps a class `D(C)` with other methods."""
    methods = [callee.text for callee in d.callees if callee.method]
    above = block("class C:", *(part for text in [*methods, run] for part in (text, ("",))))
    below = [altered(d, text) for text in methods if d.chance(0.5)]
    lines: tuple[str, ...] = above
    if below:
        lines += ("", *block("class D(C):", *(part for text in below for part in (text, ("",)))))
    receiver = d.one(["C()", "C()", "(D if flag else C)()", "(C if flag else D)()", "D()"]) if below else "C()"
    passed = ", ".join(PARAMETERS)
    return "\n".join((*lines, "", *block(f"def f({passed}):", (f"return {receiver}.run({passed})",)))) + "\n"


def needed(lines: Lines) -> set[str]:
    """Names that must have a value in front of a statement."""
    try:
        tree = ast.parse("\n".join(block("def f():", lines)))
    except SyntaxError:
        return set()
    return {name for name, ctx in _in_order(tree.body[0]) if isinstance(ctx, ast.Load)} - _bound_first(tree.body[0])


def _bound_first(tree: ast.AST) -> set[str]:
    first: dict[str, ast.expr_context] = {}
    for name, ctx in _in_order(tree):
        first.setdefault(name, ctx)
    return {name for name, ctx in first.items() if isinstance(ctx, ast.Store)}


def _in_order(tree: ast.AST) -> Iterator[tuple[str, ast.expr_context]]:
    """The names of a statement about as they are met: what is read before what is bound, its header before its body."""
    inner = [
        node for node in ast.iter_child_nodes(tree) if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case)
    ]
    header = [node for node in ast.iter_child_nodes(tree) if node not in inner]
    names = [node for part in header for node in ast.walk(part) if isinstance(node, ast.Name)]
    if isinstance(tree, ast.AugAssign) and isinstance(tree.target, ast.Name):
        yield tree.target.id, ast.Load()
    yield from ((node.id, node.ctx) for node in sorted(names, key=lambda node: isinstance(node.ctx, ast.Store)))
    for node in inner:
        yield from _in_order(node)


def above(header: str) -> Lines:
    """A method that does what the one of the class above does."""
    name, _, parameters = header.removeprefix("def ").removesuffix("):").partition("(")
    names = [
        one.partition(":")[0].partition("=")[0].strip() for one in parameters.split(", ") if one not in ("self", "*")
    ]
    passed = ", ".join(one if one.startswith("*") else f"{one}={one}" for one in names)
    return (header, f"    return super().{name}({passed})")


def altered(d: Draw, text: Lines) -> Lines:
    """A method as a class below may have it: mostly one that does the same."""
    first = 2 if text[0].startswith("@") else 1
    if d.chance(0.5) or len(text) < first + 2:
        return text
    place = d.rng.randrange(first, len(text))
    margin = text[place][: len(text[place]) - len(text[place].lstrip())]
    return d.one(
        [
            (*text[:place], f"{margin}pass", *text[place + 1 :]),
            (*text[:first], "    KEPT.append(1)", *text[first:]),
            (*text[:first], "    raise NotImplementedError"),
            above(text[first - 1]),
            text,
        ]
    )
