"""Libraries that another wheel of the host environment keeps below site-packages, as cmeel's wheels do."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest

from diptych.build.announced import announced, prefixes_of
from diptych.build.outside_files import check_links
from diptych.cell.beside import required_siblings
from diptych.cell.makers import owner_of
from diptych.environments import Environment
from diptych.errors import LinkageError
from diptych.packages.metadata import Metadata
from diptych.relink.planners import plan_for_conda, plan_for_wheel, read_tree
from diptych.siblings import inner_prefixes, siblings
from helpers.elf_builder import Sym, elf

SITE = "lib/python3.11/site-packages"
FAR = f"{SITE}/cmeel.prefix/lib/libfar.so.1"


@pytest.fixture
def host(tmp_path: Path) -> Environment:
    """An environment with a library that the package cmeel-far has from a wheel, and one that no wheel has."""
    prefix = tmp_path / "host"
    for name in (FAR, "lib/libnear.so.1"):
        (prefix / name).parent.mkdir(parents=True, exist_ok=True)
        soname = name.rpartition("/")[2]
        (prefix / name).write_bytes(elf(soname=soname, symbols=[Sym(name=f"{soname}_f", defined=True)]))
    (prefix / "conda-meta").mkdir()
    for package, file in (("cmeel-far", FAR), ("libnear", "lib/libnear.so.1")):
        record = {"name": package, "files": [file], "depends": []}
        (prefix / "conda-meta" / f"{package}.json").write_text(json.dumps(record), encoding="utf-8")
    return Environment(prefix=prefix, python=prefix / "bin/python", version="3.11", lock=(), channels=())


def stage(root: Path, *needed: str, name: str = f"cmeel.prefix/{SITE}/near.so") -> Path:
    (root / name).parent.mkdir(parents=True)
    used = [Sym(name=f"{library}_f") for library in needed]
    (root / name).write_bytes(elf(needed=[*needed, "libc.so.6"], symbols=used))
    return root


def test_where_they_lie(host: Environment) -> None:
    assert siblings(host.prefix) == {"libfar.so.1": PurePosixPath(FAR)}
    assert inner_prefixes(host.prefix) == (host.prefix / SITE / "cmeel.prefix",)
    assert siblings(host.prefix / "lib") == {}


def test_to_link_one_is_to_link_the_cells_own(tmp_path: Path, host: Environment) -> None:
    check_links(stage(tmp_path / "stage", "libfar.so.1", "libnear.so.1"), environment=host, sanitizer=None)
    with pytest.raises(LinkageError, match="not this cell's") as caught:
        check_links(stage(tmp_path / "other", "libgone.so.1"), environment=host, sanitizer=None)
    assert "libgone.so.1" in caught.value.details[0]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (f"cmeel.prefix/{SITE}/near.so", "$ORIGIN/../.."),
        ("near.so", "$ORIGIN/cmeel.prefix/lib"),
        ("pkg/sub/_near.so", "$ORIGIN/../../cmeel.prefix/lib"),
    ],
)
def test_both_packages_point_at_it(tmp_path: Path, host: Environment, name: str, path: str) -> None:
    tree = read_tree(stage(tmp_path / "stage", "libfar.so.1", name=name), prefix=host.prefix)
    for plan in (plan_for_wheel(tree), plan_for_conda(tree, home=PurePosixPath(SITE))):
        assert [one.rpath for one in plan.files] == [(path,)]
        assert plan.dropped == ()


def test_in_a_prefix_it_is_the_same_file(tmp_path: Path, host: Environment) -> None:
    tree = read_tree(stage(tmp_path / "stage", "libfar.so.1", name=f"{SITE}/near.so"), prefix=host.prefix)
    plan = plan_for_conda(tree, home=PurePosixPath())
    assert [one.rpath for one in plan.files] == [("$ORIGIN/cmeel.prefix/lib",)]


@pytest.mark.parametrize(
    ("requires", "kept"),
    [
        ("Requires-Dist: cmeel_far>=1\n", {"libfar.so.1"}),
        ("Requires-Dist: cmeel-far; extra == 'all'\n", set[str]()),
        ("Requires-Dist: numpy\n", set[str]()),
        ("", set[str]()),
    ],
    ids=["required", "in an extra", "another", "none"],
)
def test_one_that_the_wheel_does_not_require_is_grafted(
    tmp_path: Path, host: Environment, requires: str, kept: set[str]
) -> None:
    folder = tmp_path / "near-1.dist-info"
    folder.mkdir()
    text = f"Metadata-Version: 2.1\nName: near\nVersion: 1\n{requires}"
    (folder / "METADATA").write_text(text, encoding="utf-8")
    metadata = Metadata(folder=folder, name="near", version="1")
    found = required_siblings(metadata, host, python="3.11", platform="linux-64")
    assert found == kept
    tree = read_tree(stage(tmp_path / "stage", "libfar.so.1"), prefix=host.prefix).sharing(kept)
    rpaths = [one.rpath for one in plan_for_wheel(tree).files]
    assert rpaths == [("$ORIGIN/../..",)] if kept else rpaths == [None]


def test_its_package_is_known(host: Environment) -> None:
    assert owner_of("libfar.so.1", host.owners, siblings(host.prefix)) == "cmeel-far"
    assert owner_of("libnear.so.1", host.owners, siblings(host.prefix)) == "libnear"
    assert owner_of("libfar.so.1", host.owners) is None


def test_folders_that_wheels_announce_for_cmake(host: Environment) -> None:
    site = host.prefix / SITE
    for name in ("crafted/cmake", "crafted/modules", "crafted-1.dist-info"):
        (site / name).mkdir(parents=True)
    points = (
        "[cmake.prefix]\nany = crafted.cmake\ngone = crafted.gone\n[cmake.module]\nany = crafted.modules\n"
    )
    (site / "crafted-1.dist-info" / "entry_points.txt").write_text(points, encoding="utf-8")
    assert announced(host.prefix, "cmake.module") == (site / "crafted/modules",)
    assert prefixes_of(host.prefix) == (host.prefix, site / "cmeel.prefix", site / "crafted/cmake")
