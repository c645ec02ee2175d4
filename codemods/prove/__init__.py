"""Obligations and their checks: one file each, the type and its check together."""

from __future__ import annotations

from typing import Protocol

from codemods.core.event import Flow
from codemods.core.verdict import Verdict


class Obligation(Protocol):
    """Something that must be true for a rewrite to be harmless."""

    def check(self, flow: Flow) -> Verdict: ...
