"""Tiers by folder: unit tests get no network; integration tests are marked by where they stand."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Generator
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from helpers.checkout import SHARED
from helpers.needs import MARK

REPOSITORY = Path(__file__).parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        tier = "integration" if "integration" in item.path.parts else "unit"
        item.add_marker(getattr(pytest.mark, tier))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is installed, a skip is a failure: DIPTYCH_NO_SKIPS=1."""
    report = yield
    if report.skipped and os.environ.get("DIPTYCH_NO_SKIPS") == "1":  # noqa: TID251 -- tests are a surface
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        report.outcome, report.longrepr = "failed", f"DIPTYCH_NO_SKIPS=1: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say what to install for the tests that were skipped."""
    skipped = terminalreporter.stats.get("skipped", [])
    packages = {name for one in skipped for name in re.findall(rf"{MARK}([\w.+-]+)", str(one.longrepr))}
    if packages:
        line = f"{len(skipped)} skipped; to run them: {MARK}{' '.join(sorted(packages))}"
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a unit test that opens a connection."""
    if request.node.get_closest_marker("integration"):
        return

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("a unit test reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def session_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The process environment without what would change a run's manners; all checkouts of a run share what they compile."""
    hidden = {
        "CI",
        "GITHUB_ACTIONS",
        "NO_COLOR",
        "FORCE_COLOR",
        "COLUMNS",
        "SOURCE_DATE_EPOCH",
        "PYTEST_ADDOPTS",
        "PYTHONDONTWRITEBYTECODE",  # hundreds of processes would compile the library anew
    }
    given = {name: value for name, value in os.environ.items() if name not in hidden}  # noqa: TID251 -- tests are a surface
    base = tmp_path_factory.getbasetemp()
    # Each worker of pytest-xdist has a folder of its own in the run's.
    run = base.parent if "PYTEST_XDIST_WORKER" in given else base
    # On the file system of the checkouts, rattler makes links of the files of its packages.
    caches = {"DIPTYCH_OBJECTS": str(run / "objects"), "RATTLER_CACHE_DIR": str(run / "rattler")}
    return {**caches, **given, SHARED: str(run)}


@pytest.fixture
def env(session_env: dict[str, str]) -> dict[str, str]:
    return dict(session_env)


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY
