"""What is reached, as a box in the indices of a tensor; several boxes as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codemods.core.poly import ONE, ZERO, Poly, quotient, terms
from codemods.cover.bounds import Facts
from codemods.cover.space import Open
from codemods.cover.tiles import Digit, Reach

Interval = tuple[Poly, Poly]  # from, up to


@dataclass(frozen=True, slots=True)
class Shape:
    """Extents and strides in elements; `facts` has every extent >= 1, since otherwise there is nothing to reach."""

    extents: tuple[Poly, ...]
    strides: tuple[Poly, ...]
    facts: Facts

    @property
    def count(self) -> Poly:
        total = ONE
        for extent in self.extents:
            total = total * extent
        return total

    @property
    def dense(self) -> bool:
        """The elements fill a stretch of memory, in some order of the dimensions."""
        left = [pair for pair in zip(self.extents, self.strides, strict=True) if pair[0] != ONE]
        step = ONE
        while left:
            found = next((pair for pair in left if pair[1] == step), None)
            if found is None:
                return False
            left.remove(found)
            step = step * found[0]
        return True


def interval(reach: Reach) -> Interval:
    """The stretch of memory that is reached, where it is one."""
    match reach.digits:
        case ():
            return reach.start, reach.start + 1
        case (Digit(factor, extent),) if factor == ONE:
            return reach.start, reach.start + extent
    raise Open("not one stretch of memory")


def box(reach: Reach, shape: Shape) -> tuple[Interval, ...]:
    """Indices from .. up to in each dimension, all of which are reached."""
    order = sorted(range(len(shape.extents)), key=lambda dimension: _weight(shape.strides[dimension]), reverse=True)
    order = [dimension for dimension in order if shape.extents[dimension] != ONE]
    digits: dict[int, Digit] = {}
    for digit in reach.digits:
        for dimension in order:
            share = quotient(digit.factor, shape.strides[dimension])
            if share is not None:
                if share != ONE or dimension in digits:
                    raise Open(f"every {share}. index of dimension {dimension} only")
                _unfold(digit, dimension, digits, shape)
                break
        else:
            raise Open(f"a stride of {digit.factor} is none of the tensor's")
    starts = dict.fromkeys(range(len(shape.extents)), ZERO)
    rest = ZERO
    for term in terms(reach.start):
        for dimension in order:
            share = quotient(term, shape.strides[dimension])
            if share is not None:
                starts[dimension] = starts[dimension] + share
                break
        else:
            rest = rest + term
    if rest != ZERO:
        raise Open(f"it starts at {reach.start}")
    return tuple(
        (starts[dimension], starts[dimension] + (digits[dimension].extent if dimension in digits else ONE))
        for dimension in range(len(shape.extents))
    )


def _unfold(digit: Digit, dimension: int, digits: dict[int, Digit], shape: Shape) -> None:
    """A digit that runs through several dimensions which lie densely is a digit in each."""
    extent, stride = shape.extents[dimension], shape.strides[dimension]
    many = None if digit.extent == extent else quotient(digit.extent, extent)
    next_ = [
        other
        for other in range(len(shape.extents))
        if shape.strides[other] == stride * extent and other not in digits and shape.extents[other] != ONE
    ]
    if many is None or not next_:
        digits[dimension] = digit
        return
    digits[dimension] = Digit(stride, extent)
    _unfold(Digit(stride * extent, many), next_[0], digits, shape)


def _weight(stride: Poly) -> tuple[int, int, str]:
    degree = max((len(monomial) for monomial in stride.terms), default=0)
    return degree, max(map(abs, stride.terms.values()), default=0), str(stride)


def covers(found: Interval, extent: Poly, facts: Facts) -> bool:
    return facts.natural(-found[0]) and facts.natural(found[1] - extent)


def chained(found: Sequence[Interval], extent: Poly, facts: Facts) -> bool:
    """The intervals together have every index from 0 up to the extent."""
    left, reached = list(found), ZERO
    while not facts.natural(reached - extent):
        # a stretch that begins no later and ends behind: also when it is empty nothing between is left out
        step = next((one for one in left if facts.natural(reached - one[0])), None)
        if step is None:
            return False
        left.remove(step)
        reached = step[1]
    return True


def union(boxes: Sequence[tuple[Interval, ...]], shape: Shape) -> tuple[Interval, ...]:
    """One box that the boxes fill together: the largest that is found."""
    dimensions = range(len(shape.extents))
    for one in boxes:
        if all(covers(one[dimension], shape.extents[dimension], shape.facts) for dimension in dimensions):
            return one
    for dimension in dimensions:
        whole = [
            one
            for one in boxes
            if all(other == dimension or covers(one[other], shape.extents[other], shape.facts) for other in dimensions)
        ]
        if len(whole) > 1 and chained([one[dimension] for one in whole], shape.extents[dimension], shape.facts):
            return tuple((ZERO, extent) for extent in shape.extents)
    return boxes[0]


def full(shape: Shape) -> tuple[Interval, ...]:
    return tuple((ZERO, extent) for extent in shape.extents)
