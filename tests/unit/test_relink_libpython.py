from __future__ import annotations

import pytest

from diptych.relink.libpython import PythonAbi, abi_of, boost_version


@pytest.mark.parametrize(
    ("needed", "version", "flags"),
    [
        ("libpython3.11.so.1.0", "3.11", ""),
        ("libpython3.14t.so.1.0", "3.14", "t"),
        ("libpython3.14td.so.1.0", "3.14", "dt"),
        ("libpython3.7m.so.1.0", "3.7", ""),
        ("@rpath/libpython3.12.dylib", "3.12", ""),
        ("/opt/local/Library/Frameworks/Python.framework/Versions/3.11/Python", "3.11", ""),
        ("/Library/Frameworks/PythonT.framework/Versions/3.13/PythonT", "3.13", "t"),
        ("libpython3.so", "3", ""),
        ("libpython3t.so", "3", "t"),
    ],
)
def test_every_spelling_of_libpython_is_read(needed: str, version: str, flags: str) -> None:
    assert abi_of(needed) == PythonAbi(version=version, flags=flags)


@pytest.mark.parametrize(
    "needed", ["libboost_python311.so.1.90.0", "libc.so.6", "mylibpythonic.so", "libpython.so"]
)
def test_what_is_no_libpython_is_none(needed: str) -> None:
    assert abi_of(needed) is None


def test_abis_accept_their_own_kind_only() -> None:
    plain, threaded = PythonAbi(version="3.13", flags=""), PythonAbi(version="3.13", flags="t")
    assert plain.accepts(plain)
    assert not plain.accepts(threaded)
    assert not plain.accepts(PythonAbi(version="3.12", flags=""))
    assert PythonAbi(version="3", flags="").accepts(plain)


def test_boost_digits_are_a_python_version() -> None:
    assert boost_version("libboost_python311.so.1.90.0") == "3.11"
    assert boost_version("/opt/homebrew/lib/libboost_numpy39.dylib") == "3.9"
    assert boost_version("libboost_graph.so.1.90.0") is None
