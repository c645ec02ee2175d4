"""What values of a kernel are when some of its blocks never ran."""

from __future__ import annotations

from dataclasses import dataclass, field

from codemods.core.kernel import Kernel, Loop, Numbering, every

DEEP = 4  # names that may hang on each other before they count as changed
DEEPEST = 100  # terms inside each other; what lies deeper is not looked into
Side = tuple[int, int]  # (branch, 0 for its `then` and 1 for its `else`), or (loop, 0)
ZEROS = frozenset({("int", "0"), ("float", "0.0"), ("bool", "False")})


@dataclass(slots=True)
class Settling:
    """`quiet`: the blocks that never ran. `turns`: loops whose index is to be taken for that of another."""

    kernel: Kernel
    quiet: frozenset[Side] = frozenset()
    turns: dict[int, int] = field(default_factory=dict)
    numbering: Numbering = field(default_factory=Numbering)
    out: dict[tuple[int, str], int] = field(default_factory=dict)
    known: dict[int, int] = field(default_factory=dict)
    depth: int = 0
    asked: frozenset[int] = (
        frozenset()
    )  # names at the start of a turn, of which it is asked whether a turn changes them

    def value(self, number: int) -> int:
        """A number that is the same for what certainly is the same value."""
        if number in self.asked or self.depth > DEEPEST:
            return self.as_it_is(number)
        if number not in self.known:
            self.depth += 1
            self.known[number] = self.settled(number)
            self.depth -= 1
        return self.known[number]

    def settled(self, number: int) -> int:
        term = self.kernel.terms[number]
        match term.op:
            case "index":
                assert isinstance(term.data, int)
                return self.numbering.number("index", data=self.turns.get(term.data, term.data))
            case "join":
                assert isinstance(term.data, int)
                then, other = map(self.value, term.parts)
                if (term.data, 0) in self.quiet:
                    return other
                return then if then == other or (term.data, 1) in self.quiet else self.as_it_is(number)
            case "after" | "carried":
                assert isinstance(term.data, tuple)
                never = (term.data[0], 0) in self.quiet
                return self.value(term.parts[0]) if never or self.steady(term.data) else self.as_it_is(number)
        return self.numbering.number(term.op, tuple(map(self.value, term.parts)), term.data)

    def as_it_is(self, number: int) -> int:
        return self.numbering.number("same", data=number)

    def steady(self, which: tuple[int, str]) -> bool:
        """A turn of the loop leaves the name as it was."""
        if len(self.asked) >= DEEP:
            return False
        terms = enumerate(self.kernel.terms)
        start = next(number for number, term in terms if term.op == "carried" and term.data == which)
        asked = self.asked | {start}
        fresh = Settling(self.kernel, self.quiet, self.turns, self.numbering, self.out, depth=self.depth, asked=asked)
        return fresh.value(self.out[which]) == self.as_it_is(start)

    def same_bits(self, one: int, other: int) -> bool:
        """Stored through one pointer, both values leave the same bits: each is 0, or both are one constant.

        0 in any dtype becomes 0 in the dtype of the memory. Arithmetic is not compared: floating point may be
        contracted in one place and not in the other.
        """
        left, right = self.value(one), self.value(other)
        return self.zero(left) and self.zero(right) or left == right and self.constant(left)

    def zero(self, number: int) -> bool:
        """It is 0, or a block of zeros: +0.0, not -0.0."""
        term = self.numbering.terms[number]
        match term.op, term.data:
            case "const", data:
                return data in ZEROS
            case "call", ("triton.language.zeros" | "triton.language.zeros_like", _):
                return True
            case "call", ("triton.language.full", (*keywords,)):
                names = ["shape", "value", "dtype"][: len(term.parts) - len(keywords)] + keywords
                return any(name == "value" and self.zero(part) for name, part in zip(names, term.parts, strict=True))
            case ("call", ("triton.language.cast" | "triton.language.broadcast_to", ())) | ("method", ("to", ())):
                return self.zero(term.parts[0])
        return False

    def constant(self, number: int) -> bool:
        """It comes without arithmetic from what does not change while the kernel runs."""
        term = self.numbering.terms[number]
        match term.op, term.data:
            case (("const" | "param" | "global"), _):
                return True
            case ("op", ("UnaryOp" | "List" | "Tuple", _, _)) | ("attribute", _) | ("method", ("to", _)):
                return all(map(self.constant, term.parts))
            case "call", ("triton.language.full" | "triton.language.cast", _):
                return all(map(self.constant, term.parts))
        return False


def settling(kernel: Kernel, quiet: frozenset[Side] = frozenset(), turns: dict[int, int] | None = None) -> Settling:
    loops = [node for node in every(kernel.body) if isinstance(node, Loop)]
    out = {(loop.ident, name): value for loop in loops for name, value in loop.out}
    return Settling(kernel, quiet, turns or {}, out=out)
