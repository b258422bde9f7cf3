"""The compilers of this machine."""

from __future__ import annotations

import os
import re
import shutil

import pytest

from diptych.compilers import detect, installed
from diptych.config.known import known_spec
from helpers.needs import lacking

ENV = {"PATH": os.environ["PATH"]}  # noqa: TID251 -- real tools are looked for on the real PATH


@pytest.mark.parametrize(("name", "cxx", "family"), [("gcc", "g++", "gcc"), ("clang", "clang++", "clang")])
def test_a_real_compiler(name: str, cxx: str, family: str) -> None:
    if shutil.which(cxx) is None:
        lacking(cxx, package={"g++": "g++"}.get(cxx, "clang"))
    spec = known_spec(name)
    assert spec is not None
    found = detect(spec, ENV)
    assert found.family in {family, "apple-clang"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", found.version)
    assert re.fullmatch(r"[\w.]+(-[\w.]+)+", found.target)
    assert found.library in {"libstdc++", "libc++"}
    assert found.library_version.isdigit()
    assert found.cc.exists()
    assert "\n" not in found.describe()


def test_installed_finds_them() -> None:
    names = [found.name for found in installed(ENV)]
    assert names == list(dict.fromkeys(names))
    for name, cxx in (("gcc", "g++"), ("clang", "clang++")):
        assert (name in names) == (shutil.which(name) is not None and shutil.which(cxx) is not None)
