"""Each file is the old one or the new one, whatever happens."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from codemods.write.files import Interrupted, commit, write_atomically
from codemods.write.patch import Change

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def three(root: Path) -> list[Change]:
    changes = [Change(root / name, name, b"old " + name.encode(), b"new " + name.encode()) for name in ("a", "b", "c")]
    for change in changes:
        change.path.write_bytes(change.before)
    return changes


def state(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(root.iterdir())}


def test_all_are_written(tmp_path: Path) -> None:
    changes = three(tmp_path)
    told: list[Change] = []
    outcome = commit(changes, told.append)
    assert outcome.written == tuple(changes) == tuple(told)
    assert outcome.failed == ()
    assert state(tmp_path) == {"a": b"new a", "b": b"new b", "c": b"new c"}


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o664])
def test_the_mode_is_kept(tmp_path: Path, mode: int) -> None:
    change = three(tmp_path)[0]
    change.path.chmod(mode)
    assert commit([change]).written == (change,)
    assert stat.S_IMODE(change.path.stat().st_mode) == mode


@pytest.mark.skipif(not AS_ROOT, reason="only root can give a file away")
def test_the_owner_is_kept(tmp_path: Path) -> None:
    change = three(tmp_path)[0]
    os.chown(change.path, 1234, 1234)
    assert commit([change]).written == (change,)
    assert (change.path.stat().st_uid, change.path.stat().st_gid) == (1234, 1234)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    changes = three(tmp_path)
    link = tmp_path / "link"
    link.symlink_to("a")
    assert commit([Change(link, "link", b"old a", b"new a")]).failed == ()
    assert link.is_symlink()
    assert changes[0].path.read_bytes() == b"new a"


def test_a_file_that_changed_or_vanished_meanwhile(tmp_path: Path) -> None:
    changes = three(tmp_path)
    changes[0].path.write_bytes(b"someone else")
    changes[1].path.unlink()
    outcome = commit(changes)
    assert outcome.written == (changes[2],)
    assert outcome.failed == ((changes[0], "changed meanwhile"), (changes[1], "No such file or directory"))
    assert state(tmp_path) == {"a": b"someone else", "c": b"new c"}


def test_a_read_only_file(tmp_path: Path) -> None:
    changes = three(tmp_path)
    changes[1].path.chmod(0o444)
    outcome = commit(changes)
    assert [change.name for change, _ in outcome.failed] == ["b"]
    assert state(tmp_path) == {"a": b"new a", "b": b"old b", "c": b"new c"}


@pytest.mark.skipif(AS_ROOT, reason="root may write everywhere")
def test_a_read_only_directory(tmp_path: Path) -> None:
    changes = three(tmp_path)
    tmp_path.chmod(0o555)
    try:
        outcome = commit(changes)
    finally:
        tmp_path.chmod(0o755)
    assert [message for _, message in outcome.failed] == ["Permission denied"] * 3
    assert state(tmp_path) == {"a": b"old a", "b": b"old b", "c": b"old c"}


def fails_on_call(number: int, real: Callable[..., object], error: BaseException) -> Callable[..., object]:
    calls: list[int] = []

    def fake(*words: object, **named: object) -> object:
        calls.append(1)
        if len(calls) == number:
            raise error
        return real(*words, **named)

    return fake


@pytest.mark.parametrize(("where", "what"), [(os, "fsync"), (os, "replace"), (Path, "chmod")])
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: object, what: str) -> None:
    changes = three(tmp_path)
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(where, what, fails_on_call(2, getattr(where, what), full))
    outcome = commit(changes)
    assert outcome.written == (changes[0], changes[2])
    assert outcome.failed == ((changes[1], "No space left on device"),)
    assert state(tmp_path) == {"a": b"new a", "b": b"old b", "c": b"new c"}


@pytest.mark.parametrize(("where", "what"), [(os, "fsync"), (os, "replace"), (Path, "open"), (Path, "chmod")])
@pytest.mark.parametrize("call", [1, 2, 3])
def test_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: object, what: str, call: int) -> None:
    changes = three(tmp_path)
    monkeypatch.setattr(where, what, fails_on_call(call, getattr(where, what), KeyboardInterrupt()))
    with pytest.raises(Interrupted) as caught:
        commit(changes)
    monkeypatch.undo()
    written = caught.value.outcome.written
    assert len(written) < len(changes)
    assert state(tmp_path) == {c.name: c.after if c in written else c.before for c in changes}


def test_an_interruption_just_after_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = three(tmp_path)
    real = os.replace

    def renames_and_is_interrupted(path: Path, target: Path) -> None:
        real(path, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", renames_and_is_interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        commit(changes)
    assert isinstance(caught.value, Interrupted)
    assert caught.value.outcome.written == (changes[0],)
    assert state(tmp_path) == {"a": b"new a", "b": b"old b", "c": b"old c"}


def test_the_patch_file(tmp_path: Path) -> None:
    path = tmp_path / "model_patch.diff"
    write_atomically(path, b"one\r\n")
    path.chmod(0o640)
    write_atomically(path, b"two\r\n")
    assert state(tmp_path) == {"model_patch.diff": b"two\r\n"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_atomically(tmp_path / "patch", b"x")
    assert (tmp_path / "patch").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_atomically(Path(os.devnull), b"x")
    assert not stat.S_ISREG(Path(os.devnull).stat().st_mode)


@pytest.mark.parametrize("name", ["no/such/directory", "."])
def test_where_no_file_can_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - which one depends on the system
        write_atomically(tmp_path / name, b"x")
    assert state(tmp_path) == {}


def test_a_failed_patch_file_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fails_on_call(1, os.fsync, OSError(errno.EIO, "Input/output error")))
    with pytest.raises(OSError, match="Input/output error"):
        write_atomically(path, b"new")
    assert state(tmp_path) == {"p": b"old"}
