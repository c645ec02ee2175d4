"""Provers of stores in kernels, by the smallest program that each of their checks decides."""

from __future__ import annotations

import pytest
from kernel_programs import programs, told

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

# set before it is unset: unknown[flag-used] 7
seen = True
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
if not seen:
    tl.store(out + offset, 0.0)

# unset together with another name: unknown[flag-used] 6
seen = first = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
if not seen:
    tl.store(out + offset, 0.0)

# the second may turn for ever: unknown[not-understood]
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
if not seen:
    while n > 3:
        tl.store(out + offset, 0.0)

# behind it one that turns: unknown[store-between] 6
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
for i in range(n):
    tl.store(out + offset + i, 0.0)
if not seen:
    tl.store(out + offset, 0.0)

# through another name, and behind it one that turns: unknown[store-between] 7
seen = False
place = out + offset
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(place, 0.0)
for i in range(n):
    tl.store(x + offset + i, 0.0)
if not seen:
    tl.store(out + offset, 0.0)

# in two loops: proved
seen = False
if n > 3:
    seen = True
for i in range(4):
    for j in range(4):
        tl.store(out + offset + i * n + j, 0.0)
if not seen:
    for i in range(4):
        for j in range(4):
            tl.store(out + offset + i * n + j, 0.0)

# looked at under the guard only: proved
w = 5
for i in range(n):
    seen = False
    for j in range(m):
        if tl.load(keep + j) > 0:
            seen = True
    tl.store(out + offset + i, 0.0)
    if not seen:
        v = w + 1
        w = 7
        tl.store(out + offset + i, 0.0)

# the flag is looked at under the guard: unknown[flag-used] 7
seen = False
for j in range(m):
    if tl.load(keep + j) > 0:
        seen = True
tl.store(out + offset, 0.0)
if not seen:
    v = seen
    tl.store(out + offset, 0.0)

# bound again before the next turn looks: unknown[flag-used] 3
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
    w = 3

# bound under the flag in the turn that ends the loop: unknown[flag-used] 14
w = 5
for i in range(n):
    seen = False
    for j in range(m):
        if tl.load(keep + j) > 0:
            seen = True
    tl.store(out + offset + i, 0.0)
    if not seen:
        w = 7
        tl.store(out + offset + i, 0.0)
    if n > 3:
        break
    w = 3
tl.load(other + w)

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
PROGRAMS = programs(PAGE)


@pytest.mark.parametrize(("title", "expected", "body"), PROGRAMS, ids=[title for title, _, _ in PROGRAMS])
def test_what_a_store_repeats(title: str, expected: str, body: str) -> None:
    assert told(body) == expected
