"""How an install tree is laid out, and what was installed below DESTDIR."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from diptych.build.fileapi import Installed
from diptych.build.layout import PREFIX, SITE, files_of, gather, layout_meant, layout_of, origins
from diptych.errors import CompileError

SITE_PACKAGES = PurePosixPath("lib/python3.11/site-packages")
HOST = Path("/env/host")


def rule(
    path: str, origin: str = "/source/x", *, at: str = "CMakeLists.txt:3", folder: bool = False
) -> Installed:
    return Installed(path=path, origin=Path(origin), rule=at, folder=folder)


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")


@pytest.mark.parametrize(
    ("paths", "name"),
    [
        (["pkg/__init__.py", "pkg/_core.so"], SITE),
        (["lib/libx.so", "include/x.h"], SITE),
        (["lib/libx.so", "/env/host/lib/python3.11/site-packages/pkg/_core.so"], PREFIX),
        (["lib/python3.11/site-packages/pkg/_core.so"], PREFIX),
        (["./lib//python3.11/site-packages/pkg"], PREFIX),
        (["/env/host/lib/python3.12/site-packages/pkg/_core.so"], SITE),
        ([], SITE),
    ],
)
def test_a_rule_for_site_packages_tells_a_prefix(paths: list[str], name: str) -> None:
    layout = layout_meant(map(rule, paths), prefix=HOST, site=SITE_PACKAGES)
    assert layout.name == name
    assert layout.site == (SITE_PACKAGES if name == PREFIX else PurePosixPath())


def test_a_stage_knows_its_layout(tmp_path: Path) -> None:
    (tmp_path / "prefix").mkdir()
    assert layout_of(tmp_path, SITE_PACKAGES).whole_prefix
    assert not layout_of(tmp_path / "prefix", SITE_PACKAGES).whole_prefix


def test_absolute_and_relative_destinations_meet_in_one_tree(tmp_path: Path) -> None:
    target, prefix, destdir = tmp_path / "stage", tmp_path / "env", tmp_path / "destdir"
    target.mkdir()
    write(destdir / target.relative_to("/"), "lib/libx.so.3", "include/x.h")
    (destdir / target.relative_to("/") / "lib/libx.so").symlink_to("libx.so.3")
    write(destdir / prefix.relative_to("/"), f"{SITE_PACKAGES}/pkg/_core.so")
    gather(destdir, target, prefix=prefix, rules=())
    assert files_of(target) == (
        "include/x.h", "lib/libx.so", "lib/libx.so.3", "lib/python3.11/site-packages/pkg/_core.so",
    )  # fmt: skip
    assert (target / "lib/libx.so").readlink() == Path("libx.so.3")
    assert not prefix.exists()


def test_a_host_environment_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "env").symlink_to("real")
    target, destdir = tmp_path / "stage", tmp_path / "destdir"
    target.mkdir()
    write(destdir / (tmp_path / "real").relative_to("/"), f"{SITE_PACKAGES}/pkg/_core.so")
    gather(destdir, target, prefix=tmp_path / "env", rules=())
    assert files_of(target) == (f"{SITE_PACKAGES}/pkg/_core.so",)


def test_what_lands_elsewhere_is_named_with_its_rule(tmp_path: Path) -> None:
    target, destdir = tmp_path / "stage", tmp_path / "destdir"
    target.mkdir()
    write(destdir, "etc/x.conf", "opt/data/a/b.txt", "srv/unknown")
    rules = [
        rule("/etc/x.conf", at="CMakeLists.txt:9"),
        rule("/opt/data", at="sub/CMakeLists.txt:2", folder=True),
    ]
    with pytest.raises(CompileError) as refused:
        gather(destdir, target, prefix=tmp_path / "env", rules=rules)
    assert set(refused.value.details) == {
        "/etc/x.conf (CMakeLists.txt:9)",
        "/opt/data/a/b.txt (sub/CMakeLists.txt:2)",
        "/srv/unknown",
    }
    assert "Python_SITEARCH" in refused.value.hint


def test_files_have_the_origin_of_the_nearest_rule() -> None:
    rules = [
        rule("lib/libx.so.3", "/tree/libx.so.3"),
        rule("/env/host/lib/python3.11/site-packages/pkg", "/source/python", folder=True),
    ]
    names = ["lib/libx.so.3", "lib/libx.so", f"{SITE_PACKAGES}/pkg/sub/a.py"]
    assert dict(origins(names, rules, prefix=HOST)) == {
        "lib/libx.so.3": Path("/tree/libx.so.3"),
        f"{SITE_PACKAGES}/pkg/sub/a.py": Path("/source/python/sub/a.py"),
    }
