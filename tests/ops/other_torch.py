"""Do the operators of another torch write and hand back what those of the table's torch do, as their schemas say it?

    python tests/ops/other_torch.py torch-2.7.1-cp311-none-macosx_11_0_arm64.whl     a wheel, of any platform
    python tests/ops/other_torch.py native_functions.yaml                            or the file out of one

Nothing is installed or run: a wheel holds the schemas as text. Prints a line for each row of codemods/ops/torch.json
that differs, and counts; exit status 1 when a row does. What the operators really do is measured by generate.py alone.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

TABLE = Path(__file__).parents[2] / "codemods" / "ops" / "torch.json"
INSIDE = "torchgen/packaged/ATen/native/native_functions.yaml"
FUNCTION = re.compile(
    r"^- func: (?P<name>\w+)(?P<overload>\.\w+)?\((?P<arguments>.*)\) -> (?P<results>.*)$", re.MULTILINE
)
MARKED = re.compile(r"Tensor\((?P<mark>[^()]*)\)(?:\[\d*\])?\??(?:\s+(?P<name>\w+))?")
Marks = tuple[tuple[str, ...], tuple[str, ...]]  # of the arguments, and of the results
Schemas = dict[str, dict[str, Marks]]  # by name and overload


def schemas(text: str) -> Schemas:
    """What each overload says of memory: the alias sets of its arguments, `!` where it writes, and of its results."""
    found: Schemas = {}
    for match in FUNCTION.finditer(text):
        arguments = tuple(f"{part['name']}({part['mark']})" for part in MARKED.finditer(match["arguments"]))
        results = tuple(part["mark"] for part in MARKED.finditer(match["results"]))
        found.setdefault(match["name"], {})[match["overload"] or ""] = arguments, results
    return found


def read(path: Path) -> str:
    if path.suffix != ".whl":
        return path.read_text("utf-8")
    with zipfile.ZipFile(path) as wheel:
        return wheel.read(INSIDE).decode()


def rows() -> list[str]:
    """The names of the rows, as the schemas have them."""
    tables = json.loads(TABLE.read_bytes())
    names = {name.replace(".", "_") for table in ("functions", "methods", "functional") for name in tables[table]}
    return sorted(names)


def differences(ours: Schemas, theirs: Schemas) -> Iterator[str]:
    """Row by row, where both have the overload; a row that one of them lacks is a difference of another kind."""
    for name in rows():
        for overload in sorted(ours.get(name, {}).keys() & theirs.get(name, {}).keys()):
            one, other = ours[name][overload], theirs[name][overload]
            if one != other:
                yield f"{name}{overload}: {one} here, {other} there"
        for overload in sorted(theirs.get(name, {}).keys() - ours.get(name, {}).keys()):
            marks = set(ours.get(name, {}).values())
            if marks and theirs[name][overload] not in marks:
                yield f"{name}{overload}: only there, {theirs[name][overload]}"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__)
        return 2
    spec = find_spec("torchgen")
    assert spec is not None and spec.origin is not None
    ours = schemas((Path(spec.origin).parents[1] / INSIDE).read_text("utf-8"))
    theirs = schemas(read(Path(arguments[0])))
    known = [name for name in rows() if name in ours]
    found = list(differences(ours, theirs))
    print("\n".join(found))
    lacking = [name for name in known if name not in theirs]
    print(f"{len(known)} rows have a schema, {len(known) - len(lacking)} of them there too; {len(found)} differ")
    print(f"not there: {', '.join(lacking) or 'none'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
