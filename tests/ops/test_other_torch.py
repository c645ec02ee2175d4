"""The comparison of operator schemas with those of another torch."""

from __future__ import annotations

from other_torch import differences, rows, schemas

OURS = """
- func: abs_(Tensor(a!) self) -> Tensor(a!)
- func: cumsum(Tensor self, int dim) -> Tensor
- func: cumsum.out(Tensor self, int dim, *, Tensor(a!) out) -> Tensor(a!)
- func: chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]
"""


def test_marks_are_read() -> None:
    found = schemas(OURS)
    assert found["abs_"] == {"": (("self(a!)",), ("a!",))}
    assert found["cumsum"] == {"": ((), ()), ".out": (("out(a!)",), ("a!",))}
    assert found["chunk"][""] == (("self(a -> *)",), ("a",))
    assert found.keys() <= set(rows())


def test_the_same_schemas_do_not_differ() -> None:
    assert list(differences(schemas(OURS), schemas(OURS))) == []


def test_an_operator_that_does_not_write_any_more_differs() -> None:
    found = list(differences(schemas(OURS), schemas(OURS.replace("abs_(Tensor(a!)", "abs_(Tensor(a)"))))
    assert found == ["abs_: (('self(a!)',), ('a!',)) here, (('self(a)',), ('a!',)) there"]


def test_a_result_that_is_handed_back_differs() -> None:
    other = OURS.replace("cumsum(Tensor self, int dim) -> Tensor", "cumsum(Tensor(a) self, int dim) -> Tensor(a)")
    assert len(list(differences(schemas(OURS), schemas(other)))) == 1


def test_an_overload_that_is_only_there_differs_where_it_does_more() -> None:
    more = OURS + "- func: abs_.twice(Tensor(a!) self, Tensor(b!) other) -> Tensor(a!)\n"
    assert len(list(differences(schemas(OURS), schemas(more)))) == 1
    assert list(differences(schemas(more), schemas(OURS))) == []
