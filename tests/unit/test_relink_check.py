"""What a tool did is held against the plan: each thing that can go wrong is told, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diptych.binaries import Binary, Segment, Signature
from diptych.errors import RelinkError
from diptych.relink.apply import Slice, check_edit
from diptych.relink.plan import FilePlan
from diptych.relink.planners import Tree, plan_for_source

BINARY = Binary(
    name="x",
    format="macho",
    machine="arm64",
    bits=64,
    endianness="little",
    kind="shared",
    size=0,
    soname="@rpath/x",
    needed=("a", "b"),
    rpath=("@loader_path",),
)
BEFORE = Slice(binary=BINARY, code={"__TEXT,__text": "1"}, signature=Signature.ADHOC)
PLAN = FilePlan(name="x", rename=(("a", "c"),), rpath=("/lib",), identity="@rpath/y")
GOOD: dict[str, Any] = {"needed": ("c", "b"), "rpath": ("/lib",), "soname": "@rpath/y"}
SHIFTED = Segment(name="LOAD", vaddr=1, offset=0, filesz=1, memsz=1, align=4096, flags="r-x", loaded=True)


def after(signature: Signature = Signature.ADHOC, code: str = "1", **facts: Any) -> Slice:  # noqa: ANN401 -- of Binary
    return Slice(
        binary=replace(BINARY, **{**GOOD, **facts}), code={"__TEXT,__text": code}, signature=signature
    )


def test_what_was_planned_passes() -> None:
    check_edit(PLAN, (BEFORE,), (after(),))
    assert PLAN.applied(BINARY) == after().binary


@pytest.mark.parametrize(
    ("result", "fault"),
    [
        (after(code="2"), "code sections changed: __TEXT,__text"),
        (after(needed=("a", "b")), "needed libraries are"),
        (after(needed=("c",)), "needed libraries are"),
        (after(rpath=("@loader_path",)), "run path is"),
        (after(rpath=("/lib", "/lib")), "run path is"),
        (after(soname="@rpath/x"), "identity is"),
        (after(segments=(SHIFTED,)), "no longer agree modulo its alignment"),
        (after(Signature.STALE), "the signature is stale, and was adhoc-valid"),
        (after(Signature.ABSENT), "the signature is absent, and was adhoc-valid"),
    ],
)
def test_every_fault_is_told(result: Slice, fault: str) -> None:
    with pytest.raises(RelinkError, match="went wrong") as caught:
        check_edit(PLAN, (BEFORE,), (result,))
    (line,) = caught.value.details
    assert fault in line


def test_each_slice_is_checked() -> None:
    with pytest.raises(RelinkError, match="number of its slices"):
        check_edit(PLAN, (BEFORE, BEFORE), (after(),))
    with pytest.raises(RelinkError, match="went wrong"):
        check_edit(PLAN, (BEFORE, BEFORE), (after(), after(code="2")))


def test_in_source_everything_is_found_by_absolute_run_path(tmp_path: Path) -> None:
    core = replace(BINARY, format="elf", needed=("libown.so", "libenv.so.1"), rpath=(), soname=None)
    own = replace(BINARY, format="elf", needed=(), rpath=(), soname="libown.so")
    tree = Tree(
        root=tmp_path,
        binaries={"pkg/_core.so": core, "pkg/sub/libown.so": own},
        libraries=(tmp_path / "lib",),
    )
    home, folders = Path("/layout"), (Path("/build"), Path("/env/lib"))
    plans = {one.name: one for one in plan_for_source(tree, home=home, folders=folders).files}
    assert plans["pkg/_core.so"].rpath == ("/layout/pkg/sub", "/build", "/env/lib")
    assert plans["pkg/sub/libown.so"].rpath == ("/build", "/env/lib")
    assert all(not (one.drop or one.rename or one.add) for one in plans.values())
