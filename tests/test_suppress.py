"""Comments that take a site out."""

from __future__ import annotations

import pytest
from commands import PROVED

from codemods import Options, decide_file
from codemods.read.suppress import Suppression, suppressions

KEPT = Options(select=("zeros_to_empty",))
SITE = "out = torch.zeros(n)"


def found(source: str, options: Options = KEPT) -> tuple[int, list[str]]:
    """How many sites are left, and what is told."""
    result = decide_file(source.encode(), "a.py", options)
    assert not result.failed
    return len(result.decisions), [notice.message for notice in result.notices]


@pytest.mark.parametrize(
    ("comment", "names", "reason"),
    [
        ("# torch-codemods: ignore[a] it is read by C++", ("a",), "it is read by C++"),
        ("# torch-codemods: ignore[a, b]: why", ("a", "b"), "why"),
        ("#torch-codemods:ignore", (), ""),
        ("# torch-codemods: ignore -- why", (), "why"),
    ],
)
def test_how_it_is_written(comment: str, names: tuple[str, ...], reason: str) -> None:
    assert suppressions(f"x = 1  {comment}\n".encode()) == (Suppression(1, names, reason),)


@pytest.mark.parametrize("comment", ["ignore[]", "ignored", "ignore-all", "noqa", "ignore[a"])
def test_what_is_not_understood_is_told(comment: str) -> None:
    left, told = found(PROVED.replace(SITE, f"{SITE}  # torch-codemods: {comment}"))
    assert left == 1
    assert told == ["suppression not understood: write `# torch-codemods: ignore[codemod] reason`"]


@pytest.mark.parametrize(
    "comment", ["ignore[zeros_to_empty] why", "ignore why", "ignore[zeros_to_empty, drop_fill] why"]
)
def test_it_takes_the_site_out(comment: str) -> None:
    assert found(PROVED.replace(SITE, f"{SITE}  # torch-codemods: {comment}")) == (0, [])


def test_without_a_reason_it_counts_and_is_told() -> None:
    source = PROVED.replace(SITE, f"{SITE}  # torch-codemods: ignore[zeros_to_empty]")
    assert found(source) == (0, ["suppression without a reason"])


def test_another_codemod_is_not_taken_out() -> None:
    left, told = found(PROVED.replace(SITE, f"{SITE}  # torch-codemods: ignore[drop_fill] why"))
    assert (left, told) == (1, [])  # drop_fill was not selected: nobody knows
    left, told = found(PROVED.replace(SITE, f"{SITE}  # torch-codemods: ignore[drop_fill] why"), Options())
    assert "unused suppression of drop_fill" in told
    assert left >= 1


def test_an_unknown_codemod_is_told() -> None:
    left, told = found(PROVED.replace(SITE, f"{SITE}  # torch-codemods: ignore[nope] why"))
    assert (left, told) == (1, ["suppression of an unknown codemod 'nope'"])


def test_an_unused_one_is_told_also_where_there_is_nothing_to_find() -> None:
    source = "x = 1  # torch-codemods: ignore why\n"
    assert found(source, Options()) == (0, ["unused suppression"])
    assert found(source) == (0, [])


@pytest.mark.parametrize(
    "statement",
    [
        "out = torch.zeros(  # torch-codemods: ignore why\n        n,\n    )",
        "out = torch.zeros(\n        n,\n    )  # torch-codemods: ignore why",
        "out = (  # torch-codemods: ignore why\n        torch.zeros(n)\n    )",
        "out = (\n        torch.zeros(n)\n    )  # torch-codemods: ignore why",
    ],
)
def test_on_the_first_or_the_last_line_of_call_or_statement(statement: str) -> None:
    assert found(PROVED.replace(SITE, statement)) == (0, [])


def test_on_another_line_it_does_not_count() -> None:
    left, _ = found(PROVED.replace(SITE, f"# torch-codemods: ignore why\n    {SITE}"))
    assert left == 1


def test_a_string_is_no_comment() -> None:
    assert found('"""# torch-codemods: ignore why"""\n' + PROVED) == (1, [])


def test_explain_tells_of_suppressed_sites_too() -> None:
    source = PROVED.replace(SITE, f"{SITE}  # torch-codemods: ignore why")
    assert found(source, Options(select=("zeros_to_empty",), explain=True)) == (1, [])
