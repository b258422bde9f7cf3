from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from diptych.binaries import Binary
from diptych.binaries.model import Symbol
from diptych.errors import RelinkError
from diptych.relink.editors import InstallNameTool, Patchelf
from diptych.relink.plan import FilePlan
from diptych.relink.planners import Tree, plan_for_conda, plan_for_wheel


def elf(
    name: str, *, needed: tuple[str, ...] = (), soname: str | None = None, rpath: tuple[str, ...] = ()
) -> Binary:
    return Binary(
        name=name,
        format="elf",
        machine="x86_64",
        bits=64,
        endianness="little",
        kind="shared",
        size=0,
        soname=soname,
        needed=needed,
        rpath=rpath,
        symbols=(),
    )


@pytest.mark.parametrize(
    "edits",
    [
        {"drop": ("a",), "add": ("a",)},
        {"drop": ("a",), "rename": (("a", "b"),)},
        {"rename": (("a", "b"), ("a", "c"))},
        {"add": ("a",), "rename": (("a", "b"),)},
        {"rpath": ("$ORIGIN", "")},
    ],
    ids=["drop and add", "drop and rename", "rename twice", "add and rename", "empty run path entry"],
)
def test_a_plan_that_contradicts_itself_is_refused(edits: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(RelinkError, match=r"_core\.so"):
        FilePlan(name="_core.so", **edits)  # type: ignore[arg-type]


def test_needed_after_is_what_the_file_will_have() -> None:
    plan = FilePlan(name="x", drop=("a",), add=("n",), rename=(("b", "c"),))
    assert plan.needed_after(("a", "b", "d")) == ("c", "d", "n")
    assert not plan.empty
    assert FilePlan(name="x").empty


def test_patchelf_gets_one_call_with_everything() -> None:
    plan = FilePlan(
        name="x", drop=("a",), rename=(("b", "c"),), rpath=("$ORIGIN", "$ORIGIN/.."), identity="x.1"
    )
    assert list(Patchelf.arguments(plan)) == [
        *("--remove-needed", "a", "--replace-needed", "b", "c", "--set-soname", "x.1"),
        *("--set-rpath", "$ORIGIN:$ORIGIN/..", "--force-rpath"),
    ]
    assert list(Patchelf.arguments(FilePlan(name="x", rpath=()))) == ["--remove-rpath"]


def test_install_name_tool_cannot_drop(env: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(RelinkError, match="dead_strip"):
        list(InstallNameTool(env=env).arguments(FilePlan(name="x", drop=("a",)), tmp_path))


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    prefix = tmp_path / "prefix"
    (prefix / "lib").mkdir(parents=True)
    (prefix / "lib" / "libenv.so.1").write_bytes(b"")
    binaries = {
        "pkg/_core.so": elf(
            "_core.so", needed=("libown.so", "libdeep.so", "libc.so.6"), rpath=("/opt/leak/lib",)
        ),
        "pkg/libown.so": elf("libown.so", soname="libown.so", needed=("libc.so.6",)),
        "pkg/sub/libdeep.so": elf("libdeep.so", soname="libdeep.so"),
        "top.so": elf("top.so", needed=("libown.so",)),
    }
    return Tree(root=tmp_path, binaries=binaries, libraries=(prefix / "lib",))


def test_a_wheel_points_at_its_own_libraries_and_leaks_nothing(tree: Tree) -> None:
    plans = {plan.name: plan for plan in plan_for_wheel(tree).files}
    # Nothing binds a symbol of the two libraries here, so the module drops them: tested with real symbols elsewhere.
    assert set(plans) == set(tree.binaries)
    assert "/opt/leak/lib" not in (plans["pkg/_core.so"].rpath or ())
    assert plans["pkg/libown.so"].empty


def test_a_conda_package_finds_the_environment_from_each_depth(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diptych.relink.planners._unused", lambda _tree, _binary: ())
    binaries = {**tree.binaries, "deep/er/_x.so": elf("_x.so", needed=("libenv.so.1", "libown.so"))}
    tree = Tree(root=tree.root, binaries=binaries, libraries=tree.libraries)
    plans = {
        plan.name: plan
        for plan in plan_for_conda(tree, home=PurePosixPath("lib/python3.11/site-packages")).files
    }
    assert plans["deep/er/_x.so"].rpath == ("$ORIGIN/../../pkg", "$ORIGIN/../../../..")
    assert plans["pkg/_core.so"].rpath == ("$ORIGIN", "$ORIGIN/sub")
    assert plans["top.so"].rpath == ("$ORIGIN/pkg",)
    assert plan_for_conda(tree, home=PurePosixPath("lib/python3.11/site-packages")).dropped == ()


@pytest.mark.parametrize(
    ("name", "needed", "symbol", "added"),
    [
        ("p/_m.abi3.so", (), "PyInit__m", ("libc.so.6",)),
        ("p/_m.so", (), "PyInit__m", ("libc.so.6",)),
        ("p/_m.abi3.so", ("libc.so.6",), "PyInit__m", ()),
        ("p/_m.cpython-311-x86_64-linux-gnu.so", (), "PyInit__m", ()),
        ("p/libdata.so", (), "table", ()),
    ],
)
def test_a_module_that_needs_nothing_says_which_c_library_it_is_for(
    tmp_path: Path, name: str, needed: tuple[str, ...], symbol: str, added: tuple[str, ...]
) -> None:
    symbols = (Symbol(name=symbol, defined=True, binding="global", kind="func"),)
    binary = replace(elf(name, needed=needed), symbols=symbols)
    tree = Tree(root=tmp_path, binaries={name: binary}, libraries=(tmp_path / "lib",))
    for plan in (
        plan_for_wheel(tree),
        plan_for_conda(tree, home=PurePosixPath("lib/python3.11/site-packages")),
    ):
        assert plan.files[0].add == added
