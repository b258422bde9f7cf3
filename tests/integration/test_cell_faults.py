"""Deliberate faults: each ends with one clear message, a failing exit code and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych import process
from helpers.checkout import HERE, TABLE, Checkout, clear, lay_out
from helpers.needs import needs_found
from helpers.tiny import lay_out_tiny

BZ2 = Path("/lib/x86_64-linux-gnu/libbz2.so.1.0")


@pytest.fixture
def fresh(tmp_path: Path, repository: Path, session_env: dict[str, str]) -> Checkout:
    lay_out(tmp_path, repository, TABLE.format(python=HERE))
    return Checkout(root=tmp_path, env=session_env)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("host =", "hots =", ("tool.diptych.hots", 'did you mean "host"')),
        ('compiler = ["gcc"]', 'compiler = ["nope"]', ('tool.diptych.compiler[0] = "nope"',)),
        (
            'compiler = ["gcc"]',
            f'compiler = ["gcc"]\nexclude = ["{HERE}-gc"]',
            ("matches no cell", f"{HERE}-gcc"),
        ),
        ("[tool.diptych]", "[tool.diptych", ("pyproject.toml",)),
    ],
    ids=["unknown key", "unknown compiler", "selector", "toml"],
)
def test_a_fault_in_the_table_stops_a_listing(
    fresh: Checkout, old: str, new: str, words: tuple[str, ...]
) -> None:
    fresh.edit("pyproject.toml", old, new)
    done = fresh.nox("-l")
    clear(done, *words)
    assert done.returncode == 3


def test_a_python_that_is_not_there_is_skipped_here_and_an_error_in_ci(fresh: Checkout) -> None:
    fresh.edit("pyproject.toml", f'python = ["{HERE}"]', 'python = ["3.99"]')
    here = fresh.nox("-s", "build-3.99")
    assert here.returncode == 0
    assert "there is no Python 3.99 on this machine" in here.output
    assert "pyenv install 3.99" in here.output
    there = fresh.nox("-s", "build-3.99", CI="true")
    assert there.returncode != 0
    assert "Traceback" not in there.output


def test_a_compiler_that_is_not_there_is_skipped_before_any_work(fresh: Checkout) -> None:
    fresh.edit("pyproject.toml", '"gcc"', '"gcc-99"')
    done = fresh.nox("-s", f"build-{HERE}")
    assert done.returncode == 0
    assert "g++-99" in done.output
    assert not (fresh.root / ".nox" / f"build-{HERE.replace('.', '-')}-gcc-99").exists()


def test_what_was_asked_for_by_here_is_an_error_when_the_machine_lacks_it(fresh: Checkout) -> None:
    fresh.edit("pyproject.toml", '"gcc"', '"gcc-99"')
    done = fresh.nox("-t", "here")
    assert done.returncode != 0
    assert "g++-99" in done.output
    assert "Traceback" not in done.output


def test_a_channel_that_is_down(fresh: Checkout) -> None:
    fresh.edit("pyproject.toml", '"conda-forge", "local"', '"http://127.0.0.1:9/channel"')
    clear(fresh.build(), "http://127.0.0.1:9/channel", "cannot be reached", "check the URL")


def test_an_unreachable_conda_forge_is_an_error_in_ci(fresh: Checkout) -> None:
    fresh.edit("pyproject.toml", '"conda-forge", "local"', '"conda-forge"')
    done = fresh.nox("-s", f"build-{HERE}", CI="true", CONDA_CHANNEL_ALIAS="http://127.0.0.1:9")
    clear(done, "conda-forge", 'channels = ["local"]')


def test_bounds_that_contradict_each_other(sources: Checkout) -> None:
    sources.edit("project/conda/recipe.yaml", "- numpy >=1.26", "- numpy <1.0")
    clear(
        sources.build(),
        "no version of numpy satisfies both of its bounds",
        '"numpy <1.0" comes from the recipe\'s run',
        "comes from the run exports of numpy",
    )


def test_a_needed_library_that_no_dependency_brings(sources: Checkout) -> None:
    ignored = "  ignore_run_exports:\n    from_package:\n      - libboost-python-devel\n  run:"
    sources.edit("project/conda/recipe.yaml", "  run:", ignored)
    clear(
        sources.build(),
        "links libraries that none of its run dependencies brings",
        "which libboost-python brings; the package does not depend on it",
    )


@needs_found(BZ2.exists(), "libbz2.so.1.0", package="libbz2-1.0")
def test_a_needed_library_that_no_package_brings(
    tmp_path: Path, repository: Path, session_env: dict[str, str]
) -> None:
    """It is on this machine, so everything else works."""
    lay_out_tiny(tmp_path, repository)
    with (tmp_path / "project" / "CMakeLists.txt").open("a", encoding="utf-8") as file:
        file.write(f"target_link_libraries(_core PRIVATE {BZ2})\n")
    core = tmp_path / "project" / "src" / "core.cpp"
    text = core.read_text(encoding="utf-8").replace(
        "PyLong_FromLong(42)", "PyLong_FromLong(BZ2_bzlibVersion()[0] ? 42 : 0)"
    )
    core.write_text('extern "C" const char* BZ2_bzlibVersion(void);\n' + text, encoding="utf-8")
    done = Checkout(root=tmp_path, env=session_env).build()
    clear(
        done,
        "the conda package needs libbz2.so.1.0, and nothing that it names brings it; bzip2 usually brings it",
        "diptych explain DIP814",
    )


def test_a_file_that_another_package_has(
    tmp_path: Path, repository: Path, session_env: dict[str, str]
) -> None:
    """rattler-build would leave it out and say nothing; where both are installed, one file is there."""
    lay_out_tiny(tmp_path, repository)
    with (tmp_path / "project" / "CMakeLists.txt").open("a", encoding="utf-8") as file:
        file.write("install(FILES python/tiny/__init__.py DESTINATION pip RENAME py.typed)\n")
    clear(
        Checkout(root=tmp_path, env=session_env).build(),
        "the conda package would bring files that other packages have",
        f"lib/python{HERE}/site-packages/pip/py.typed belongs to pip",
    )


def test_a_stale_dist_info(sources: Checkout) -> None:
    """What an earlier install left in the tree that is packed."""
    line = '    mkdir -p "$SP_DIR"\n'
    old = (
        '    mkdir -p "$SP_DIR/rigidalign-0.0.9.dist-info"\n    printf "Name: rigidalign\\nVersion: 0.0.9\\n"'
    )
    sources.edit(
        "project/conda/build.sh", line, f'{line}{old} > "$SP_DIR/rigidalign-0.0.9.dist-info/METADATA"\n'
    )
    clear(
        sources.build(),
        "its .dist-info is stale",
        "rigidalign-0.0.9.dist-info says version 0.0.9, the package 0.1.0",
        "are of one project",
    )


def test_a_dependency_that_nothing_needs(sources: Checkout) -> None:
    """What a host package exports and no binary links is left out, and that is said."""
    sources.edit("project/conda/recipe.yaml", "    - eigen >=3.4", "    - eigen >=3.4\n    - libboost-devel")
    done = sources.build()
    assert done.returncode == 0, done.output
    assert "no run dependency, nothing links it: libboost >=" in done.output
    assert "(the run exports of libboost-devel)" in done.output


def test_sources_that_do_not_compile(sources: Checkout) -> None:
    sources.edit("project/src/core/kdtree.cpp", "#include", "int broken( {\n#include")
    clear(sources.build(), "compile failed", "kdtree.cpp:", "whole log:", "only what changed is compiled")


def test_cmake_that_cannot_find_a_package(sources: Checkout) -> None:
    sources.edit(
        "project/CMakeLists.txt",
        "find_package(Eigen3",
        "find_package(NoSuchThing REQUIRED)\nfind_package(Eigen3",
    )
    clear(sources.build(), "configure failed", "NoSuchThing", "tool.diptych.host")


def test_a_failing_test(sources: Checkout) -> None:
    tests = sources.root / "project" / "tests" / "test_planted.py"
    tests.write_text("def test_planted():\n    assert 1 == 2\n")
    done = sources.build()
    clear(done, "the tests failed", "test_planted", "whole log:")
    log = sources.root / ".diptych" / "logs" / sources.cell / "test-in-source.log"
    assert "1 failed" in log.read_text()
    assert log.with_suffix(".junit.xml").is_file()


def test_tests_that_import_another_copy(sources: Checkout) -> None:
    """A copy beside the built one passes every test; it is refused all the same."""
    tests = sources.root / "project" / "tests" / "test_a_planted.py"
    overlay = str(sources.root / ".diptych" / "overlay")
    tests.write_text(
        "import shutil, sys, tempfile\n"
        f"found = next(entry for entry in sys.path if entry.startswith({overlay!r}))\n"
        "sys.path.insert(0, shutil.copytree(found, tempfile.mkdtemp(), dirs_exist_ok=True))\n"
        "import rigidalign\n\ndef test_planted():\n    assert rigidalign\n"
    )
    sources.edit("project/tests/conftest.py", "\nimport", "\nimport test_a_planted\nimport")
    clear(sources.build(), "not with this cell's files alone", "rigidalign was imported from")


def test_a_header_that_hides_the_environments(sources: Checkout, tmp_path: Path) -> None:
    planted = tmp_path / "include" / "boost" / "version.hpp"
    planted.parent.mkdir(parents=True)
    (found,) = (sources.root / ".nox").glob("*/include/boost/version.hpp")
    planted.write_bytes(found.read_bytes())
    sources.edit(
        "project/CMakeLists.txt",
        "add_subdirectory(src/core)",
        f"include_directories(BEFORE {tmp_path}/include)\nadd_subdirectory(src/core)",
    )
    clear(sources.build(), "headers from outside the cell were compiled in", str(planted))


def test_a_module_linked_to_libpython(sources: Checkout) -> None:
    (library,) = (sources.root / ".nox").glob(f"*/lib/libpython{HERE}.so")
    sources.edit(
        "project/CMakeLists.txt",
        "install(DIRECTORY",
        f"target_link_libraries(_core PRIVATE {library})\n"
        "target_link_options(_core PRIVATE -Wl,--no-as-needed)\ninstall(DIRECTORY",
    )
    clear(sources.build(), f"needs libpython{HERE}.so", "never libpython")


def test_a_library_linked_from_outside(sources: Checkout, tmp_path: Path) -> None:
    """A needed library that neither environment nor system list has is named, with where it was found."""
    library = tmp_path / "liboutside.so.1"
    process.run(
        ["g++", "-shared", "-fPIC", "-x", "c++", "/dev/null", "-Wl,-soname,liboutside.so.1", "-o", library],
        env=sources.env,
        cwd=tmp_path,
    )
    sources.edit(
        "project/CMakeLists.txt",
        "install(DIRECTORY",
        f"target_link_libraries(_core PRIVATE {library})\n"
        "target_link_options(_core PRIVATE -Wl,--no-as-needed)\ninstall(DIRECTORY",
    )
    clear(
        sources.build(),
        "something was linked that is not this cell's",
        "liboutside.so.1",
        "tool.diptych.host",
    )
