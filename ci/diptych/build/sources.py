"""Which files are the extension's source, and their hash."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from diptych import process
from diptych.errors import ConfigError
from diptych.store import sha256_tree

# Never source, also where no git can tell: what tools leave behind.
_LEFTOVERS = frozenset(
    {
        ".diptych", ".git", ".hg", ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache", ".tox", ".venv",
        "__pycache__", "_skbuild", "build", "dist", "node_modules", "output", "venv",
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The project's source folder, as a stage's input.

    Attributes:
        folder: where it is.
        env: with which git is asked.
        versioned: whether the backend may ask git for a version.
    """

    folder: Path
    env: Mapping[str, str]
    versioned: bool

    @property
    def files(self) -> list[Path]:
        """As :func:`source_files`."""
        return source_files(self.folder, env=self.env)

    @cached_property
    def facts(self) -> dict[str, object]:
        """What a result depends on: contents by file name, and what a version is made from; read once."""
        version = {"(version)": version_facts(self.folder, env=self.env)} if self.versioned else {}
        return {**source_hashes(self.folder, env=self.env), **version}


def source_files(source: Path, *, env: Mapping[str, str]) -> list[Path]:
    """List the files that belong to the project in ``source``, sorted.

    Inside a git work tree these are the tracked and the not ignored files (``git ls-files``, so a new file counts
    before it is added); elsewhere every file outside the usual leftovers. An unpacked sdist, which its PKG-INFO shows, delivers
    generated files that its own .gitignore names (Cython's C++): there it is both, whether somebody has made it a repository or not.

    Raises:
        ConfigError: there is no file.
    """
    listed = set(_listed(source, env))
    if (source / "PKG-INFO").is_file():  # source distribution format, PyPA specifications
        listed.update(_walked(source))
    found = sorted(path for path in listed if path.is_file() or path.is_symlink())
    if not found:
        raise ConfigError(f'the source folder "{source}" holds no file', hint="check tool.diptych.source")
    return found


def source_hash(source: Path, *, env: Mapping[str, str]) -> str:
    """Hash names, modes and contents of the project's files."""
    return sha256_tree(source, source_files(source, env=env))


def source_hashes(source: Path, *, env: Mapping[str, str]) -> dict[str, str]:
    """Hash the mode and content of each of the project's files, by its name relative to ``source``."""
    files = source_files(source, env=env)
    return {path.relative_to(source).as_posix(): sha256_tree(source, [path])[:16] for path in files}


# A version that is read from git may be forced, and dates in it follow SOURCE_DATE_EPOCH.
_VERSION_VARIABLES = (
    "HATCH_",
    "PDM_BUILD_",
    "POETRY_DYNAMIC_VERSIONING",
    "SETUPTOOLS_SCM_",
    "SOURCE_DATE_EPOCH",
    "VCS_",
)


def version_variables(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that force a version on the backend."""
    return {name: value for name, value in sorted(env.items()) if name.startswith(_VERSION_VARIABLES)}


def version_facts(source: Path, *, env: Mapping[str, str]) -> dict[str, object]:
    """Return what a version can be made from besides the files: commit, branch, tags, local changes, variables.

    setuptools_scm, hatch-vcs and their like ask git (``git describe``), so a new tag is another version of the same files.
    """
    forced = version_variables(env)
    if not _asks_git(source, env):
        return {"variables": forced}
    questions = (
        ("rev-parse", "HEAD", "--abbrev-ref", "HEAD"),
        ("for-each-ref", "--format=%(refname) %(objectname) %(*objectname)", "refs/tags"),
        ("status", "--porcelain", "--untracked-files=no"),
    )
    answers = [process.run(["git", *one], env=env, cwd=source, check=False).output for one in questions]
    return {"variables": forced, "git": answers}


def _asks_git(source: Path, env: Mapping[str, str]) -> bool:
    """Tell whether there is a git, and a repository that it could find (git(1), "Discussion" and GIT_DIR)."""
    above = (source, *source.absolute().parents)
    return bool(process.which("git", env)) and (
        "GIT_DIR" in env or any((one / ".git").exists() for one in above)
    )


def _is_work_tree(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and (path / ".git").exists()


def missing_submodules(source: Path, *, env: Mapping[str, str]) -> list[str]:
    """Return the submodules (git-submodule(1)) of a project whose folders are empty: they were not fetched."""
    if not _asks_git(source, env):
        return []
    listing = process.run(["git", "ls-files", "-sz"], env=env, cwd=source, check=False).output
    links = [line.partition("\t")[2] for line in listing.split("\0") if line.startswith("160000 ")]
    return [name for name in links if not any((source / name).glob("*"))]


def _listed(source: Path, env: Mapping[str, str]) -> Iterator[Path]:
    names = _named_by_git(source, env) if _asks_git(source, env) else []
    for name in names:
        # git lists a submodule as one name; one that was not fetched is an empty folder.
        path = source / name
        yield from _listed(path, env) if _is_work_tree(path) else (path,)
    if not names:  # an ignored folder of a work tree (a copy in a scratch place) lists nothing
        yield from _walked(source)


def _named_by_git(source: Path, env: Mapping[str, str]) -> list[str]:
    listing = ["git", "ls-files", "-coz", "--exclude-standard"]
    done = process.run(listing, env=env, cwd=source, check=False)
    if done.returncode:  # a repository that git refuses to look at, such as another person's, is none; a damaged one is an error
        inside = process.run(["git", "rev-parse", "--is-inside-work-tree"], env=env, cwd=source, check=False)
        if not inside.output.strip().endswith("true"):
            return []
        done = process.run(listing, env=env, cwd=source)
    return [name for name in done.output.split("\0") if name]


def _walked(source: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(source):
        folders[:] = sorted(name for name in folders if name not in _LEFTOVERS)
        yield from (Path(folder, name) for name in files if not name.endswith(".pyc"))
