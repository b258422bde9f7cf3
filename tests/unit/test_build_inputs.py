from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from diptych import process
from diptych.build.fileapi import installed
from diptych.build.sources import missing_submodules, source_files, source_hash
from diptych.build.toolenv import declared, tool_environment
from diptych.errors import ConfigError


def test_sources_outside_git_are_all_files_but_leftovers(tmp_path: Path, env: dict[str, str]) -> None:
    for name in ("src/a.cpp", "build/x.o", "__pycache__/a.pyc", ".git/config", "python/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    env["GIT_CEILING_DIRECTORIES"] = str(tmp_path.parent)
    found = source_files(tmp_path, env=env)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["python/b.py", "src/a.cpp"]


def test_an_sdist_keeps_what_its_own_gitignore_names(tmp_path: Path, env: dict[str, str]) -> None:
    process.run(["git", "init", "-q"], env=env, cwd=tmp_path)
    for name, text in ((".gitignore", "*.cxx\n"), ("a.pyx", ""), ("a.cxx", ""), (".nox/x.cxx", "")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert "a.cxx" not in [path.name for path in source_files(tmp_path, env=env)]
    (tmp_path / "PKG-INFO").write_text("Metadata-Version: 2.1\n")
    found = [path.relative_to(tmp_path).as_posix() for path in source_files(tmp_path, env=env)]
    assert found == [".gitignore", "PKG-INFO", "a.cxx", "a.pyx"]


def test_the_source_hash_sees_every_edit_and_nothing_else(tmp_path: Path, env: dict[str, str]) -> None:
    env["GIT_CEILING_DIRECTORIES"] = str(tmp_path.parent)
    (tmp_path / "a.cpp").write_text("one")
    before = source_hash(tmp_path, env=env)
    (tmp_path / "a.cpp").touch()
    assert source_hash(tmp_path, env=env) == before
    (tmp_path / "a.cpp").write_text("two")
    assert source_hash(tmp_path, env=env) != before


def test_an_empty_source_folder_is_a_fault(tmp_path: Path, env: dict[str, str]) -> None:
    env["GIT_CEILING_DIRECTORIES"] = str(tmp_path.parent)
    with pytest.raises(ConfigError, match="holds no file"):
        source_files(tmp_path, env=env)


def test_nothing_of_the_users_shell_steers_the_build() -> None:
    shell = {
        "CXXFLAGS": "-O0",
        "LD_LIBRARY_PATH": "/opt/lib",
        "PYTHONPATH": "/x",
        "HOME": "/home/me",
        "PATH": "/bin",
    }
    assert declared(shell) == {"HOME": "/home/me", "PATH": os.confstr("CS_PATH")}
    tools = tool_environment(
        shell, prefix=Path("/env"), compiler=Path("/opt/bin/g++"), extra={"CXXFLAGS": "-DX", "MINE": "1"}
    )
    assert tools["PATH"].split(":")[0] == "/env/bin"
    assert tools["CPLUS_INCLUDE_PATH"] == "/env/include"
    assert (tools["CXXFLAGS"], tools["MINE"]) == ("-DX", "1")
    assert "LD_LIBRARY_PATH" not in tools


def test_the_install_map_is_read_from_cmakes_reply(tmp_path: Path) -> None:
    reply = tmp_path / ".cmake/api/v1/reply"
    reply.mkdir(parents=True)
    rules = [
        {"type": "target", "destination": "pkg", "paths": ["lib/_core.so"], "backtrace": 1},
        {"type": "file", "destination": "pkg", "paths": ["py/a.py", {"from": "py/b.in", "to": "b.py"}]},
        {"type": "directory", "destination": "pkg", "paths": [{"from": "python/pkg", "to": "."}]},
        {"type": "script"},
    ]
    graph = {"files": ["sub/CMakeLists.txt"], "nodes": [{"file": 0}, {"file": 0, "line": 7}]}
    (reply / "directory-.json").write_text(json.dumps({"installers": rules, "backtraceGraph": graph}))
    codemodel = {"configurations": [{"directories": [{"jsonFile": "directory-.json"}, {}]}]}
    (reply / "codemodel-v2-x.json").write_text(json.dumps(codemodel))
    source = Path("/source")
    found = installed(tmp_path, source)
    assert {one.path: one.origin for one in found} == {
        "pkg/_core.so": tmp_path / "lib/_core.so",
        "pkg/a.py": source / "py/a.py",
        "pkg/b.py": source / "py/b.in",
        "pkg": source / "python/pkg",
    }
    assert {one.path: one.rule for one in found if one.rule} == {"pkg/_core.so": "sub/CMakeLists.txt:7"}
    assert [one.path for one in found if one.folder] == ["pkg"]


@pytest.mark.parametrize("fetched", [True, False])
def test_files_of_submodules_are_sources(tmp_path: Path, env: dict[str, str], *, fetched: bool) -> None:
    def git(folder: Path, *words: str) -> None:
        own = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "protocol.file.allow=always"]
        process.run(["git", *own, *words], env=env, cwd=folder)

    library, project = tmp_path / "library", tmp_path / "project"
    for folder in (library, project):
        folder.mkdir()
        git(folder, "init", "-q")
        (folder / "own.txt").write_text(folder.name)
        git(folder, "add", ".")
        git(folder, "commit", "-qm", "first")
    git(project, "submodule", "--quiet", "add", str(library), "extern/library")
    git(project, "commit", "-qm", "with a submodule")
    if not fetched:
        git(project, "submodule", "--quiet", "deinit", "--force", "extern/library")
    names = {path.relative_to(project).as_posix() for path in source_files(project, env=env)}
    assert ("extern/library/own.txt" in names) is fetched
    assert "own.txt" in names
    assert missing_submodules(project, env=env) == ([] if fetched else ["extern/library"])
