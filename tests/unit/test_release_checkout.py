"""What a checkout must be: the changelog's section, and the checks around a commit."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.output import Output
from diptych.release.checkout import Commit, changelog_of, check_backend, check_checkout, section_of
from diptych.workspace import Workspace, open_workspace

LOG = """\
# Changes

## Unreleased

Nothing.

## [1.2.0] - 2026-11-25

- New.

### Details

More.

## v1.1.0

- Old.

## 1.2.0rc1
"""
GOOD = Commit(sha="ab" * 20, tags=("v1.2.0",), changed=())


@pytest.mark.parametrize(
    ("version", "section"),
    [
        ("1.2.0", "- New.\n\n### Details\n\nMore."),
        ("1.1.0", "- Old."),
        ("1.2.0rc1", ""),
        ("1.2", None),
        ("2.0", None),
        ("1.0", None),
    ],
)
def test_the_section_of_a_version(version: str, section: str | None) -> None:
    assert section_of(LOG, version) == section


def space(root: Path, *, release: str = "", **env: str) -> Workspace:
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "pair"\nversion = "1.2.0"\n[tool.diptych]\npython = ["3.11"]\n{release}'
    )
    (root / "CHANGELOG.md").write_text(LOG)
    return open_workspace(root, env=env, machine="x86_64", output=Output(env={}))


def faults(workspace: Workspace, commit: Commit = GOOD, version: str = "1.2.0") -> list[str]:
    return [one.fault for one in check_checkout(workspace, commit, version) if one.fault]


def test_a_good_checkout_has_no_fault(tmp_path: Path) -> None:
    assert not faults(space(tmp_path))


@pytest.mark.parametrize(
    ("commit", "words"),
    [
        (Commit(sha="", tags=(), changed=()), "no commit"),
        (Commit(sha="ab", tags=("v1.2.0",), changed=("a.py", "b.py")), "not as committed: a.py, b.py"),
        (Commit(sha="ab", tags=("v1.2.1",), changed=()), 'did you mean "v1.2.1"?'),
        (Commit(sha="ab", tags=(), changed=()), "its tags: none"),
        (Commit(sha="ab", tags=("v1.2.0",), changed=tuple("abcdefgh")), "a, b, c, d, e and 3 more"),
    ],
)
def test_a_commit_that_cannot_be_released(tmp_path: Path, commit: Commit, words: str) -> None:
    assert any(words in fault for fault in faults(space(tmp_path), commit))


def test_the_tag_has_the_form_of_the_table(tmp_path: Path) -> None:
    workspace = space(tmp_path, release='[tool.diptych.release]\ntag = "pair-{version}"\n')
    assert any('the tag "pair-1.2.0"' in fault for fault in faults(workspace))
    assert not faults(workspace, Commit(sha="ab", tags=("pair-1.2.0",), changed=()))


def test_a_run_for_another_tag(tmp_path: Path) -> None:
    workspace = space(tmp_path, GITHUB_REF_TYPE="tag", GITHUB_REF_NAME="v1.1.0")
    assert faults(workspace) == ['this run is for the tag "v1.1.0", but version 1.2.0 has the tag "v1.2.0"']


def test_versions_that_disagree(tmp_path: Path) -> None:
    found = faults(space(tmp_path), Commit(sha="ab", tags=("v1.1.0",), changed=()), "1.1.0")
    assert len(found) == 1
    assert "states 1.2.0, its build backend 1.1.0" in found[0]


def test_the_changelog_is_the_one_of_the_table(tmp_path: Path) -> None:
    workspace = space(tmp_path, release='[tool.diptych.release]\nchangelog = "NEWS.md"\n')
    assert changelog_of(workspace) == tmp_path / "NEWS.md"
    assert any("NEWS.md" in fault and "cannot be read" in fault for fault in faults(workspace))
    (tmp_path / "NEWS.md").write_text("# 1.2.0\n")
    assert any("says nothing under the heading" in fault for fault in faults(workspace))
    (tmp_path / "CHANGELOG.md").unlink()
    assert any("there is no CHANGELOG.md" in fault for fault in faults(space_without_log(tmp_path)))


def space_without_log(root: Path) -> Workspace:
    workspace = space(root)
    (root / "CHANGELOG.md").unlink()
    return workspace


SCIKIT = '[build-system]\nrequires = ["scikit-build-core"]\nbuild-backend = "scikit_build_core.build"\n'
SETUPTOOLS = '[build-system]\nrequires = ["setuptools"]\n'


@pytest.mark.parametrize(
    ("backend", "builder", "cmake", "words"),
    [
        ("", "auto", True, "with setuptools, which leaves out what CMake compiles"),
        (SETUPTOOLS, "auto", True, "with setuptools.build_meta, which leaves out"),
        (SCIKIT, "auto", True, ""),
        (SCIKIT, "cmake", True, ""),
        (SETUPTOOLS, "auto", False, ""),
        (SETUPTOOLS, "pep517", True, ""),
    ],
    ids=[
        "no backend",
        "wrapped",
        "scikit",
        "CMake beside scikit",
        "setuptools",
        "setuptools that calls CMake",
    ],
)
def test_a_source_distribution_that_pip_cannot_build(
    tmp_path: Path, backend: str, builder: str, *, cmake: bool, words: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        f'{backend}[project]\nname = "pair"\nversion = "1"\n[tool.diptych]\npython = ["3.11"]\nbuilder = "{builder}"\n'
    )
    if cmake:
        (tmp_path / "CMakeLists.txt").write_text("project(pair)\n")
    workspace = open_workspace(tmp_path, env={}, machine="x86_64", output=Output(env={}))
    found = check_backend(workspace.config.source, workspace.cells).fault
    assert words in found
    assert bool(found) == bool(words)
