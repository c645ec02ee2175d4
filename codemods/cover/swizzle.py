"""The lemma on programs that are numbered in groups of rows, as in most matrix products."""

from __future__ import annotations

from codemods.core.poly import Atom, Poly, deep, poly, quotient
from codemods.cover.space import Space, free


def swizzled(space: Space) -> bool:
    """Programs in groups of rows: pid -> (row, column), where the last group may have fewer rows.

    With R rows, C columns, groups of G rows and R * C programs: g = pid // (G*C), s = min(R - g*G, G),
    row = g*G + pid % (G*C) % s and column = pid % (G*C) // s take every pair.
    """
    for value in space.everything():
        for atom in sorted(deep(value)):
            if atom.kind in ("div", "trunc") and isinstance(atom.parts[1], Poly):
                (size, *more) = atom.parts[1].atoms or (None,)
                alone = size is not None and not more and size.kind == "min" and atom.parts[1] == poly(size)
                if size is not None and alone and _swizzle(space, atom, size):
                    return True
    return False


def _swizzle(space: Space, column: Atom, size: Atom) -> bool:
    inside, by = column.parts
    groups = [atom for atom in deep(poly(size)) if atom.kind in ("div", "trunc")]
    if len(groups) != 1 or not isinstance(inside, Poly) or not isinstance(by, Poly):
        return False
    over, many = groups[0].parts
    assert isinstance(over, Poly) and isinstance(many, Poly)
    (pid, *more) = over.atoms or (None,)
    constant = [part for part in size.parts if isinstance(part, Poly) and not free(part)]
    other = [part for part in size.parts if isinstance(part, Poly) and free(part)]
    if pid is None or more or over != poly(pid) or pid not in space.extents or len(constant) != 1 or len(other) != 1:
        return False
    (height,), (rest,) = constant, other
    rows, columns = rest + height * poly(groups[0]), quotient(many, height)
    within = [poly(Atom(kind, (over, many), True)) for kind in ("mod", "rem")]
    facts = space.facts
    if columns is None or free(rows) or inside not in within or not facts.at_least_one(height):
        return False
    if space.extents[pid] != rows * columns or not facts.at_least_one(columns) or not facts.at_least_one(rows):
        return False
    row, place = poly(Atom("var", ("row", column.text), True)), poly(Atom("var", ("column", column.text), True))
    turns = {Atom(kind, (value, by), True) for kind in ("mod", "rem") for value in (inside, over)}

    def new(atom: Atom) -> Poly | None:
        if atom == column:
            return place
        return row - height * poly(groups[0]) if atom in turns else None

    kept = space.state()
    space.exchange(new)
    if any(pid in free(value) for value in space.everything()):
        space.restore(kept)
        return False
    del space.extents[pid]
    (row_atom,), (place_atom,) = row.atoms, place.atoms
    space.extents |= {row_atom: rows, place_atom: columns}
    return True
