"""The table of torch operators against the torch that is installed: a broad part of it, measured again."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from codemods import ops

torch = pytest.importorskip("torch", reason="the rows are measured by calling torch")

from op_by_hand import by_hand  # noqa: E402
from op_meta import CALLS, NO_TENSORS, measured_without_tensors  # noqa: E402
from op_rows import collected, measured, mutates  # noqa: E402

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore:ComplexHalf"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forbidden memory is touched in a child process"),
]
TEXT = (Path(ops.__file__).parent / "torch.json").read_text()
ROWS: dict[str, dict[str, str]] = json.loads(TEXT)
TABLES = ("functions", "methods", "functional", "init", "attributes")
KINDS = {"new", "view", "maybe", "update", "overwrite", "partial", "restride", "meta"}
FLAGS = {"out", "resizes", "inplace", "shape-only"}
# from the most a row can promise to the least; a quick look may not see what forbids a promise, never the opposite
PROMISES = (
    ("overwrite", "partial", "update", "restride"),
    ("view", "maybe"),
    ("new", "maybe"),
    ("meta", "new", "maybe"),
)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def table_of(key: str) -> tuple[str, str]:
    for prefix, table in (("nn.functional.", "functional"), ("nn.init.", "init"), ("Tensor.", "methods")):
        if key.startswith(prefix):
            return table, key.removeprefix(prefix)
    return "functions", key


def holds(row: str, seen: str | None) -> bool:
    """Whether a row promises no more than what was seen; None: every call raised, or did what has no row."""
    if seen is None:
        return False
    promised, found = row.split()[0], seen.split()[0]
    return promised == found or any(
        promised in order and found in order and order.index(found) < order.index(promised) for order in PROMISES
    )


def test_the_table_says_which_torch_and_is_sorted() -> None:
    assert ROWS["torch"]
    assert str(ROWS["torch"])[0].isdigit()
    assert set(ROWS) == {"torch", *TABLES}
    for table in TABLES:
        assert list(ROWS[table]) == sorted(ROWS[table])
    rows = sum(len(ROWS[table]) for table in TABLES)
    assert TEXT.count("\n") == rows + 2 * len(TABLES) + 1, "one row a line"


def test_rows_are_made_of_known_words() -> None:
    for table in TABLES:
        for name, row in ROWS[table].items():
            kind, *flags = row.split()
            assert kind in KINDS, (table, name, row)
            assert set(flags) <= FLAGS, (table, name, row)
            assert kind == "new" or not {"out", "resizes"} & set(flags), (table, name, row)
            assert kind in ("new", "view") or "shape-only" not in flags, (table, name, row)


@pytest.mark.parametrize("key", sorted(by_hand()))
def test_calls_made_by_hand(key: str) -> None:
    table, name = table_of(key)
    row = ROWS[table].get(name)
    if row is None:
        changes = ("embedding", "embedding_bag", "batch_norm", "instance_norm")  # weights or statistics
        assert key in {f"nn.functional.{name}" for name in changes}
        return
    seen = measured(table, name, by_hand()[key]).text
    assert holds(row, seen), f"{key}: the table says {row}, calls show {seen}"


QUICK = sorted(
    (table, name)
    for table in ("methods", "attributes")
    for name, row in ROWS[table].items()
    if row.split()[0] in {"overwrite", "partial", "view", "restride"} or table == "attributes"
)


@pytest.mark.parametrize(("table", "name"), QUICK, ids=lambda part: part)
def test_rows_that_promise_most(table: str, name: str) -> None:
    seen = measured(table, name, collected(table, name, tries=25, quick=True)).text
    row = ROWS[table][name]
    assert holds(row, seen), f"{name}: the table says {row}, calls show {seen}"


READS_NOTHING = sorted(
    (table, name)
    for table in TABLES
    for name, row in ROWS[table].items()
    if name not in NO_TENSORS and ("shape-only" in row or row == "meta")
)


@pytest.mark.parametrize(("table", "name"), READS_NOTHING, ids=lambda part: part)
def test_rows_that_read_no_element(table: str, name: str) -> None:
    seen = measured(table, name, collected(table, name, tries=25, quick=True)).text
    row = ROWS[table][name]
    assert holds(row, seen), f"{name}: the table says {row}, calls show {seen}"
    assert row.count("shape-only") <= (seen or "").count("shape-only"), f"{name}: elements of an argument are read"


@pytest.mark.parametrize(
    ("full", "kinds"),
    [
        ("torch.Tensor.type_as", {"maybe"}),
        ("torch.atleast_1d", {"maybe"}),
        ("torch.atleast_3d", {"maybe"}),
        ("torch.einsum", {"maybe"}),
        ("torch.dropout", {"maybe"}),
        ("torch.nn.functional.dropout", {"maybe"}),
        ("torch.nn.functional.alpha_dropout", {"maybe"}),
        ("torch.cartesian_prod", {"maybe"}),
        ("torch.block_diag", {"new"}),
        ("torch.meshgrid", {"maybe"}),
        ("torch.broadcast_tensors", {"maybe"}),
        ("torch.positive", {"maybe", "view"}),
        ("torch.conj", {"maybe"}),
        ("torch.Tensor.reshape", {"maybe"}),
        ("torch.Tensor.contiguous", {"maybe"}),
        ("torch.Tensor.flatten", {"maybe"}),
        ("torch.Tensor.to", {"maybe"}),
        ("torch.Tensor.float", {"maybe"}),
        ("torch.Tensor.numpy", {"maybe"}),
        ("torch.Tensor.chalf", {"maybe"}),
        ("torch.Tensor.short", {"maybe"}),
        ("torch.sort", {"new"}),
        ("torch.Tensor.clone", {"new"}),
        ("torch.Tensor.masked_fill_", {"partial"}),
        ("torch.Tensor.index_copy_", {"partial"}),
        ("torch.Tensor.scatter_", {"update"}),
        ("torch.Tensor.add_", {"update"}),
        ("torch.Tensor.copy_", {"overwrite"}),
        ("torch.nn.init.xavier_uniform_", {"overwrite"}),
        ("torch.Tensor.t_", {"restride"}),
        ("torch.Tensor.size", {"meta"}),
    ],
)
def test_known_traps(full: str, kinds: set[str]) -> None:
    row = ops.function(full)
    assert row is not None
    assert row.kind in kinds


@pytest.mark.parametrize(
    "full",
    [
        "torch.Tensor.data_ptr",
        "torch.Tensor.untyped_storage",
        "torch.Tensor.set_",
        "torch.Tensor.share_memory_",
        "torch.Tensor.record_stream",
        "torch.Tensor.register_hook",
        "torch.Tensor.backward",
        "torch.from_numpy",
        "torch.frombuffer",
        "torch.compile",
        "torch.save",
        "torch.distributed.all_reduce",
        "torch.nn.functional.embedding",  # max_norm changes the weight
        "torch.nn.functional.batch_norm",  # changes the running statistics
        "torch.cov",  # subtracts the mean from a single observation in place
        "torch.set_default_dtype",
        "numpy.add",
    ],
)
def test_left_out(full: str) -> None:
    assert ops.function(full) is None


def test_out_is_written_whole_or_not_marked() -> None:
    cumsum, nonzero, empty = ops.function("torch.cumsum"), ops.function("torch.nonzero"), ops.function("torch.empty")
    assert cumsum is not None
    assert cumsum.out
    assert not cumsum.resizes
    assert nonzero is not None
    assert nonzero.out
    assert nonzero.resizes
    assert empty is not None
    assert not empty.out


def test_functions_and_methods_agree() -> None:
    common = ROWS["functions"].keys() & ROWS["methods"].keys()
    assert len(common) > 200
    differing = [n for n in sorted(common) if ROWS["functions"][n].split()[0] != ROWS["methods"][n].split()[0]]
    assert differing == []


def test_functions_without_tensors() -> None:
    listed = {name for name, row in ROWS["functions"].items() if name in NO_TENSORS}
    assert listed == set(measured_without_tensors())
    assert set(CALLS) <= listed


def test_the_loader_reads_flags() -> None:
    relu, empty_like = ops.function("torch.nn.functional.relu"), ops.function("torch.empty_like")
    shape = ops.attribute("shape")
    assert relu is not None
    assert relu.inplace
    assert relu.kind == "new"
    assert empty_like is not None
    assert empty_like.shape_only
    assert shape is not None
    assert shape.kind == "meta"
    assert ops.method("no_such_method") is None
    assert ops.attribute("grad") is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        relu.kind = "maybe"  # type: ignore[misc]


def test_in_place_rows_end_in_an_underscore() -> None:
    for table in ("functions", "methods", "functional", "init"):
        for name, row in ROWS[table].items():
            in_place = row.split()[0] in {"update", "overwrite", "partial", "restride"}
            assert in_place == mutates(name, table), (table, name, row)
