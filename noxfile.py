"""The sessions of this repository: the matrix of ``[tool.diptych]``, and the checks of the library itself."""

import nox

from diptych.sessions import define

nox.needs_version = ">=2026.10"

define(__file__)


@nox.session(default=False)
def lint(session: nox.Session) -> None:
    """Run ruff: the linter, and the formatter's check. `-- --fix` mends what it can."""
    session.install("ruff")
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]))


@nox.session(default=False)
def typing(session: nox.Session) -> None:
    """Run mypy, strict, over library and tests."""
    session.install("-e", ".[test]")
    session.run("mypy", *session.posargs)


@nox.session(default=False)
def tests(session: nox.Session) -> None:
    """Run pytest; arguments after -- reach it, such as `-- tests/unit`."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """Show which lines of the library the unit tests do not reach; `-- tests` for all tests, which takes longer."""
    session.install("-e", ".[test]", "coverage>=7.10")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "-q", *(session.posargs or ["tests/unit"]))
    session.run("coverage", "combine", "-q")
    session.run("coverage", "report")


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Build the site in docs/_build; a warning is an error. `-- --check-links` also asks the web."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-qWn", "--keep-going", "-b", "html", "docs", "docs/_build")
    if "--check-links" in session.posargs:
        session.run("sphinx-build", "-qn", "-b", "linkcheck", "docs", "docs/_build/links")
    session.log("docs/_build/index.html")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Run one script of bench/: `-- doctor`, with its own arguments after its name."""
    if not session.posargs:
        session.error("which one? bench/*.py, such as: nox -s bench -- doctor")
    name, *arguments = session.posargs
    session.install("-e", ".[test]")
    session.run("python", f"bench/{name}.py", *arguments)
