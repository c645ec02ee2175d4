"""Contracts: the schema parser, the loader and its errors, and what a call comes to."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from commands import ROOT

from codemods.core.effect import Effect, Outcome
from codemods.core.region import ALL, SOME, Box, Run
from codemods.core.size import as_size
from codemods.ops import contracts
from codemods.ops.contracts.load import ContractError, read_file, rows
from codemods.ops.schema import SchemaError, bind, parse
from codemods.read.config import ConfigError, load

FILES = sorted(Path(contracts.__file__).parent.glob("*.toml"))
HEADER = 'library = "lib"\nversion = "1.0"\nrepository = "https://example.org"\n'
ROW = """
[[op]]
names = ["lib.scale", "torch.ops.lib.scale"]
schema = "scale(Tensor! out, Tensor x, float factor=1.0) -> ()"
arguments.out = { reads = "nothing", writes = "all", layout = "contiguous" }
source = "csrc/scale.cu:3"
"""


def outcome(path: str, *places: set[str], **keywords: set[str]) -> Outcome:
    found = contracts.outcome(path, places, keywords)
    assert found is not None
    return found


# the schema parser


def test_what_is_written_and_what_comes_back() -> None:
    schema = parse("ns::mix.out(Tensor(a!) x, Tensor? y, *, Tensor!? z=None, str kind=',)') -> Tensor(a)")
    x, y, z, kind = schema.parameters
    assert (schema.name, schema.space) == ("mix", "ns")
    assert [(p.name, p.mutated, p.required, p.keyword) for p in schema.parameters] == [
        ("x", True, True, False),
        ("y", False, True, False),
        ("z", True, False, True),
        ("kind", False, False, True),
    ]
    assert (x.tensor, y.tensor, z.tensor, kind.tensor) == (True, True, True, False)
    assert schema.returned(x)
    assert not schema.returned(y)
    assert not schema.fresh


def test_lists_sets_and_several_results() -> None:
    schema = parse(
        "copy(Tensor(a!)[] keys, Tensor[](b!) values, int[2] size, Tensor(c|d) view) -> (Tensor(c) one, int)"
    )
    assert [(p.mutated, p.several, sorted(p.alias)) for p in schema.parameters] == [
        (True, True, ["a"]),
        (True, True, ["b"]),
        (False, True, []),
        (False, False, ["c", "d"]),
    ]
    assert len(schema.returns) == 2
    assert schema.returned(schema.parameters[3])


@pytest.mark.parametrize("results", ["()", "Tensor", "(Tensor, Tensor)", "Tensor[]"])
def test_new_results(results: str) -> None:
    assert parse(f"f(Tensor x) -> {results}").fresh


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("meta_size", "no name and parenthesis"),
        ("f(Tensor x", "not closed"),
        ("f(Tensor x)", "'->' is missing"),
        ("f(Tensor x) Tensor", "'->' is missing"),
        ("f(Tensor) -> ()", "not an argument: 'Tensor'"),
        ("f(Tensor x) -> a b c", "not a result"),
    ],
)
def test_what_is_no_schema(text: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        parse(text)


def test_arguments_find_their_parameters() -> None:
    schema = parse("f(Tensor x, Tensor y, int n=1, *, int k=2) -> ()")
    assert bind(schema, 1, frozenset({"y", "k"})) == {"x": 0, "y": "y", "k": "k"}
    assert bind(schema, 2, frozenset()) == {"x": 0, "y": 1}
    wrong = [(1, {"x", "y"}), (4, set()), (1, set()), (2, {"other"})]
    assert [bind(schema, places, frozenset(names)) for places, names in wrong] == [None] * 4


def test_a_name_that_two_parameters_have_cannot_be_used() -> None:
    schema = parse("f(Tensor lens, Tensor lens, Tensor x) -> ()")
    assert bind(schema, 0, frozenset({"lens", "x"})) is None


# the rows of the package


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_row_of_the_package_can_be_used(file: Path) -> None:
    found = read_file(file)
    assert found
    for row in found:
        assert contracts.shipped(row.names[0]) == row
        assert row.library == file.stem
        assert row.source.split(",")[0]


def test_no_operator_has_two_rows() -> None:
    names = [name for file in FILES for row in read_file(file) for name in row.names]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_wholly_written_has_its_condition_and_is_no_list(file: Path) -> None:
    for row in read_file(file):
        by_name = {parameter.name: parameter for parameter in row.schema.parameters}
        for name, promise in row.promises.items():
            assert by_name[name].mutated or promise.writes is None, row.names
            assert promise.writes is None or not by_name[name].several, row.names


def test_the_rows_are_in_the_wheel(tmp_path: Path) -> None:
    code = f"from hatchling.build import build_wheel; print(build_wheel({str(tmp_path)!r}))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    wheel = tmp_path / result.stdout.split()[-1]
    assert {f"codemods/ops/contracts/{file.name}" for file in FILES} <= set(zipfile.ZipFile(wheel).namelist())


# what a call comes to


def test_a_kernel_that_writes_all_of_its_output() -> None:
    found = outcome("torch.ops._C.silu_and_mul", {"out"}, {"x"})
    out, x = found.effects[0], found.effects[1]
    assert (out.reads, out.writes, out.keeps, out.returned) == (None, ALL, "", False)
    assert (x.reads, x.writes, x.touches) == (ALL, None, False)
    assert (found.assumes, found.quiet, found.fresh) == (("contract:vllm",), True, False)
    assert out.dense
    assert "if it is contiguous and it holds half" in out.told
    assert "csrc/activation_kernels.cu:85, vllm 0.10.0" in out.told


def test_overloads_and_keywords() -> None:
    found = outcome("torch.ops._moe_C.moe_sum", {"x"}, output={"out"})
    assert found.effects["output"].writes == ALL
    assert contracts.outcome("torch.ops._moe_C.moe_sum.default", [{"x"}, {"out"}], {}) == outcome(
        "torch.ops._moe_C.moe_sum", {"x"}, {"out"}
    )


def test_an_output_that_is_returned_and_one_that_is_not_given() -> None:
    given = outcome("sgl_kernel.silu_and_mul", {"x"}, out={"out"})
    assert given.effects["out"].returned
    assert not given.fresh
    assert outcome("sgl_kernel.silu_and_mul", {"x"}).fresh


def test_what_needs_zero_before_is_read() -> None:
    scale = outcome("torch.ops._C.dynamic_scaled_fp8_quant", {"out"}, {"x"}, {"scale"}).effects[2]
    assert (scale.reads, scale.writes, scale.touches) == (ALL, None, True)


def test_a_part_is_named() -> None:
    offsets = outcome(
        "torch.ops._C.get_cutlass_pplx_moe_mm_data", {"a"}, {"b"}, {"c"}, {"d"}, set(), set(), set(), set()
    ).effects[0]
    assert (offsets.reads, offsets.writes) == (None, None)
    assert "the first num_local_experts elements" in offsets.missing


def test_two_outputs_in_one_memory_promise_nothing() -> None:
    apart = outcome("torch.ops._moe_C.topk_softmax", {"w"}, {"ids"}, {"rows"}, {"x"})
    assert [apart.effects[place].writes for place in range(3)] == [ALL] * 3
    same = outcome("torch.ops._moe_C.topk_softmax", {"w"}, {"ids"}, {"ids"}, {"x"})
    assert [same.effects[place].writes for place in range(3)] == [ALL, None, None]
    assert same.effects[1].reads == SOME
    assert "topk_indices and token_expert_indices" in same.effects[1].missing


def test_an_output_that_is_an_input_too_promises_nothing() -> None:
    found = outcome("torch.ops._C.silu_and_mul", {"x"}, {"x"})
    assert found.effects[0].writes is None
    assert found.effects[1].reads == ALL


@pytest.mark.parametrize(
    ("places", "keywords"),
    [(1, ()), (3, ()), (2, ("input",)), (1, ("other",))],
    ids=["few", "many", "twice", "unknown"],
)
def test_calls_that_do_not_fit(places: int, keywords: tuple[str, ...]) -> None:
    arguments: list[set[str]] = [set() for _ in range(places)]
    assert contracts.outcome("torch.ops._C.silu_and_mul", arguments, {name: set() for name in keywords}) is None


def test_starred_arguments_and_unknown_operators() -> None:
    assert contracts.outcome("torch.ops._C.silu_and_mul", [set(), set()], {}, spread=True) is None
    assert contracts.outcome("torch.ops._C.no_such_operator", [set()], {}) is None


def test_a_schema_alone_tells_what_is_only_read() -> None:
    declared = parse("bump(Tensor! out, Tensor x) -> ()")
    found = contracts.outcome("torch.ops.ns.bump", [{"out"}, {"x"}], {}, declared=declared)
    assert found is not None
    assert (found.effects[0].reads, found.effects[0].writes, found.effects[0].touches) == (SOME, None, True)
    assert (found.effects[1].reads, found.effects[1].touches) == (ALL, False)
    assert (found.assumes, found.quiet) == (("schema:ns",), False)


def test_a_row_goes_before_a_schema_and_a_row_of_the_project_before_both(tmp_path: Path) -> None:
    declared = parse("silu_and_mul(Tensor! out, Tensor input) -> ()")
    path, places = "torch.ops._C.silu_and_mul", [{"out"}, {"x"}]
    found = contracts.outcome(path, places, {}, declared=declared)
    assert found is not None
    assert found.assumes == ("contract:vllm",)
    text = HEADER + ROW.replace("torch.ops.lib.scale", path).replace(", float factor=1.0", "")
    (tmp_path / "lib.toml").write_text(text)
    own = contracts.by_name(read_file(tmp_path / "lib.toml"))
    found = contracts.outcome(path, places, {}, own=own, declared=declared)
    assert found is not None
    assert found.assumes == ("contract:lib",)


# the loader


def read(folder: Path, text: str) -> tuple[contracts.Contract, ...]:
    (folder / "lib.toml").write_text(HEADER + text)
    return read_file(folder / "lib.toml")


def test_what_is_not_said_is_the_worst(tmp_path: Path) -> None:
    (row,) = read(tmp_path, ROW.replace("arguments.out", "arguments.x").replace('writes = "all", ', ""))
    effect = contracts.outcome("lib.scale", [{"out"}, {"x"}], {}, own=contracts.by_name([row]))
    assert effect is not None
    assert effect.effects[0] == Effect(
        SOME,
        told="may look at it and change it (csrc/scale.cu:3, lib 1.0)",
        missing="it may write some of it",
    )
    assert effect.effects[1].reads is None


def test_slices(tmp_path: Path) -> None:
    (row,) = read(tmp_path, ROW.replace('writes = "all"', 'writes = "[1:, :-2]"'))
    assert row.promises["out"].writes == Box(((0, Run(as_size(1))), (1, Run(as_size(0), as_size(-2)))))


def test_arguments_for_which_a_row_says_nothing(tmp_path: Path) -> None:
    (row,) = read(tmp_path, ROW + 'omitted = ["factor"]\n')
    own = contracts.by_name([row])
    assert contracts.outcome("lib.scale", [{"out"}, {"x"}], {}, own=own) is not None
    assert contracts.outcome("lib.scale", [{"out"}, {"x"}], {"factor": set()}, own=own) is None


WRONG = [
    (('names = ["lib.scale", "torch.ops.lib.scale"]\n', ""), 5, "names: must name the operator at least once"),
    (('["lib.scale", "torch.ops.lib.scale"]', '["scale"]'), 6, "names: 'scale' is no dotted name"),
    (('["lib.scale", "torch.ops.lib.scale"]', '"lib.scale"'), 6, "names: must be a list of strings"),
    (("-> ()", ""), 7, "schema: no results"),
    (("Tensor x", "Tensor out"), 7, "schema: two arguments are called 'out'"),
    (('"scale(Tensor! out, Tensor x, float factor=1.0) -> ()"', "3"), 7, "schema: must be a string such as"),
    (("arguments.out", "arguments.y"), 8, "arguments.y: scale has no such argument"),
    (
        ('writes = "all"', 'wrties = "all"'),
        8,
        "arguments.out.wrties: unknown key (there are: reads, writes, layout, keeps, when)",
    ),
    (('writes = "all"', 'writes = "half"'), 8, "arguments.out.writes: must be 'all', 'some', 'nothing' or a slice"),
    (('writes = "all"', "writes = true"), 8, "arguments.out.writes: must be a string"),
    (('writes = "all"', 'writes = "some"'), 8, "arguments.out.when: must say which part"),
    (('"contiguous"', '"dense"'), 8, "arguments.out.layout: must be 'any' or 'contiguous', not 'dense'"),
    (("{ reads", '"all" #'), 8, "arguments.out: must be a table such as"),
    (("arguments.out", "arguments.x"), 8, "arguments.x.writes: the schema does not mark it as written"),
    (("Tensor! out", "Tensor(a!)[] out"), 8, "arguments.out.writes: of a list only 'some' can be said"),
    (('source = "csrc/scale.cu:3"', ""), 5, "source: must say where the operator was read"),
    (("source", "sauce"), 9, "sauce: unknown key"),
    (("source", 'omitted = ["k"]\nsource'), 9, "omitted: scale has no argument 'k'"),
]


@pytest.mark.parametrize(("change", "line", "message"), WRONG, ids=lambda part: str(part)[:40])
def test_a_wrong_row_is_named_with_its_file_and_line(
    tmp_path: Path, change: tuple[str, str], line: int, message: str
) -> None:
    assert change[0] in ROW
    with pytest.raises(ContractError) as caught:
        read(tmp_path, ROW.replace(*change))
    assert str(caught.value).startswith(f"{tmp_path / 'lib.toml'}:{line}: [[op]] 1: {message}")
    assert "\n" not in str(caught.value)


def test_the_second_of_two_rows_is_the_wrong_one(tmp_path: Path) -> None:
    with pytest.raises(
        ContractError, match=r"lib\.toml:12: \[\[op\]\] 2: names: lib\.scale has a row already, at line 5"
    ):
        read(tmp_path, ROW + ROW)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("= [", "not valid TOML"),
        ("other = 1", "lib.toml:4: other: unknown key"),
        ("op = 3", r"lib.toml:\d: \[\[op\]\] must be a list of tables"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        read(tmp_path, text)


# rows of a project


PROJECT = "[project]\nname = 'p'\n[tool.torch-codemods]\nassume = ['contract:mine']\n"
OWN = ROW.replace("[[op]]", "[[tool.torch-codemods.contracts.mine]]")


def test_rows_of_a_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT + OWN)
    found = load(tmp_path, ()).contracts
    assert sorted(found) == ["lib.scale", "torch.ops.lib.scale"]
    assert found["lib.scale"].library == "mine"


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        (OWN.replace('writes = "all"', 'writes = "half"'), ":9: ", "mine]] 1: arguments.out.writes: must be 'all'"),
        (OWN + OWN, ":13: ", "mine]] 2: names: lib.scale has a row already, at line 6"),
        (OWN + OWN.replace("mine", "other"), ": ", "two libraries have a row for lib.scale"),
        ("[tool.torch-codemods.contracts]\nmine = 3\n", ":", "must be a list of tables"),
        ("contracts = 3\n", ": ", "must be a table of libraries"),
        ("[[tool.torch-codemods.contracts.'a b']]\n", ": ", "'a b' is no name of a library"),
    ],
)
def test_a_wrong_row_of_a_project_is_a_configuration_error(tmp_path: Path, text: str, where: str, message: str) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT + text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, ())
    assert str(caught.value).startswith(f"{tmp_path.resolve() / 'pyproject.toml'}{where}")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rows_can_be_made_from_any_text() -> None:
    row = {"names": ["a.b"], "schema": "b(Tensor! x) -> ()", "source": "b.cu"}
    (made,) = rows(Path("p.toml"), "", "a", [row], "op")
    assert made.source == "b.cu, a"
