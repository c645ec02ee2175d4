"""Where what belongs to a report of an internal error is put."""

from __future__ import annotations

import json

from codemods.core.report import VERSION, Notice


def kept(notice: Notice) -> str:
    """Where the bundle of a notice lies now: a file for temporary ones, named by what is in it. Where there is no
    place for a file it is the bundle itself."""
    import hashlib
    import platform
    import tempfile
    from pathlib import Path

    told = {"tool": f"torch-codemods {VERSION}", "python": platform.python_version(), "error": notice.message}
    text = json.dumps({**told, **json.loads(notice.bundle)}, indent=2) + "\n"
    name = f"torch-codemods-bundle-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    try:
        file = Path(tempfile.gettempdir(), name)
        file.write_text(text, encoding="utf-8")
    except OSError:
        return text
    return str(file)
