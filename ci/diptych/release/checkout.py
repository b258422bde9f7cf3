"""What a checkout must be before it is released: a clean commit, with the tag of its version and a section of the changelog."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from diptych import process
from diptych.build.stage import builder_of
from diptych.config.buildsystem import build_system_of
from diptych.errors import nearest
from diptych.matrix import Cell
from diptych.output import many
from diptych.release.model import Check
from diptych.workspace import Workspace

_OURS = (".diptych", ".nox", "dist")
"""Folders that Diptych writes itself: they make no checkout dirty."""
_MOST = 5


@dataclass(frozen=True, kw_only=True)
class Commit:
    """What HEAD is.

    Attributes:
        sha: the hash of the commit; empty outside a git work tree.
        tags: the tags that point at it.
        changed: files that are not as committed, untracked ones included.
    """

    sha: str
    tags: tuple[str, ...]
    changed: tuple[str, ...]


def read_commit(root: Path, *, env: Mapping[str, str]) -> Commit:
    """Ask git about HEAD.

    Raises:
        MissingToolError: there is no git.
    """

    def git(*words: str) -> str:
        done = process.run(["git", *words], env=env, cwd=root, check=False)
        return done.output if done.returncode == 0 else ""

    excluded = [
        f":(exclude){name}" for name in _OURS
    ]  # below the table, wherever that stands in the repository
    status = git("status", "--porcelain=v1", "-z", "--untracked-files=normal", "--", ":/", *excluded)
    return Commit(
        sha=git("rev-parse", "--verify", "-q", "HEAD").strip(),
        tags=tuple(git("tag", "--points-at", "HEAD").split()),
        changed=tuple(entry[3:] for entry in status.split("\0") if entry),
    )


def check_checkout(workspace: Workspace, commit: Commit, version: str) -> tuple[Check, ...]:
    """Check the commit, its tag and the changelog against the version.

    Args:
        workspace: the checkout.
        commit: what HEAD is.
        version: what the build backend says.
    """
    return (
        _clean(commit),
        _tagged(workspace, commit, version),
        _stated(workspace, version),
        _logged(workspace, version),
    )


def check_backend(source: Path, cells: Iterable[Cell]) -> Check:
    """Check that the project's own backend compiles, as pip has nothing else to build the source distribution with.

    Where there is no backend, pip takes setuptools (PEP 517, "Build system interface"), which knows nothing of CMake.
    """
    builders = {builder_of(cell.settings.builder, source) for cell in cells}
    backend = build_system_of(source).backend
    fault = ""
    if "wrapped" in builders or ("cmake" in builders and not backend):
        fault = (
            f'pip would build the source distribution of "{source}" with {backend or "setuptools"}, which leaves out what CMake '
            "compiles; name a backend that runs CMake in [build-system], such as scikit-build-core, or no index: --index none"
        )
    return Check(name="source builds", detail=backend or "no [build-system]", fault=fault)


def changelog_of(workspace: Workspace) -> Path | None:
    """Return the changelog: the one that the table names, or the first of the usual two."""
    config = workspace.config
    if config.release.changelog:
        return config.root / config.release.changelog
    places = (config.source / "CHANGELOG.md", config.root / "CHANGELOG.md")
    return next((path for path in places if path.is_file()), None)


def section_of(text: str, version: str) -> str | None:
    """Return the part of a Markdown changelog that is about a version, without its heading; None when there is none.

    A heading is of the version when it has it as a word of its own: ``## 1.2.0``, ``# [1.2.0] - 2026-11-25``, ``## v1.2.0``.
    """
    word = re.compile(rf"(?<![\w.])v?{re.escape(version)}(?!\w|\.\w)")
    lines = text.splitlines()
    for number, line in enumerate(lines):
        level = _level(line)
        if level and word.search(line):
            rest = lines[number + 1 :]
            end = next((n for n, one in enumerate(rest) if 0 < _level(one) <= level), len(rest))
            return "\n".join(rest[:end]).strip()
    return None


def _level(line: str) -> int:
    heading = re.match(r"(#{1,6})\s", line)
    return len(heading[1]) if heading else 0


def _clean(commit: Commit) -> Check:
    if not commit.sha:
        fault = "no commit: what is released has to be named by one (git init, git commit)"
        return Check(name="clean tree", detail="no git work tree", fault=fault)
    if commit.changed:
        more = f" and {len(commit.changed) - _MOST} more" if len(commit.changed) > _MOST else ""
        names = ", ".join(commit.changed[:_MOST])
        return Check(
            name="clean tree",
            detail=f"{many(len(commit.changed), 'file')} not as committed",
            fault=f"not as committed: {names}{more}; commit or stash them",
        )
    return Check(name="clean tree", detail=f"commit {commit.sha[:12]}")


def _tagged(workspace: Workspace, commit: Commit, version: str) -> Check:
    wanted = workspace.config.release.tag.replace("{version}", version)
    built_for = (
        workspace.env.get("GITHUB_REF_NAME", "") if workspace.env.get("GITHUB_REF_TYPE") == "tag" else ""
    )
    there = ", ".join(commit.tags) or "none"
    fault = ""
    if built_for and built_for != wanted:
        fault = f'this run is for the tag "{built_for}", but version {version} has the tag "{wanted}"'
    elif wanted not in commit.tags:
        near = nearest(wanted, commit.tags)
        fault = f'HEAD does not carry the tag "{wanted}" of version {version}; its tags: {there}{near} (git tag {wanted})'
    return Check(name="tag", detail=wanted if not fault else f"tags of HEAD: {there}", fault=fault)


def _stated(workspace: Workspace, version: str) -> Check:
    """Hold the version of ``pyproject.toml`` against the backend's; CMake's and the recipe's are those of the packages."""
    from packaging.version import Version  # noqa: PLC0415 -- not needed by a listing

    stated = workspace.config.project.version
    if stated is not None and Version(stated) != Version(version):
        fault = f'"{workspace.config.source / "pyproject.toml"}" states {stated}, its build backend {version}'
        return Check(name="version", detail=stated, fault=fault)
    local = "a local version, which no public index takes" if Version(version).local else ""
    return Check(name="version", detail=version, fault=f'"{version}" is {local}' if local else "")


def _logged(workspace: Workspace, version: str) -> Check:
    path = changelog_of(workspace)
    if path is None:
        fault = f'there is no CHANGELOG.md in "{workspace.config.source}"; write one with a heading "## {version}"'
        return Check(name="changelog", detail="none", fault=fault)
    try:
        section = section_of(path.read_text(encoding="utf-8"), version)
    except (OSError, UnicodeDecodeError) as error:
        return Check(name="changelog", detail=path.name, fault=f'"{path}" cannot be read: {error}')
    if not section:
        what = "has no heading with" if section is None else "says nothing under the heading of"
        return Check(
            name="changelog",
            detail=path.name,
            fault=f'"{path}" {what} {version}; add "## {version}" and what is new',
        )
    return Check(name="changelog", detail=f"{path.name}, {many(len(section.splitlines()), 'line')}")
