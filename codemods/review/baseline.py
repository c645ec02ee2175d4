"""The sites that were there before: a JSON report that was kept."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from codemods.core.errors import UsageError
from codemods.write.show import plain

Key = tuple[str, ...]
FIELDS = ("codemod", "path", "function", "subject", "source")


def load(file: Path) -> Counter[Key]:
    """How many sites of each key and verdict it has. Raises UsageError for what is not such a report, OSError."""
    try:
        document = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--baseline: {file}: not JSON: {error}") from None
    sites = document.get("sites") if isinstance(document, dict) else None
    if not isinstance(sites, list) or document.get("schema") != 1:
        raise UsageError(f"--baseline: {file}: not a report of `check --output-format json`")
    found: Counter[Key] = Counter()
    for site in sites:
        parts = [site.get(name) for name in (*FIELDS, "verdict")] if isinstance(site, dict) else []
        key = tuple(plain(part) for part in parts if isinstance(part, str))
        if len(key) <= len(FIELDS):
            raise UsageError(f"--baseline: {file}: a site lacks one of {', '.join(FIELDS)} and verdict; write it anew")
        found[key] += 1
    return found
