"""What a call does to the memory of its arguments: the same for a function, a kernel launch and a contract.

For each argument, in this order: it may look at `reads`, then it surely overwrites `writes`, and it may write
elsewhere in it (`touches`); afterwards others may go on looking at it (`keeps`), or the result is a view of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from codemods.core.region import ALL, Box


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A proof about a launch that running it with small numbers contradicts: a mistake of this program."""

    claim: str  # "_k stores all of it"
    found: str  # "element 3 is not reached with n = 4"
    sizes: tuple[tuple[str, int], ...]
    place: str  # of the store that the proof rests on
    stores: tuple[str, ...]  # and what was run: all stores, the shape and the grid, as they were understood
    shape: str
    grid: str


@dataclass(frozen=True, slots=True)
class Effect:
    """On one argument. Regions are relative to the argument's own shape; None is no part of it."""

    reads: Box | None = ALL  # the part that may be looked at before the call itself has written it
    writes: Box | None = None  # the part that surely takes new values, which do not come from the old ones
    touches: bool = True  # anything else of it may be written as well
    keeps: str = ""  # where it stays within reach after the call, "" nowhere: "kept in self.cache (pool.py:31)"
    returned: bool = False  # the result may be the argument, a view of it, or hold one
    told: str = ""  # what it does in words, with the place: "_rms_kernel stores all of it (norm.py:41)"
    dense: bool = False  # what is said of `writes` holds where the argument is contiguous
    missing: str = ""  # why `writes` is not all: "element {0} is never written (kernels.py:140)"
    contradiction: Contradiction | None = None  # then nothing is said of `writes`


UNSEEN = Effect(keeps="unseen", returned=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one call. `effects` by the place of the argument, or its keyword.

    `quiet`: no code runs that reaches memory in another way than through the arguments.
    """

    effects: dict[int | str, Effect] = field(default_factory=dict)
    quiet: bool = False
    assumes: tuple[str, ...] = ()  # "contract:vllm", "closed-world"
    fresh: bool = False  # the result is a tensor of its own
    apart: bool = False  # a call that writes an argument which lies in the memory of another one has no meaning
    returns: int | str | None = None  # the result certainly is this argument, the same object
    anew: bool = False  # it may give a tensor that others have another shape in place
