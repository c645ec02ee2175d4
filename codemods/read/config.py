"""The table `[tool.torch-codemods]` of the closest pyproject.toml."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codemods.ops.contracts import Contract, Contracts

from codemods.core.errors import UsageError

TABLE = "torch-codemods"
FORMATS = ("text", "concise", "json", "jsonl", "github", "gitlab", "sarif", "markdown")
LISTS = ("select", "ignore", "exclude", "assume")
KEYS = (*LISTS, "output-format", "contracts")
LIBRARY = re.compile(r"[A-Za-z_][\w.-]*")


class ConfigError(UsageError):
    """A setting that cannot be used; the message is one line that names where it stands."""


@dataclass(frozen=True, slots=True)
class Config:
    """What a project asks for. None: not set. `exclude` counts from `base`, the folder of the file."""

    base: Path
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    assume: tuple[str, ...] | None = None
    output_format: str | None = None
    contracts: Contracts = field(default_factory=dict)


def load(start: Path, codemods: Collection[str]) -> Config:
    """The settings that hold for `start`: of the closest pyproject.toml above it that has the table.

    Raises ConfigError for a file that is not TOML, a key that is unknown, a value of the wrong
    type, a codemod that does not exist and a contract that is wrong.
    """
    start = start.resolve()
    for folder in (start, *start.parents) if start.is_dir() else start.parents:
        file = folder / "pyproject.toml"
        if file.is_file() and (table := _table(file)) is not None:
            return _config(file, table, codemods)
    return Config(Path.cwd())


def check_names(names: Collection[str], known: Collection[str], where: str, kind: str = "codemod") -> None:
    """Raises ConfigError for a name that is not known."""
    for name in names:
        if name not in known:
            raise ConfigError(f"{where}: unknown {kind} {name!r} (there are: {', '.join(known)})")


def split(values: Sequence[str] | None) -> tuple[str, ...]:
    """The names of an option that is repeatable and takes commas."""
    return tuple(name.strip() for value in values or () for name in value.split(",") if name.strip())


def _table(file: Path) -> dict[str, Any] | None:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        tool = tomllib.loads(file.read_bytes().decode()).get("tool", {})
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {(error.strerror or 'unknown error').lower()}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: not valid TOML: {error}") from None
    table = tool.get(TABLE) if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{file}: [tool.{TABLE}] must be a table")
    return table


def _config(file: Path, table: dict[str, Any], codemods: Collection[str]) -> Config:
    lists: dict[str, tuple[str, ...]] = {}
    for key, value in table.items():
        where = f"{file}: [tool.{TABLE}] {key}"
        if key in LISTS:
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise ConfigError(f"{where}: must be a list of strings")
            lists[key] = tuple(value)
        elif key == "output-format":
            if value not in FORMATS:
                raise ConfigError(f"{where}: must be one of {', '.join(FORMATS)}")
        elif key not in KEYS:
            raise ConfigError(f"{where}: unknown key (there are: {', '.join(KEYS)})")
        if key in ("select", "ignore"):
            check_names(lists[key], codemods, where)
    contracts = _contracts(file, table["contracts"]) if "contracts" in table else {}
    return Config(file.parent, **lists, output_format=table.get("output-format"), contracts=contracts)


def _contracts(file: Path, tables: object) -> Contracts:
    """The rows of a project, by the names of the operators; of two rows for one name there is a clear error."""
    from codemods.ops.contracts import by_name
    from codemods.ops.contracts.load import ContractError, rows

    header = f"tool.{TABLE}.contracts"
    if not isinstance(tables, dict):
        raise ConfigError(f"{file}: [{header}] must be a table of libraries, each a list of rows")
    text = file.read_text(encoding="utf-8")
    known: dict[str, Contract] = {}
    for library, given in tables.items():
        if not LIBRARY.fullmatch(library):
            raise ConfigError(f"{file}: [{header}] {library!r} is no name of a library")
        try:
            made = by_name(rows(file, text, library, given, f"{header}.{library}"))
        except ContractError as error:
            raise ConfigError(str(error)) from None
        if twice := sorted(known.keys() & made.keys()):
            raise ConfigError(f"{file}: [{header}] two libraries have a row for {twice[0]}")
        known.update(made)
    return known
