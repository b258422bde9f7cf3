"""``in-source = "relink"``: the tests of a cell find their libraries with no variable set, and load the same ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from diptych.binaries import read_file
from diptych.relink.apply import read_slices
from helpers.checkout import HERE, TABLE, Checkout
from helpers.needs import needs_linux

pytestmark = needs_linux("LD_LIBRARY_PATH")
PROOF = """\
import os, sys, pytest
assert not {"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} & set(os.environ)
sys.exit(pytest.main(["-q", *sys.argv[1:]]))
"""
"""Stands beside the sources, not among them: tests that share the checkout find its stage as it was."""
STRIPPED = "env -u LD_LIBRARY_PATH {python} -m pytest -q {source}/tests"
"""What macOS does to DYLD_* when a protected program starts the next one."""


@pytest.fixture(scope="module", autouse=True)
def _as_it_was(built: Checkout) -> Iterator[None]:
    """Leave dist/ as a plain build leaves it: its provenance names the run of the tests."""
    yield
    assert built.build().returncode == 0


def recorded(checkout: Checkout) -> dict[str, tuple[int, set[str]]]:
    """Return of each remembered run how many tests there were, and the libraries; the package's own by name alone."""
    found = {}
    for path in (checkout.root / ".diptych" / "insource").glob("*/result.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        libraries = {Path(library) for library in record["libraries"]}
        own = {one for one in libraries if one.is_relative_to(checkout.root / ".diptych")}
        found[path.parent.name] = record["tests"], {*map(str, libraries - own), *(one.name for one in own)}
    return found


def new(checkout: Checkout, before: dict[str, tuple[int, set[str]]]) -> tuple[int, set[str]]:
    (found,) = [value for name, value in recorded(checkout).items() if name not in before]
    return found


def settings(checkout: Checkout, **keys: str) -> None:
    lines = "".join(f"{name.replace('_', '-')} = {json.dumps(value)}\n" for name, value in keys.items())
    (checkout.root / "pyproject.toml").write_text(TABLE.format(python=HERE) + lines, encoding="utf-8")


def test_both_ways_run_the_same_tests_with_the_same_libraries(sources: Checkout) -> None:
    assert sources.build().returncode == 0  # another test may have left the build tree with other sources
    before = recorded(sources)
    settings(sources, in_source="relink")
    done = sources.build()
    assert done.returncode == 0, done.output
    assert "✓ test in source" in done.output
    for stage in ("compile", "wheel", "conda package"):
        assert f"· {stage}" in done.output, "the way of testing is no reason to make it again"
    assert new(sources, before) in list(before.values())


def test_no_variable_is_set_for_tests_and_shell(sources: Checkout) -> None:
    (sources.root / "proof.py").write_text(PROOF, encoding="utf-8")
    settings(sources, in_source="relink", test=f"python {sources.root / 'proof.py'} {{source}}/tests")
    done = sources.nox("-s", f"test-{HERE}")
    assert done.returncode == 0, done.output
    assert " passed" in done.output
    settings(sources, test=f"python {sources.root / 'proof.py'} {{source}}/tests")
    assert "AssertionError" in sources.nox("-s", f"test-{HERE}").output, "with paths one is set"
    settings(sources, in_source="relink")
    words = "import os, rigidalign; print(rigidalign.__name__, 'LD_LIBRARY_PATH' in os.environ)"
    done = sources.nox("-s", f"shell-{HERE}", "--", "python", "-c", words)
    assert done.returncode == 0, done.output
    assert "rigidalign False" in done.output


@pytest.mark.parametrize(("way", "code"), [("relink", 0), ("paths", 1)])
def test_a_program_that_strips_the_variable(way: str, code: int, sources: Checkout) -> None:
    settings(sources, in_source=way, test=STRIPPED)
    done = sources.nox("-s", f"test-{HERE}")
    assert done.returncode == code, done.output
    assert ("cannot open shared object file" in done.output) is (way == "paths")


def test_the_copies_hold_the_code_of_the_build_tree(sources: Checkout) -> None:
    settings(sources, in_source="relink")
    assert sources.nox("-s", f"test-{HERE}", "--", "--collect-only").returncode == 0
    site = next((sources.root / ".diptych" / "relinked").glob("*/site"))
    copies = [path for path in site.rglob("*.so") if not path.is_symlink()]
    assert copies
    for path in copies:
        (binary,) = read_file(path)
        assert binary.rpath
        assert all(entry.startswith("/") for entry in binary.rpath)
        (origin,) = (sources.root / ".diptych" / "build").rglob(path.name)
        assert read_slices(path)[0].code == read_slices(origin)[0].code
    assert all(path.is_symlink() for path in site.rglob("*.py"))
    journal = json.loads((site.parent / "journal.json").read_text(encoding="utf-8"))
    assert (journal["purpose"], len(journal["entries"])) == ("source", len(copies))
