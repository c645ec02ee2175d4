"""Editable: what would be cut out stands in the text as it is usually written."""

from __future__ import annotations

from dataclasses import dataclass

from codemods.core.event import Flow
from codemods.core.verdict import Proved, Refused, Verdict


@dataclass(frozen=True, slots=True)
class Editable:
    """`joint`: the text between what stays and what goes; `usual`: what it may be, white space aside."""

    joint: bytes
    usual: bytes

    def check(self, flow: Flow) -> Verdict:
        if b"".join(self.joint.split()) != self.usual:
            return Refused("not-editable", "parentheses or a comment stand where the text would be cut")
        return Proved()
