"""`git apply` takes the patch, and `git apply -R` restores every byte."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from write_sources import find, sources

from codemods.write import edits
from codemods.write.patch import Change, hunks, render, root_of

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def git(root: Path, *words: str, stdin: bytes = b"") -> None:
    done = subprocess.run(["git", *words], cwd=root, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def there_and_back(root: Path, *changes: Change) -> bytes:
    patch = render(changes)
    for change in changes:
        change.path.parent.mkdir(parents=True, exist_ok=True)
        change.path.write_bytes(change.before)
    git(root, "apply", stdin=patch)
    assert [change.path.read_bytes() for change in changes] == [change.after for change in changes]
    git(root, "apply", "-R", stdin=patch)
    assert [change.path.read_bytes() for change in changes] == [change.before for change in changes]
    return patch


def change(root: Path, before: bytes, after: bytes, name: str = "pkg/mod.py") -> Change:
    return Change(root / name, name, before, after)


LONG = [b"line %d\n" % number for number in range(40)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"a\nb\nc\n", b"a\nB\nc\n", id="a line"),
        pytest.param(b"a\r\nb\r\n", b"a\r\nB\r\n", id="CRLF"),
        pytest.param(b"a\rb\rc", b"a\rB\rc", id="lone CR"),
        pytest.param(b"a\n\x0c\nb\x0cc\x0b\x1c\n", b"a\n\x0c\nb\x0cC\x0b\x1c\n", id="form feeds"),
        pytest.param("é\u2028b\n".encode(), "é\u2028B\n".encode(), id="U+2028"),
        pytest.param(b"a\nb", b"a\nB", id="no final newline"),
        pytest.param(b"a\nb", b"a\n", id="the line without a newline goes"),
        pytest.param(b"a\nb\n", b"a\nb", id="the final newline goes"),
        pytest.param(b"a", b"a\n", id="a final newline comes"),
        pytest.param(b"a\nb", b"A\nb", id="no final newline in the context"),
        pytest.param(b"a\n", b"", id="all goes"),
        pytest.param(b"", b"a\n", id="all comes"),
        pytest.param(b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfA\n", id="BOM"),
        pytest.param(b"\xe9\xff\n", b"\xe9\xfe\n", id="not UTF-8"),
        pytest.param(b"".join(LONG), b"".join([*LONG[:3], *LONG[4:30], b"x\n", *LONG[30:]]), id="two hunks"),
        pytest.param(b"-- a\n", b"++ a\n", id="lines that look like a header"),
    ],
)
def test_bytes(tmp_path: Path, before: bytes, after: bytes) -> None:
    assert there_and_back(tmp_path, change(tmp_path, before, after)).startswith(
        b"diff --git a/pkg/mod.py b/pkg/mod.py\n"
    )


@pytest.mark.parametrize(
    "name", ["a b.py", "naïve/日本.py", 'quo"te.py', "back\\slash.py", "tab\there.py", "new\nline.py", "a b/ c.py"]
)
def test_names(tmp_path: Path, name: str) -> None:
    assert there_and_back(tmp_path, change(tmp_path, b"a\n", b"b\n", name))


def test_a_name_that_is_not_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.py")
    try:
        (tmp_path / name).write_bytes(b"")
    except OSError:
        pytest.skip("the file system takes UTF-8 names only")
    assert b'"a/\\377.py"' in there_and_back(tmp_path, change(tmp_path, b"a\n", b"b\n", name))


def test_several_files_inside_a_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    unchanged = change(tmp_path, b"a\n", b"a\n", "same.py")
    patch = there_and_back(tmp_path, change(tmp_path, b"a\n", b"b\n"), unchanged, change(tmp_path, b"c\n", b"d\n", "z"))
    assert b"same.py" not in patch
    assert patch.count(b"diff --git") == 2


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sources(), st.data())
def test_any_formatting(tmp_path: Path, source: bytes, data: st.DataObject) -> None:
    chosen = [site for site in find(source) if data.draw(st.booleans())]
    result = edits.apply(source, chosen)
    if chosen:
        there_and_back(tmp_path, change(tmp_path, source, result.text))
    else:
        assert render([change(tmp_path, source, result.text)]) == b""


def test_hunks_say_which_old_lines_they_cover(tmp_path: Path) -> None:
    after = b"".join([*LONG[:9], *LONG[10:30], b"x\n", *LONG[30:]])
    found = hunks(change(tmp_path, b"".join(LONG), after))
    assert [(hunk.line, hunk.end_line) for hunk in found] == [(7, 13), (28, 33)]
    assert found[1].text.startswith(b"@@ -28,6 +27,7 @@\n line 27\n")


def test_the_root_is_the_repository_or_the_path(tmp_path: Path) -> None:
    inner = tmp_path / "pkg" / "sub"
    inner.mkdir(parents=True)
    (inner / "m.py").write_bytes(b"")
    assert root_of(inner) == inner
    assert root_of(inner / "m.py") == inner
    (tmp_path / ".git").mkdir()
    assert root_of(inner / "m.py") == tmp_path
    (tmp_path / "pkg" / ".git").write_text("gitdir: elsewhere\n")
    assert root_of(inner) == tmp_path / "pkg"
