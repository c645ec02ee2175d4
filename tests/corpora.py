"""Released packages that the tests read: found on the package index, checked against a pinned SHA-256, unpacked once.

As a script, `python tests/corpora.py sglang-0.4.6.post5` prints the directory to scan.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path
from unearth import PackageFinder

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CORPUS = Path(__file__).parent / "corpus"
ATTEMPTS = 3


class UnavailableError(Exception):
    """The package index could not be reached or does not have the file."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """One released archive; `scan` is the directory inside it that the tool reads."""

    name: str
    version: str
    file: str
    sha256: str
    scan: str
    rows: Literal["all", "accepted", "none"]

    def __str__(self) -> str:
        return f"{self.name}-{self.version}"

    @property
    def expected(self) -> Path:
        """The reviewed decisions."""
        return CORPUS / f"{self}.txt"


def load() -> tuple[Corpus, ...]:
    table = tomllib.loads((CORPUS / "corpora.toml").read_text(encoding="utf-8"))
    return tuple(Corpus(**row) for row in table["corpus"])


def cache() -> Path:
    if chosen := os.environ.get("TORCH_CODEMODS_CORPORA"):
        return Path(chosen)
    return user_cache_path("torch-codemods") / "corpora"


@contextlib.contextmanager
def needed() -> Iterator[None]:
    """A test needs what is fetched in here: without an index it is skipped, except in CI, where it must run."""
    import pytest

    try:
        yield
    except UnavailableError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


def fetch(corpus: Corpus) -> Path:
    """The unpacked directory to scan; shared by all tests, so nothing may write to it.

    Raises UnavailableError without an index, ValueError when the archive is not the pinned one.
    """
    home = cache() / f"{corpus}-{corpus.sha256[:12]}"
    if not home.is_dir():
        content = download(corpus)
        if (found := hashlib.sha256(content).hexdigest()) != corpus.sha256:
            raise ValueError(f"{corpus.file}: SHA-256 is {found}, not the pinned {corpus.sha256}")
        home.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=home.parent))
        try:
            unpack(corpus, content, fresh)
            adopt(fresh, home)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return home / corpus.scan


def adopt(fresh: Path, home: Path) -> None:
    """Move the directory into place, unless another process was faster."""
    try:
        fresh.rename(home)
    except OSError:
        if not home.is_dir():
            raise


def index() -> str | None:
    """The package index that pip is told to use here; None is the public one."""
    if url := os.environ.get("PIP_INDEX_URL"):
        return url
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


def download(corpus: Corpus) -> bytes:
    url = index()
    finder = PackageFinder(index_urls=[url] if url else [], ignore_compatibility=True)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            packages = finder.find_all_packages(corpus.name, allow_yanked=True)
            link = next((package.link for package in packages if package.link.filename == corpus.file), None)
            if link is not None:
                answer = finder.session.get(link.url_without_fragment)
                answer.raise_for_status()
                return answer.content
        except Exception as error:  # whichever HTTP library the finder is built on
            if attempt == ATTEMPTS:
                raise UnavailableError(f"{corpus.file}: the package index does not answer: {error}") from error
    raise UnavailableError(f"{corpus.file}: not on the package index")


def unpack(corpus: Corpus, content: bytes, into: Path) -> None:
    """Only the Python files under `scan`: a wheel may hold a hundred megabytes of libraries."""

    def wanted(name: str) -> bool:
        return name.startswith(corpus.scan + "/") and name.endswith(".py")

    if zipfile.is_zipfile(stream := io.BytesIO(content)):
        with zipfile.ZipFile(stream) as archive:
            archive.extractall(into, [name for name in archive.namelist() if wanted(name)])
        return
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(into, [member for member in archive if wanted(member.name)])


def main() -> None:
    by_key = {str(corpus): corpus for corpus in load()}
    if len(sys.argv) != 2 or sys.argv[1] not in by_key:
        sys.exit(f"usage: corpora.py {{{','.join(by_key)}}}")
    try:
        print(fetch(by_key[sys.argv[1]]))
    except (UnavailableError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
