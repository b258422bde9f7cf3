"""What a failed build lacked, read from what the tools printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych import process
from diptych.build.missing import lacking

# CMake 3.31's own words for a URL that nobody answers.
DOWNLOAD = """\
CMake Error at json-subbuild/json-populate-prefix/src/json-populate-stamp/download-json-populate.cmake:170 (message):
  Each download failed!
    error: downloading 'https://127.0.0.1:9/json.tar.gz' failed
          status_string: "Couldn't connect to server"
          Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server
CMake Error at /usr/share/cmake/Modules/FetchContent.cmake:1679 (message):
  Build step for json failed: 2
"""
CLONE = """\
fatal: unable to access 'https://example.invalid/fmt.git/': Could not resolve host: example.invalid
-- Had to git clone more than once: 3 times.
CMake Error at fmt-subbuild/fmt-populate-prefix/tmp/fmt-populate-gitclone.cmake:39 (message):
  Failed to clone repository: 'https://example.invalid/fmt.git'
ninja: build stopped: subcommand failed in /x/_deps/fmt-subbuild
"""


@pytest.mark.parametrize(("output", "name"), [(DOWNLOAD, "json"), (CLONE, "fmt")])
def test_what_cmake_could_not_download_is_named(
    tmp_path: Path, env: dict[str, str], output: str, name: str
) -> None:
    found = lacking(tmp_path, output, env=env)
    assert found is not None
    assert found.detail.endswith(f": {name}")
    assert f"-DFETCHCONTENT_SOURCE_DIR_{name.upper()}=FOLDER" in found.hint


def test_another_download_is_told_without_a_name(tmp_path: Path, env: dict[str, str]) -> None:
    found = lacking(tmp_path, "curl: (6) Could not resolve host: example.invalid", env=env)
    assert found is not None
    assert "downloads something" in found.detail


def test_an_error_of_the_code_lacks_nothing(tmp_path: Path, env: dict[str, str]) -> None:
    assert lacking(tmp_path, "a.cpp:3:1: error: expected ';'", env=env) is None


def test_an_empty_submodule_comes_first(tmp_path: Path, env: dict[str, str]) -> None:
    link = f"160000,{'1' * 40},extern/x"
    for words in (("init", "-q"), ("update-index", "--add", "--cacheinfo", link)):
        process.run(["git", *words], env=env, cwd=tmp_path)
    (tmp_path / "extern" / "x").mkdir(parents=True)
    found = lacking(tmp_path, DOWNLOAD, env=env)
    assert found is not None
    assert "extern/x" in found.detail
    assert found.hint == "git submodule update --init --recursive"
