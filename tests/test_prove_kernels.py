"""Provers of stores in kernels, by the smallest program that each of their checks decides."""

from __future__ import annotations

import re

import pytest

from codemods import Options, decide_file

HEAD = """
import torch, triton
import triton.language as tl

@triton.jit
def k(x, keep, out, other, n: tl.constexpr, m: tl.constexpr, B: tl.constexpr):
    offset = tl.arange(0, B)
"""
# the last site of each, its reason, and the lines of its witness, counted from the first
PAGE = """
# the same again: proved
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
if not seen:
    tl.store(out + offset, 0)

# set again behind it: unknown[flag-used] 6
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
if not seen:
    tl.store(out + offset, 0)
seen = True

# never set: unknown[flag-used] 3
seen = False
tl.store(out + offset, 0.0)
if not seen:
    tl.store(out + offset, 0.0)

# the only store is before the flag: unknown[other-place] 7
tl.store(out + offset, 0.0)
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
if not seen:
    tl.store(out + offset, 0.0)

# the first may not turn: unknown[other-place] 6 8
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
for i in range(n):
    tl.store(out + offset, 0.0)
if not seen:
    tl.store(out + offset, 0.0)

# the second may not turn: unknown[other-place] 5 8
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
if not seen:
    for i in range(n):
        tl.store(out + offset, 0.0)

# a loop of another kind: unknown[other-place] 6 9
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
for i in tl.static_range(4):
    tl.store(out + offset + i, 0.0)
if not seen:
    for i in range(4):
        tl.store(out + offset + i, 0.0)

# another store behind it: unknown[store-between] 6
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
tl.store(other + offset, 1.0)
if not seen:
    tl.store(out + offset, 0.0)

# two other stores behind it: unknown[store-between] 7
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
tl.store(x + offset, 1.0)
tl.store(other + offset, 1.0)
if not seen:
    tl.store(out + offset, 0.0)

# stored twice before it: proved
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 1.0)
tl.store(out + offset, 0.0)
if not seen:
    tl.store(out + offset, 0.0)

# stored twice, the last is another: unknown[another-value] 6 8
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
tl.store(out + offset, 1.0)
if not seen:
    tl.store(out + offset, 0.0)

# another expression for the place: proved
seen = False
place = out + offset
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
if not seen:
    tl.store(place, 0.0)

# unset with something else: unknown[flag-used] 6
seen = first = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
if not seen:
    tl.store(out + offset, 0.0)
seen = False

# set with something else: unknown[flag-used] 7
seen = False
seen = first = True
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
if not seen:
    tl.store(out + offset, 0.0)

# unset twice: unknown[flag-used] 7
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
seen = False
tl.store(out + offset, 0.0)
if not seen:
    tl.store(out + offset, 0.0)

# set to a number: unknown[flag-used] 7
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
seen = 2
tl.store(out + offset, 0.0)
if not seen:
    tl.store(out + offset, 0.0)

# bound under the flag, and used behind it in a loop that may bind it: unknown[flag-used] 11
w = 5
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
if not seen:
    w = 7
    tl.store(out + offset, 0.0)
for i in range(m):
    tl.load(other + w)
    if n > 3:
        w = 3

# bound under the flag, then maybe again: unknown[flag-used] 12
w = 5
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
if not seen:
    w = 7
    tl.store(out + offset, 0.0)
if n > 3:
    w = 3
tl.load(other + w)

# bound under the flag, or in a loop: unknown[flag-used] 16
w = 5
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
if not seen:
    w = 7
    tl.store(out + offset, 0.0)
if n > 3:
    pass
else:
    w = 1
    for i in range(m):
        w = w + 1
tl.load(other + w)

# bound under the flag, and used in the next turn: unknown[flag-used] 3
w = 5
for i in range(n):
    tl.load(other + w)
    seen = False
    for j in range(m):
        if tl.load(keep + j) > 0:
            seen = True
    tl.store(out + offset + i, 0.0)
    if not seen:
        w = 7
        tl.store(out + offset + i, 0.0)

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

# under a mask, then under none: proved
tl.store(out + offset, 1.0, mask=offset < n)
tl.store(out + offset, 0.0)

# in a loop, then behind it: unknown[guarded] 4
for j in range(m):
    tl.load(out + offset)
    tl.store(out + offset, 1.0)
tl.store(out + offset, 0.0)

# looked at in the branch: unknown[read-first] 4
if n > 3:
    if m > 3:
        tl.store(out + offset, 1.0)
        tl.load(x + offset)
tl.store(out + offset, 0.0)

# looked at in a branch around it: unknown[read-first] 4
if n > 3:
    if m > 3:
        tl.store(out + offset, 1.0)
    tl.load(x + offset)
tl.store(out + offset, 0.0)
"""
PROGRAMS = re.findall(r"^# (.+): (.+)\n((?:(?!# ).*\n)+)", PAGE, re.M)


def told(body: str) -> str:
    source = HEAD + "".join(f"    {line}\n" for line in body.strip().splitlines())
    found = decide_file(source.encode(), "k.py", Options(select=("drop_store",))).decisions[-1]
    if found.reason is None:
        return found.verdict
    lines = " ".join(str(step.span.line - HEAD.count("\n")) for step in found.reason.witness)
    return f"{found.verdict}[{found.reason.code}] {lines}".strip()


@pytest.mark.parametrize(("title", "expected", "body"), PROGRAMS, ids=[title for title, _, _ in PROGRAMS])
def test_what_a_store_repeats(title: str, expected: str, body: str) -> None:
    assert told(body) == expected


def test_the_page_is_read() -> None:
    assert len(PROGRAMS) == PAGE.count("\n# ")


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


@pytest.mark.parametrize(
    ("deep", "wide", "expected"),
    [
        (70, 0, "proved"),
        (45, 45, "proved"),
        (130, 0, "unknown[other-place] 8 10"),
    ],
)
def test_expressions_are_looked_into_to_some_depth(deep: int, wide: int, expected: str) -> None:
    first, second = (f"offset + {name}" + " + 1" * deep for name in ("n", "w"))
    mask = "offset" + " + m" * wide + " < n"
    assert told(FLAG.replace("FIRST", first).replace("SECOND", second).replace("MASK", mask)) == expected
