"""Options and settings that all tests share."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

os.environ["TRITON_INTERPRET"] = "1"  # kernels run on the CPU; Triton asks for it when it is imported

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="rewrite the expected files with what the tool decides now")


@pytest.fixture(scope="session")
def accept(request: pytest.FixtureRequest) -> bool:
    """Whether expected files are rewritten instead of compared; never in CI."""
    chosen = bool(request.config.getoption("--accept"))
    if chosen and os.environ.get("CI"):
        pytest.fail("--accept is for people who read the difference: not in CI")
    return chosen
