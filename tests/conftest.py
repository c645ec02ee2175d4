"""Options and settings that all tests share."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["TRITON_INTERPRET"] = "1"  # kernels run on the CPU; Triton asks for it when it is imported

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="rewrite the expected files with what the tool decides now")


@pytest.fixture(autouse=True)
def results(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has a result cache of its own, in a folder that is not there yet."""
    place = tmp_path_factory.getbasetemp() / "results" / secrets.token_hex(8)
    monkeypatch.setenv("TORCH_CODEMODS_CACHE", str(place))
    return place


@pytest.fixture(scope="session")
def accept(request: pytest.FixtureRequest) -> bool:
    """Whether expected files are rewritten instead of compared; never in CI."""
    chosen = bool(request.config.getoption("--accept"))
    if chosen and os.environ.get("CI"):
        pytest.fail("--accept is for people who read the difference: not in CI")
    return chosen
