"""What file names say."""

from __future__ import annotations

import pytest

from diptych.rules.names import abi_of_tag, boost_python, libpython, module_name, stem, without_hash
from diptych.rules.places import final_place, is_inside, led_to

SITE = "/PREFIX/lib/python3.X/site-packages"


@pytest.mark.parametrize(
    ("name", "python"),
    [
        ("libpython3.11.so.1.0", "3.11"),
        ("libpython3.11m.so.1.0", "3.11m"),
        ("libpython3.14t.so.1.0", "3.14t"),
        ("libpython3.11d.so.1.0", "3.11d"),
        ("libpython3.14td.so.1.0", "3.14td"),
        ("libpython3.so", ""),
        ("libpython3t.so", "t"),
        ("libpython2.7.so.1.0", "2.7"),
        ("libpython3-6a700644.14t.so.1.0", "3.14t"),
        ("@rpath/libpython3.11.dylib", "3.11"),
        ("/opt/local/Library/Frameworks/Python.framework/Versions/3.11/Python", "3.11"),
        ("@rpath/PythonT.framework/Versions/3.13/PythonT", "3.13t"),
    ],
)
def test_libpython(name: str, python: str) -> None:
    assert str(libpython(name)) == python


@pytest.mark.parametrize(
    "name",
    ["libpython_helper.so", "libpython", "libboost_python311.so", "python3.11", "libpythonx.so", "Python"],
)
def test_no_libpython(name: str) -> None:
    assert libpython(name) is None


def test_modules() -> None:
    found = module_name("pair/_core.cpython-313t-x86_64-linux-gnu.so")
    assert found is not None
    assert (found.name, str(found.python), found.platform) == ("_core", "3.13t", "x86_64-linux-gnu")
    stable = module_name("_core.abi3.so")
    assert stable is not None
    assert stable.stable
    assert stable.python is None
    assert module_name("libfoo.so.1") is None
    assert module_name("libfoo.1.dylib") is None


def test_abi_tags() -> None:
    assert str(abi_of_tag("cp313t")) == "3.13t"
    assert str(abi_of_tag("cp37m")) == "3.7"
    assert abi_of_tag("abi3") is None
    assert abi_of_tag("none") is None
    assert abi_of_tag("pypy311_pp73") is None


def test_boost_python() -> None:
    assert boost_python("libboost_python311.so.1.86.0") == "311"
    assert boost_python("libboost_python311-e947eb74.so.1.90.0") == "311"
    assert boost_python("@rpath/libboost_python-mt.dylib") == ""
    assert boost_python("libboost_numpy311.so.1.86.0") is None


def test_hashes_are_undone() -> None:
    assert without_hash("pair.libs/libgomp-a34b3233.so.1.0.0") == "libgomp.so.1.0.0"
    assert stem("libgomp-a34b3233.so.1.0.0") == "libgomp"
    assert stem("libc++.1.0.dylib") == "libc++"
    assert stem("libgfortran-040039e1-0352e75f.so.5.0.0") == "libgfortran"


def test_final_places() -> None:
    assert final_place("wheel", "pair/_core.so") == f"{SITE}/pair/_core.so"
    assert final_place("wheel", "pair-1.data/platlib/_x.so") == f"{SITE}/_x.so"
    assert final_place("wheel", "pair-1.data/data/lib/libx.so") == "/PREFIX/lib/libx.so"
    assert final_place("conda", "lib/libx.so") == "/PREFIX/lib/libx.so"
    assert final_place("file", "/tmp/x.so") == "/tmp/x.so"  # noqa: S108 -- no file


def test_where_entries_lead() -> None:
    place = f"{SITE}/pair/_core.so"
    assert led_to("$ORIGIN/../pair.libs", place) == f"{SITE}/pair.libs"
    assert led_to("${ORIGIN}", place) == f"{SITE}/pair"
    assert led_to("@loader_path/.dylibs", place) == f"{SITE}/pair/.dylibs"
    assert led_to("@executable_path/../lib", place) == "/PREFIX/lib"
    assert is_inside(f"{SITE}/pair", SITE)
    assert not is_inside(f"{SITE}x", SITE)
