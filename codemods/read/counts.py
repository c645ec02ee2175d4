"""How many elements a tensor has, told by its extents: `numel()` and `shape[:-1]` are products of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator

from codemods.core.size import ONE, Atom, Size, variable

Of = tuple[Hashable, Hashable]  # a tensor, and when
RankOf = Callable[[Hashable, Hashable], int | None]


def numel_of(name: str, of: Hashable, layout: Hashable) -> Size:
    return variable(Atom(f"{name}.numel()", ("numel", of, layout), natural=True))


def lead_of(name: str, of: Hashable, layout: Hashable, cut: int) -> Size:
    """The product of all extents but the last `cut`; 1 where there are not so many."""
    return variable(Atom(f"prod({name}.shape[:-{cut}])", ("lead", of, layout, cut), natural=True))


def products(sizes: Iterable[Size], rank_of: RankOf) -> Iterator[tuple[Atom, Size]]:
    """What the numbers of elements in `sizes` are products of, so that the same extents are found in all of them. An
    extent that a tensor has not counts as 1: nobody can have asked for it."""
    found: dict[Of, dict[Atom, int]] = {}  # by tensor: its numbers, and how many extents each is without
    for atom in {atom for size in sizes for atom in every(size)}:
        match atom.key:
            case ("numel", of, layout):
                found.setdefault((of, layout), {})[atom] = 0
            case ("lead", of, layout, int(cut)):
                found.setdefault((of, layout), {})[atom] = cut
            case ("extent", of, int(place), layout) if place < 0:
                found.setdefault((of, layout), {})[atom] = place
    for (of, layout), numbers in found.items():
        name = next(iter(numbers)).name.removeprefix("prod(").partition(".shape[")[0].removesuffix(".numel()")

        def extents(places: range, name: str = name, of: Hashable = of, layout: Hashable = layout) -> Size:
            total = ONE
            for place in places:
                total = total * variable(Atom(f"{name}.shape[{place}]", ("extent", of, place, layout), natural=True))
            return total

        rank, most = rank_of(of, layout), max(map(abs, numbers.values()))
        for atom, cut in numbers.items():
            if rank is not None and cut < 0:
                if rank + cut >= 0:
                    yield atom, extents(range(rank + cut, rank + cut + 1))
            elif rank is not None:
                yield atom, extents(range(rank - cut))
            elif 0 <= cut < most:
                yield atom, lead_of(name, of, layout, most) * extents(range(-most, -cut))


def every(size: Size) -> Iterator[Atom]:
    """All atoms, also those inside others."""
    for atom in size.atoms:
        yield atom
        for part in atom.key if isinstance(atom.key, tuple) else ():
            if isinstance(part, Size):
                yield from every(part)
