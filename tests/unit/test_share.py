"""Libraries that a wheel takes from a sibling: bounds, METADATA, run paths, and what compare makes of them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from diptych.binaries import Binary
from diptych.config import load
from diptych.errors import ConfigError
from diptych.packages.share import bound_of
from diptych.packages.wheel import require
from diptych.relink.planners import Tree, plan_for_wheel


@pytest.mark.parametrize(
    ("soname", "version", "bound"),
    [
        ("libboost_python311.so.1.90.0", "1.90.0", ">=1.90.0,<1.90.1"),
        ("libboost_python311.so.1.87.0", "1.87.0.1", ">=1.87.0.1,<1.87.1"),
        ("libfoo.so.3", "3.4.1", ">=3.4.1,<4"),
        ("libfoo.so.3", "2.0", "==2.0"),
        ("libfoo.so", "2.0", "==2.0"),
        ("libfoo.so.1", "not a version", "==not a version"),
    ],
)
def test_the_bound_is_what_the_soname_demands(soname: str, version: str, bound: str) -> None:
    assert bound_of(soname, version) == bound


def test_requirements_come_before_the_description(tmp_path: Path) -> None:
    file = tmp_path / "METADATA"
    file.write_text("Metadata-Version: 2.4\nName: a\n\nRequires-Dist: no header\n", encoding="utf-8")
    require(file, ["cmeel-boost >=1,<2"])
    assert file.read_text(encoding="utf-8") == (
        "Metadata-Version: 2.4\nName: a\nRequires-Dist: cmeel-boost >=1,<2\n\nRequires-Dist: no header\n"
    )
    file.write_text("Name: a\n", encoding="utf-8")
    require(file, ["b", "c"])
    assert file.read_text(encoding="utf-8") == "Name: a\nRequires-Dist: b\nRequires-Dist: c\n"
    require(file, [])


@pytest.mark.parametrize("word", ["../x", "a b", "-r", "cmeel-boost>=1", ""])
def test_a_name_that_is_no_project_is_refused(tmp_path: Path, word: str) -> None:
    text = f'[project]\nname = "pair"\nversion = "1"\n[tool.diptych]\npython = ["3.11"]\nshare = ["{word}"]\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="share"):
        load(tmp_path)


def test_a_run_path_leads_to_the_sibling_from_each_depth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diptych.relink.planners._unused", lambda _tree, _binary: ())
    site = PurePosixPath("lib/python3.11/site-packages")
    binary = Binary(
        name="_m.so", format="elf", machine="x86_64", bits=64, endianness="little", kind="shared", size=0,
        needed=("libshared.so.1", "libc.so.6"), symbols=(),
    )  # fmt: skip
    tree = Tree(root=tmp_path, libraries=(), binaries={f"{site}/a/b/_m.so": binary, f"{site}/_m.so": binary})
    shared = {"libshared.so.1": site / "cmeel.prefix/lib/libshared.so.1"}
    plans = {one.name: one for one in plan_for_wheel(tree, kept=(site,), shared=shared).files}
    assert plans[f"{site}/a/b/_m.so"].rpath == ("$ORIGIN/../../cmeel.prefix/lib",)
    assert plans[f"{site}/_m.so"].rpath == ("$ORIGIN/cmeel.prefix/lib",)
    assert plan_for_wheel(tree, kept=(site,)).files[0].rpath is None
