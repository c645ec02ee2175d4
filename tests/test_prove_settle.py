"""What values of a kernel are when some of its blocks never ran, by small programs with a store that is repeated."""

from __future__ import annotations

import pytest
from kernel_programs import programs, told

PAGE = """
# a place that six names hand on: unknown[other-place] 10 19
a = n
b = n
c = n
d = n
e = n
f = n
seen = False
if n > 3:
    seen = True
tl.store(out + offset + n, 0.0)
for j in range(m):
    a = b
    b = c
    c = d
    d = e
    e = f
    f = f + 1
if not seen:
    tl.store(out + offset + a, 0.0)

# the place changes on one side: unknown[other-place] 9 11
w = n
seen = False
if n > 3:
    seen = True
if n > 4:
    pass
else:
    w = n + 1
tl.store(out + offset + n, 0.0)
if not seen:
    tl.store(out + offset + w, 0.0)

# the place changes on the other side: unknown[other-place] 7 9
w = n
seen = False
if n > 3:
    seen = True
if n > 4:
    w = n + 1
tl.store(out + offset + n, 0.0)
if not seen:
    tl.store(out + offset + w, 0.0)

# the place changes where the flag is set: proved
w = n
seen = False
if n > 3:
    pass
else:
    seen = True
    w = n + 1
if n > 4:
    seen = True
    w = n + 2
tl.store(out + offset + n, 0.0)
if not seen:
    tl.store(out + offset + w, 0.0)

# the place is the same on either side: proved
w = n
seen = False
if n > 3:
    seen = True
if n > 4:
    for i in range(m):
        if n > 5:
            w = w
tl.store(out + offset + n, 0.0)
if not seen:
    tl.store(out + offset + w, 0.0)

# the place changes in the loop that sets the flag: proved
w = n
seen = False
for i in range(m):
    seen = True
    w = w + 1
tl.store(out + offset + n, 0.0)
if not seen:
    tl.store(out + offset + w, 0.0)

# the place changes in the innermost of six loops: unknown[other-place] 12 14
w = n
seen = False
if n > 3:
    seen = True
for i0 in range(m):
    for i1 in range(m):
        for i2 in range(m):
            for i3 in range(m):
                for i4 in range(m):
                    for i5 in range(m):
                        w = w + 1
tl.store(out + offset + n, 0.0)
if not seen:
    tl.store(out + offset + w, 0.0)

# the place is the same in the innermost of four loops: proved
w = n
seen = False
if n > 3:
    seen = True
for i0 in range(m):
    for i1 in range(m):
        for i2 in range(m):
            for i3 in range(m):
                w = w
tl.store(out + offset + n, 0.0)
if not seen:
    tl.store(out + offset + w, 0.0)

# the place is the same in the innermost of five loops: unknown[other-place] 11 13
w = n
seen = False
if n > 3:
    seen = True
for i0 in range(m):
    for i1 in range(m):
        for i2 in range(m):
            for i3 in range(m):
                for i4 in range(m):
                    w = w
tl.store(out + offset + n, 0.0)
if not seen:
    tl.store(out + offset + w, 0.0)

# 0 of another type, made in more than one way: unknown[another-value] 4 6
seen = False
if n > 3:
    seen = True
tl.store(out + offset, tl.cast(0.0, tl.float32, None, True))
if not seen:
    tl.store(out + offset, 0.0)

# the loops are exchanged: unknown[other-place] 6 10
seen = False
if n > 3:
    seen = True
for i in range(4):
    for j in range(4):
        tl.store(out + offset + i * n + j, 0.0)
if not seen:
    for i in range(4):
        for j in range(4):
            tl.store(out + offset + j * n + i, 0.0)
"""
PROGRAMS = programs(PAGE)


@pytest.mark.parametrize(("title", "expected", "body"), PROGRAMS, ids=[title for title, _, _ in PROGRAMS])
def test_what_a_value_is(title: str, expected: str, body: str) -> None:
    assert told(body) == expected


FLAG = """
w = n
for i in range(n):
    if n > 3:
        w = w
seen = False
if n > 4:
    seen = True
tl.store(out + FIRST, 0.0, mask=MASK)
if not seen:
    tl.store(out + SECOND, 0.0, mask=MASK)
"""


def over(first: str, second: str, mask: str = "offset < n") -> str:
    return told(FLAG.replace("FIRST", first).replace("SECOND", second).replace("MASK", mask))


@pytest.mark.parametrize(
    ("deep", "wide", "expected"),
    [
        (70, 0, "proved"),
        (45, 45, "proved"),
        (98, 0, "proved"),
        (99, 0, "unknown[other-place] 8 10"),
    ],
)
def test_expressions_are_looked_into_to_some_depth(deep: int, wide: int, expected: str) -> None:
    first, second = (f"offset + {name}" + " + 1" * deep for name in ("n", "w"))
    assert over(first, second, "offset" + " + m" * wide + " < n") == expected


@pytest.mark.parametrize(("deep", "expected"), [(60, "proved"), (110, "unknown[other-place] 8 10")])
def test_what_stands_beside_a_deep_expression_makes_it_no_deeper(deep: int, expected: str) -> None:
    assert over(*("offset + " + "(1 + " * deep + name + ")" * deep for name in ("n", "w"))) == expected
    assert over(*("offset" + " + m" * 60 + f" + (n * {name}" + " + 1" * deep + ")" for name in ("n", "w"))) == expected


@pytest.mark.parametrize(("deep", "expected"), [(10, "proved"), (60, "unknown[other-place] 126 128")])
def test_what_a_turn_leaves_is_looked_into_to_the_same_depth(deep: int, expected: str) -> None:
    loops = "for i in range(m):\n" + "    for j in range(m):\n        w = w\n" * 60
    first, second = (f"tl.store(out + offset + {name}{' + 1' * deep}, 0.0)\n" for name in ("n", "w"))
    assert (
        told(f"w = n\nseen = False\nif n > 3:\n    seen = True\n{loops}{first}if not seen:\n    {second}") == expected
    )
