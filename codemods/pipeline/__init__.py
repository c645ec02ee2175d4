"""How files come to be decided: by which process, and not again where nothing has changed."""

from __future__ import annotations
