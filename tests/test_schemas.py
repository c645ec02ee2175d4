"""Schemas that a checkout registers itself, in C++ and in Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from codemods.ops.schema import Schema
from codemods.read.schemas import declared

CPP = """
// m.def("scale(Tensor x) -> ()");
TORCH_LIBRARY_FRAGMENT(ns, m) {
  m.def("meta_size", &meta_size);
  m.def(
      "scale(Tensor! out,"
      "      Tensor x, float factor) -> ()");
}
"""


def written(schema: Schema | None) -> dict[str, bool]:
    assert schema is not None
    return {parameter.name: parameter.mutated for parameter in schema.parameters}


def checkout(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(text)
    return folder


def test_cpp(tmp_path: Path) -> None:
    root = checkout(tmp_path, ops_cpp=CPP)
    assert written(declared(root, "torch.ops.ns.scale")) == {"out": True, "x": False, "factor": False}
    assert declared(root, "torch.ops.ns.scale.default") == declared(root, "torch.ops.ns.scale")
    assert [declared(root, path) for path in ("torch.ops.other.scale", "torch.ops.ns.meta_size", "ns.scale")] == [
        None
    ] * 3


def test_a_namespace_that_is_a_macro_may_be_any(tmp_path: Path) -> None:
    root = checkout(tmp_path, ops_cu=CPP.replace("FRAGMENT(ns, m)", "EXPAND(TORCH_EXTENSION_NAME, m)"))
    assert written(declared(root, "torch.ops._C.scale"))["out"]


def test_python_definitions(tmp_path: Path) -> None:
    text = """
import torch
LIB = torch.library.Library("ns", "FRAGMENT")
LIB.define("scale(Tensor! out, Tensor x) -> ()")
torch.library.define("ns::shift", "(Tensor x) -> Tensor")
"""
    root = checkout(tmp_path, ops_py=text)
    assert written(declared(root, "torch.ops.ns.scale")) == {"out": True, "x": False}
    assert written(declared(root, "torch.ops.ns.shift")) == {"x": False}
    assert declared(root, "torch.ops.other.scale") is None


def test_signatures(tmp_path: Path) -> None:
    text = """
import torch
@torch.library.custom_op("ns::scale", mutates_args=("out",))
def scale(out: torch.Tensor, x: torch.Tensor, *, factor: float = 1.0) -> None: ...
def shift(x: torch.Tensor, others: list[torch.Tensor]) -> torch.Tensor: ...
def both(x: torch.Tensor, n: int, *rest) -> None: ...
def every(x: torch.Tensor, n: int) -> None: ...
direct_register_custom_op(op_name="shift", op_func=shift, mutates_args=["others"])
direct_register_custom_op("both", both, ["x"])
torch.library.custom_op("ns::every", every, mutates_args="unknown")
"""
    root = checkout(tmp_path, ops_py=text)
    assert written(declared(root, "torch.ops.ns.scale")) == {"out": True, "x": False, "factor": False}
    shift = declared(root, "torch.ops.any.shift")
    assert written(shift) == {"x": False, "others": True}
    assert shift is not None
    assert [(parameter.several, parameter.required) for parameter in shift.parameters] == [(False, True), (True, True)]
    assert declared(root, "torch.ops.ns.both") is None
    assert written(declared(root, "torch.ops.ns.every")) == {"x": True, "n": False}


def test_the_same_operator_for_two_devices(tmp_path: Path) -> None:
    other = CPP.replace("Tensor! out", "Tensor! result")
    found = declared(checkout(tmp_path, a_cpp=CPP, b_cpp=other), "torch.ops.ns.scale")
    assert written(found) == {"out or result": True, "x": False, "factor": False}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(CPP.replace("Tensor! out", "Tensor out"), id="differ in what is written"),
        pytest.param(CPP.replace(", float factor", ""), id="differ in arguments"),
        pytest.param(CPP.replace("scale(Tensor! out,", "scale(Tensor,"), id="cannot be read"),
    ],
)
def test_schemas_that_do_not_agree_say_nothing(tmp_path: Path, other: str) -> None:
    assert declared(checkout(tmp_path, a_cpp=CPP, b_cpp=other), "torch.ops.ns.scale") is None


def test_an_operator_that_returns_nothing_and_writes_nothing_is_not_believed(tmp_path: Path) -> None:
    root = checkout(tmp_path, ops_cpp=CPP.replace("Tensor! out", "Tensor out"))
    assert declared(root, "torch.ops.ns.scale") is None


def test_files_that_cannot_be_read_or_parsed_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text('def f(:\n  LIB.define("scale(Tensor x) -> Tensor")\n')
    (tmp_path / "bad.cpp").write_bytes(b'\xff\xfe m.def("scale')
    (tmp_path / "folder.py").mkdir()
    assert declared(tmp_path, "torch.ops.ns.scale") is None


def test_skipped_folders_are_not_looked_into(tmp_path: Path) -> None:
    checkout(tmp_path, a_cpp=CPP)
    (tmp_path / "build").mkdir()
    checkout(tmp_path / "build", b_cpp=CPP.replace("Tensor! out", "Tensor out"))
    assert written(declared(tmp_path, "torch.ops.ns.scale"))["out"]
