"""`batch`: results of many checkouts, whatever happens to one of them."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path

import pytest
from commands import PROVED, REFUTED, REWRITTEN, ROOT, execute, git, invoke

import codemods
from codemods.batch import run
from codemods.batch.entry import Job
from codemods.batch.manifest import Entry
from codemods.pipeline import pool as processes

FILES = {"entry.json", "log", "model_patch.diff", "report.json", "report.md", "sites.jsonl"}
linux = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for processes")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: two checkouts and a list of them."""
    for name in ("FORCE_COLOR", "NO_COLOR", "GIT_DIR"):
        monkeypatch.delenv(name, raising=False)
    for checkout in ("one", "two"):
        (tmp_path / checkout).mkdir()
        (tmp_path / checkout / "good.py").write_text(PROVED)
    (tmp_path / "two/other.py").write_text(REFUTED)
    (tmp_path / "list").write_text("one\ntwo\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a git server that takes a connection and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"git://127.0.0.1:{server.getsockname()[1]}/repository"


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def entry(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(Path("out", name, "entry.json").read_text())
    return found


def start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "codemods", "batch", *arguments, "-o", "out"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def children(process: int) -> list[int]:
    """The processes that one started, and those that they started."""
    own = [int(pid) for file in Path(f"/proc/{process}/task").glob("*/children") for pid in file.read_text().split()]
    return [*own, *(pid for one in own for pid in children(one))]


def alive(process: int) -> bool:
    """It has not ended; that its parent has not asked for its status yet, or never will, is no life."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


# --- results


def test_each_entry_has_a_folder_and_the_summary_a_row_a_site(folder: Path) -> None:
    before = files(folder)
    result = invoke("batch", "list", "-o", "out")
    assert result.exit_code == 1, result.stderr
    assert {path: data for path, data in files(folder).items() if not path.startswith("out/")} == before
    assert {path.name for path in (folder / "out").iterdir() if not path.name.startswith(".")} == {
        "one",
        "two",
        "summary.csv",
        "summary.jsonl",
    }
    assert {path.name for path in (folder / "out/two").iterdir()} == FILES
    assert json.loads((folder / "out/two/report.json").read_text())["files"]["scanned"] == 2
    assert "1 site in 1 file." in (folder / "out/two/report.md").read_text()
    assert "2 sites: 1 proved, 1 refuted" in (folder / "out/two/log").read_text()
    rows = [json.loads(line) for line in (folder / "out/summary.jsonl").read_text().splitlines()]
    assert [(row["entry"], row["path"], row["line"], row["verdict"], row["rewritten"]) for row in rows] == [
        ("one", "good.py", 5, "proved", True),
        ("two", "good.py", 5, "proved", True),
        ("two", "other.py", 5, "refuted", False),
    ]
    assert all(not isinstance(value, list | dict) for row in rows for value in row.values())
    with (folder / "out/summary.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    shown = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    assert [{**row, "rewritten": row["rewritten"].title()} for row in table] == shown


def test_the_table_is_plain_and_in_the_order_of_the_manifest() -> None:
    Path("list").write_text("two\nabsent\none\n")
    result = execute("batch", "list", "-o", "out", cwd=Path.cwd())
    assert result.returncode == 2
    assert [line.split()[:2] for line in result.stdout.decode().splitlines()] == [
        ["entry", "state"],
        ["two", "done"],
        ["absent", "failed"],
        ["one", "done"],
        ["all", "1"],
    ]
    told = result.stderr.decode().splitlines()
    assert len(told) == 4
    assert f"error: absent: {Path('absent').resolve()}: no such file or directory" in told
    assert any(line.startswith("two: 2 sites, 1 to rewrite; 2 files; ") for line in told)


def test_in_a_terminal_the_table_has_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = invoke("batch", "list", "-o", "out").stdout
    monkeypatch.setenv("FORCE_COLOR", "1")
    drawn = invoke("batch", "list", "-o", "out").stdout
    assert "\x1b[" in drawn
    text = re.sub(r"\x1b\[[\d;]*m|─+", "", drawn)
    assert [line.split() for line in text.splitlines() if line.strip()] == [line.split() for line in plain.splitlines()]


@linux
def test_in_a_terminal_a_bar_says_what_is_in_work(folder: Path) -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "codemods", "batch", "list", "-o", "out", "--jobs", "1"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    told = b""
    with contextlib.suppress(OSError):  # the terminal is closed at the other end
        while data := os.read(ours, 4096):
            told += data
    os.close(ours)
    assert process.wait() == 1
    assert b"0/2" in told and b"1/2" in told
    assert re.search(rb"two: 2 sites, 1 to rewrite; 2 files; \d", told)


def test_a_second_run_and_any_number_of_jobs_give_the_same(folder: Path) -> None:
    def results() -> dict[str, bytes]:
        shown = invoke("batch", "list", "-o", "out", "--jobs", jobs).stdout
        changing = ("entry.json", "report.json", "log")
        kept = {name: data for name, data in files(folder / "out").items() if not name.endswith(changing)}
        return {**kept, "stdout": shown.encode()}

    jobs = 1
    first = results()
    assert "two/model_patch.diff" in first
    jobs = 4
    assert results() == first


def test_the_patch_applies_and_is_what_write_does(folder: Path) -> None:
    (folder / "two/deep").mkdir()
    (folder / "two/deep/crlf.py").write_bytes(PROVED.replace("\n", "\r\n").encode())
    assert invoke("batch", "list", "-o", "dry").exit_code == 1
    assert (folder / "two/good.py").read_text() == PROVED
    result = invoke("batch", "list", "-o", "out", "--write")
    assert result.exit_code == 0, result.stderr
    assert (folder / "two/good.py").read_text() == REWRITTEN
    patch = (folder / "out/two/model_patch.diff").read_bytes()
    assert patch == (folder / "dry/two/model_patch.diff").read_bytes()
    written = files(folder / "two")
    assert git("apply", "-R", str(folder / "out/two/model_patch.diff"), cwd=folder / "two").returncode == 0
    assert (folder / "two/deep/crlf.py").read_bytes() == PROVED.replace("\n", "\r\n").encode()
    assert git("apply", str(folder / "out/two/model_patch.diff"), cwd=folder / "two").returncode == 0
    assert files(folder / "two") == written
    assert invoke("batch", "list", "-o", "out", "--write", "--resume").exit_code == 0
    assert (folder / "out/two/model_patch.diff").read_bytes() == patch  # not that of a second run, which is empty


def test_options_of_an_entry_and_its_own_configuration(folder: Path) -> None:
    for checkout in ("one", "two"):
        (folder / checkout / "pyproject.toml").write_text('[tool.torch-codemods]\nexclude = ["good.py"]\n')
    Path("m.toml").write_text('[[entry]]\npath = "one"\n[[entry]]\npath = "two"\nexclude = ["other.py"]\n')
    assert invoke("batch", "m.toml", "-o", "out").exit_code == 1
    assert (entry("one")["scanned"], entry("two")["scanned"]) == (0, 1)
    assert invoke("batch", "m.toml", "-o", "out", "--ignore", "zeros_to_empty").exit_code == 0


def test_a_file_that_cannot_be_parsed_is_status_1(folder: Path) -> None:
    (folder / "list").write_text("bad\n")
    (folder / "bad").mkdir()
    (folder / "bad/bad.py").write_text("import torch\ntorch.zeros(\n")
    result = invoke("batch", "list", "-o", "out", "--write")
    assert result.exit_code == 1
    assert (entry("bad")["state"], entry("bad")["unread"]) == ("done", 1)
    assert "error: bad.py:" in (folder / "out/bad/log").read_text()


def test_a_file_that_cannot_be_written_is_a_failure_with_what_was(folder: Path) -> None:
    (folder / "two/sealed.py").write_text(PROVED)
    (folder / "two/sealed.py").chmod(0o444)
    assert invoke("batch", "list", "-o", "out", "--write").exit_code == 2
    assert (folder / "one/good.py").read_text() == REWRITTEN
    assert entry("two")["message"] == "1 of 2 files rewritten, the others are as they were"
    assert "sealed" not in (folder / "out/two/model_patch.diff").read_text()
    assert "good.py" in (folder / "out/two/model_patch.diff").read_text()
    (folder / "two/sealed.py").chmod(0o644)
    assert invoke("batch", "list", "-o", "out", "--write", "--resume").exit_code == 0
    assert (folder / "two/sealed.py").read_text() == REWRITTEN


# --- git


def repository(folder: Path) -> Path:
    """With a tag `old` of what the two files of the checkout were."""
    git("init", "-q", cwd=folder)
    git("add", ".", cwd=folder)
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    git(*who, "commit", "-qm", "old", cwd=folder)
    git("tag", "old", cwd=folder)
    (folder / "other.py").write_text(PROVED)
    git(*who, "commit", "-qam", "new", cwd=folder)
    return folder


def test_a_repository_is_cloned_at_a_revision(folder: Path) -> None:
    url = repository(folder / "two").as_uri()
    Path("m.toml").write_text(f'[[entry]]\ngit = "two"\nrev = "old"\n[[entry]]\ngit = "{url}"\n')
    result = invoke("batch", "m.toml", "-o", "out", "--write")
    assert result.exit_code == 0, result.stderr
    assert (entry("two")["rewritten"], entry("two-2")["rewritten"]) == (1, 2)
    assert (folder / "two/other.py").read_text() == PROVED
    clone = folder / "out/checkouts/two-2"
    assert (clone / "other.py").read_text() == REWRITTEN
    assert git("diff", cwd=clone).stdout.count(b"\n+") == (clone / "../../two-2/model_patch.diff").read_bytes().count(
        b"\n+"
    )


def test_a_broken_repository_is_the_failure_of_its_entry(folder: Path) -> None:
    (folder / "broken.git").mkdir()
    (folder / "broken.git/HEAD").write_text("nonsense")
    Path("m.toml").write_text('[[entry]]\ngit = "broken.git"\n[[entry]]\npath = "one"\n')
    result = invoke("batch", "m.toml", "-o", "out")
    assert result.exit_code == 2
    assert (entry("broken")["state"], entry("one")["state"]) == ("failed", "done")
    assert "does not appear to be a git repository" in str(entry("broken")["message"])
    assert {path.name for path in (folder / "out/broken").iterdir()} == {"log", "entry.json"}
    assert list((folder / "out/checkouts").iterdir()) == []


def test_in_a_hook_the_repository_that_runs_it_is_not_touched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, other = repository(folder / "one"), repository(folder / "two")
    before = files(own)
    monkeypatch.setenv("GIT_DIR", str(own / ".git"))
    (folder / "list").write_text(other.as_uri() + "\n")
    assert invoke("batch", "list", "-o", "out").exit_code == 1
    assert files(own) == before


# --- what goes wrong


def test_an_entry_that_hangs_is_stopped_with_what_it_started(folder: Path, silent: str) -> None:
    (folder / "list").write_text(f"{silent}\none\ntwo\n")
    process = start("list", "--timeout", "4", "--jobs", "2")
    hanging: set[int] = set()
    while process.poll() is None:
        if sys.platform == "linux":
            hanging |= set(children(process.pid))
        time.sleep(0.1)
    process.communicate()
    assert process.returncode == 2
    assert (entry("repository")["state"], entry("repository")["message"]) == ("failed", "stopped after 4 s (timeout)")
    assert (entry("one")["state"], entry("two")["state"]) == ("done", "done")
    assert not any(map(alive, hanging))


@linux
def test_a_killed_process_is_the_failure_of_its_entry(folder: Path, silent: str) -> None:
    (folder / "list").write_text(f"{silent}\none\ntwo\n")
    process = start("list", "--jobs", "1")
    until(lambda: len(children(process.pid)) >= 2)  # it has started git
    os.kill(children(process.pid)[0], signal.SIGKILL)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"error: repository: its process was killed by SIGKILL\n" in told
    assert (entry("one")["state"], entry("two")["state"]) == ("done", "done")
    assert {path.name for path in (folder / "out/repository").iterdir()} == {"log", "entry.json"}


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_leaves_whole_entries_and_no_process(folder: Path, silent: str, number: signal.Signals) -> None:
    (folder / "list").write_text(f"one\n{silent}\ntwo\n")
    process = start("list", "--jobs", "1")
    until(lambda: (folder / "out/one/entry.json").exists() and len(children(process.pid)) >= 2)
    working = children(process.pid)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.endswith(b"torch-codemods: interrupted\n")
    assert b"Traceback" not in told
    assert not any(map(alive, working))
    assert {path.name for path in (folder / "out").iterdir()} - {"checkouts"} == {"one", ".torch-codemods-batch"}
    assert {path.name for path in (folder / "out/one").iterdir()} == FILES


def test_what_a_killed_process_was_about_to_write_is_kept(folder: Path) -> None:
    assert invoke("batch", "list", "-o", "out", "--write").exit_code == 0
    place = folder / "out/two"
    patch = (place / "model_patch.diff").read_bytes()
    for _ in range(2):
        half = folder / "half"
        half.mkdir()
        (half / "model_patch.diff").write_bytes(patch)
        (half / "log").touch()
        job = Job(Entry("two", folder / "two"), place, half, os.getpid(), 1, write=True, resume=False)
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
        process.kill()
        process.wait()
        result = run.end(run.Worker(job, process, time.monotonic(), 60))
        assert result and result.message == "its process was killed by SIGKILL"
        assert {path.name for path in place.iterdir()} == {"log", "entry.json", "interrupted.diff"}
        shutil.rmtree(half.with_name("half.before"))
    assert (place / "interrupted.diff").read_bytes() == 2 * patch
    assert invoke("batch", "list", "-o", "out", "--write", "--resume").exit_code == 0
    assert {path.name for path in place.iterdir()} == {*FILES, "interrupted.diff"}


def test_a_scan_keeps_to_its_processes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pool(*arguments: object, **settings: object) -> None:
        raise AssertionError("started processes")

    monkeypatch.setattr(processes, "ENOUGH", 1)
    monkeypatch.setattr(processes, "processors", lambda: 4)
    monkeypatch.setattr(futures, "ProcessPoolExecutor", pool)
    assert len(codemods.run([folder], codemods.Options(processes=1)).decisions) == 3
    with pytest.raises(AssertionError, match="started processes"):
        codemods.run([folder], codemods.Options(processes=2))


# --- resume


def test_resume_does_only_what_is_not_done(folder: Path) -> None:
    (folder / "list").write_text("one\nabsent\ntwo\n")
    assert invoke("batch", "list", "-o", "out").exit_code == 2
    summary = (folder / "out/summary.jsonl").read_bytes()
    before = {name: (folder / "out" / name).stat().st_ino for name in ("one", "two", "absent")}
    (folder / "absent").mkdir()
    assert invoke("batch", "list", "-o", "out", "--resume", "--timeout", "99").exit_code == 1
    after = {name: (folder / "out" / name).stat().st_ino for name in before}
    assert (after["one"], after["two"]) == (before["one"], before["two"])
    assert after["absent"] != before["absent"]
    assert (folder / "out/summary.jsonl").read_bytes() == summary


def changed_file(folder: Path) -> None:
    (folder / "one/good.py").write_text(REFUTED)


def new_configuration(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.torch-codemods]\nignore = ["drop_fill"]\n')


def half_a_marker(folder: Path) -> None:
    (folder / "out/one/entry.json").write_text('{"state": "done"')


@pytest.mark.parametrize("change", [changed_file, new_configuration, half_a_marker])
def test_resume_does_again_what_changed(folder: Path, change: Callable[[Path], None]) -> None:
    assert invoke("batch", "list", "-o", "out").exit_code == 1
    before = (folder / "out/one").stat().st_ino
    change(folder)
    assert invoke("batch", "list", "-o", "out", "--resume").exit_code == 1
    assert (folder / "out/one").stat().st_ino != before
    assert {path.name for path in (folder / "out/one").iterdir()} == FILES


def test_resume_does_again_what_is_asked_differently(folder: Path) -> None:
    (folder / "list").write_text("one\n")
    assert invoke("batch", "list", "-o", "out").exit_code == 1
    assert invoke("batch", "list", "-o", "out", "--resume", "--ignore", "zeros_to_empty").exit_code == 0
    assert invoke("batch", "list", "-o", "out", "--resume", "--write").exit_code == 0
    assert (folder / "one/good.py").read_text() == REWRITTEN


def test_without_resume_everything_is_done_again(folder: Path) -> None:
    assert invoke("batch", "list", "-o", "out").exit_code == 1
    (folder / "one/good.py").write_text(REFUTED)
    invoke("batch", "list", "-o", "out")
    assert json.loads((folder / "out/one/report.json").read_text())["sites"][0]["verdict"] == "refuted"


# --- what cannot be asked for


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("list", "-o", "full"), "--output: full is not empty, and not the results of a batch"),
        (("list", "-o", "two/out"), "--output: two/out lies in the checkout two: name a folder outside of it"),
        (("twice", "--write", "-o", "out"), "--write: one-2 lies in the checkout one: both would write to it"),
        (("list", "--timeout", "0"), "--timeout: must be above 0"),
        (("list", "--select", "nothing"), "--select: unknown codemod 'nothing' (there are: "),
        (("nowhere",), "nowhere: no such file or directory"),
    ],
)
def test_wrong_usage_is_one_line_and_nothing_is_done(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    (folder / "twice").write_text("one\none\n")
    (folder / "full").mkdir()
    (folder / "full/mine").touch()
    before = files(folder)
    result = invoke("batch", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"torch-codemods: {message}")
    assert result.stderr.count("\n") == 1
    assert files(folder) == before


def test_two_batches_do_not_share_a_folder(folder: Path, silent: str) -> None:
    (folder / "hanging").write_text(silent)
    process = start("hanging", "--timeout", "20")
    until(lambda: (folder / "out/.unfinished/repository").exists())
    result = invoke("batch", "list", "-o", "out")
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert result.exit_code == 2
    assert "another batch is writing to" in result.stderr
