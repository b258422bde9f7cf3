"""A pytest plugin for runs under a sanitizer: which test a process was in, and how long its report was by then.

Stands alone like ``sitecustomize`` beside it, which imports it; pytest is told of it with ``-p``.
"""

import os
import sys

_FOLDER = os.environ.get("DIPTYCH_SANITIZER_REPORTS")


def start_anew() -> None:
    """Start this interpreter once more with the sanitizer's runtime, and keep that from all that it starts.

    A shell that runs tests or is run by them cannot have it: dash crashes with ThreadSanitizer of GCC 12.
    """
    runtime = os.environ["DIPTYCH_SANITIZER_RUNTIME"]
    given, own, before = os.environ.get("LD_PRELOAD", "").partition(runtime)
    if not own:
        os.environ["LD_PRELOAD"] = ("%s %s" % (runtime, given)).strip()
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 -- the same program
    if before.strip():
        os.environ["LD_PRELOAD"] = before.strip()
    else:
        del os.environ["LD_PRELOAD"]


def mark(test: str) -> None:
    """Add a line to the marks of this process: size of its report now, and the test that begins; empty when one has ended."""
    if not _FOLDER:
        return
    report = os.path.join(_FOLDER, "report.%d" % os.getpid())
    size = os.path.getsize(report) if os.path.exists(report) else 0
    with open(os.path.join(_FOLDER, "tests.%d" % os.getpid()), "a", encoding="utf-8") as file:
        file.write("%d %s\n" % (size, test))


def mark_inherited() -> None:
    """Mark the test that a process was started or forked by: pytest leaves its name in a variable."""
    mark(os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0])


def pytest_collectstart(collector: object) -> None:
    """Name the file while it is imported: a module of it may have the fault."""
    mark(getattr(collector, "nodeid", ""))


def pytest_collectreport() -> None:
    """No file is imported any more."""
    mark("")


def pytest_runtest_logstart(nodeid: str) -> None:
    """Name the test that begins."""
    mark(nodeid)


def pytest_runtest_logfinish() -> None:
    """No test runs any more."""
    mark("")


if _FOLDER:
    os.register_at_fork(after_in_child=mark_inherited)
