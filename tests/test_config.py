"""The table [tool.torch-codemods]."""

from __future__ import annotations

from pathlib import Path

import pytest

from codemods.read.config import ConfigError, load, split

KNOWN = ("drop_fill", "zeros_to_empty")


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(text)
    return folder


def test_every_key(tmp_path: Path) -> None:
    write(
        tmp_path,
        '[tool.torch-codemods]\nselect = ["drop_fill"]\nignore = ["zeros_to_empty"]\nexclude = ["gen/"]\n'
        'assume = ["no-autograd"]\noutput-format = "json"\n',
    )
    config = load(tmp_path, KNOWN)
    assert (config.base, config.output_format) == (tmp_path.resolve(), "json")
    assert (config.select, config.ignore) == (("drop_fill",), ("zeros_to_empty",))
    assert (config.exclude, config.assume) == (("gen/",), ("no-autograd",))


def test_the_closest_one_that_has_the_table(tmp_path: Path) -> None:
    write(tmp_path, '[tool.torch-codemods]\nassume = ["far"]\n')
    write(tmp_path / "a", '[tool.torch-codemods]\nassume = ["near"]\n')
    write(tmp_path / "a/b", "[project]\nname = 'b'\n")
    (tmp_path / "a/b/file.py").touch()
    assert load(tmp_path / "a/b/file.py", KNOWN).assume == ("near",)
    assert load(tmp_path / "a/b", KNOWN).assume == ("near",)
    assert load(tmp_path, KNOWN).assume == ("far",)


def test_none_is_not_set(tmp_path: Path) -> None:
    config = load(write(tmp_path, "[tool.torch-codemods]\n"), KNOWN)
    assert (config.select, config.ignore, config.exclude, config.assume, config.output_format) == (None,) * 5


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("selct = []", r"selct: unknown key \(there are: select, ignore, exclude, assume, output-format, contracts\)"),
        ('select = "drop_fill"', "select: must be a list of strings"),
        ("exclude = [1]", "exclude: must be a list of strings"),
        ('select = ["nope"]', r"select: unknown codemod 'nope' \(there are: drop_fill, zeros_to_empty\)"),
        ('ignore = ["nope"]', "ignore: unknown codemod 'nope'"),
        ('output-format = "xml"', "output-format: must be one of text, concise, json"),
        ("output-format = [1]", "output-format: must be one of text, concise, json"),
        ("= [", "not valid TOML"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_file(tmp_path: Path, table: str, message: str) -> None:
    write(tmp_path, f"[tool.torch-codemods]\n{table}\n")
    with pytest.raises(ConfigError, match=message) as caught:
        load(tmp_path, KNOWN)
    assert str(caught.value).startswith(str(tmp_path.resolve() / "pyproject.toml"))
    assert "\n" not in str(caught.value)


def test_the_table_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be a table"):
        load(write(tmp_path, "[tool]\ntorch-codemods = 3\n"), KNOWN)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(tmp_path, KNOWN)


def test_names_with_commas_and_repeated() -> None:
    assert split(["a, b", "c", " ,"]) == ("a", "b", "c")
    assert split(None) == ()
