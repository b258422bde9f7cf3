"""The policy data, and what is asked of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from diptych.policy import Level, forecast, manylinux, musllinux, platform_tag, table_of
from diptych.policy.generate import table
from diptych.policy.generate_stable_abi import names
from diptych.policy.stable_abi import outside_stable_abi, stable_abi


def test_data_are_what_the_installed_auditwheel_has(repository: Path) -> None:
    written = json.loads((repository / "ci/diptych/data/policies.json").read_text(encoding="utf-8"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", written["date"])
    assert written["families"] == table(written["date"])["families"], (
        "run: python -m diptych.policy.generate DATE"
    )


# The table of field facts: GLIBCXX and CXXABI ceilings on x86_64.
@pytest.mark.parametrize(
    ("version", "level"),
    [
        ("GLIBC_2.5", "manylinux_2_5"),
        ("GLIBC_2.17", "manylinux_2_17"),
        ("GLIBC_2.34", "manylinux_2_34"),
        ("GLIBCXX_3.4.19", "manylinux_2_17"),
        ("GLIBCXX_3.4.20", "manylinux_2_24"),
        ("GLIBCXX_3.4.22", "manylinux_2_24"),
        ("GLIBCXX_3.4.24", "manylinux_2_27"),
        ("GLIBCXX_3.4.28", "manylinux_2_31"),
        ("GLIBCXX_3.4.29", "manylinux_2_34"),
        ("GLIBCXX_3.4.30", "manylinux_2_35"),
        ("GLIBCXX_3.4.33", "manylinux_2_39"),
        ("CXXABI_1.3.13", "manylinux_2_34"),
        ("CXXABI_1.3.15", "manylinux_2_39"),
    ],
)
def test_lowest_policy(version: str, level: str) -> None:
    assert str(manylinux().lowest(version, "x86_64")) == level


def test_nothing_admits_what_is_newer() -> None:
    assert manylinux().lowest("GLIBCXX_3.4.34", "x86_64") is None
    assert manylinux().regulated("GLIBCXX_3.4.34", "x86_64")
    assert not manylinux().regulated("OPENSSL_3.0.0", "x86_64")
    assert manylinux().ceiling("GLIBCXX", "x86_64") == "GLIBCXX_3.4.33"


def test_machines_by_both_names() -> None:
    assert manylinux().lowest("GLIBC_2.17", "aarch64") == Level(version=(2, 17))
    assert (
        manylinux().lowest("GLIBC_2.5", "i386")
        == manylinux().lowest("GLIBC_2.5", "i686")
        == Level(version=(2, 5))
    )


def test_libraries() -> None:
    assert manylinux().lowest_for_library("libc.so.6") == Level(version=(2, 5))
    assert manylinux().lowest_for_library("libmvec.so.1") == Level(version=(2, 24))
    assert manylinux().lowest_for_library("ld-linux-x86-64.so.2") is not None
    assert manylinux().lowest_for_library("libgomp.so.1") is None
    assert musllinux().lowest_for_library("libc.musl-x86_64.so.1") is not None
    assert musllinux().lowest_for_library("libstdc++.so.6") is None
    assert table_of("macosx") is None


def test_levels_are_in_order() -> None:
    assert list(manylinux().levels) == sorted(manylinux().levels)
    assert manylinux().aliases["manylinux2014"] == Level(version=(2, 17))


def test_tags() -> None:
    assert platform_tag("manylinux_2_28_x86_64").level == Level(version=(2, 28))
    assert platform_tag("manylinux2014_i686").machines == ("i386",)
    assert platform_tag("musllinux_1_2_aarch64").level == Level(family="musllinux", version=(1, 2))
    assert platform_tag("linux_x86_64").bare
    assert platform_tag("macosx_11_0_universal2").machines == ("arm64", "x86_64")
    assert platform_tag("macosx_10_9_x86_64").min_os == (10, 9)
    assert platform_tag("any").system == "any"
    assert platform_tag("win_amd64").system == "other"


@pytest.mark.parametrize(
    ("gcc", "symbol", "level"),
    [
        ("4.8", "GLIBCXX_3.4.19", "manylinux_2_17"),
        ("8", "GLIBCXX_3.4.25", "manylinux_2_31"),
        ("9.1", "GLIBCXX_3.4.26", "manylinux_2_31"),
        ("11.4.0", "GLIBCXX_3.4.29", "manylinux_2_34"),
        ("12", "GLIBCXX_3.4.30", "manylinux_2_35"),
        ("13.1", "GLIBCXX_3.4.31", "manylinux_2_39"),
        ("14", "GLIBCXX_3.4.33", "manylinux_2_39"),
        ("15", "GLIBCXX_3.4.34", "None"),
    ],
)
def test_forecast(gcc: str, symbol: str, level: str) -> None:
    found = forecast(gcc)
    assert found is not None
    assert found.symbol_version == symbol
    assert str(found.level) == level
    assert found.known


def test_forecast_beyond_the_table_says_so() -> None:
    found = forecast("99")
    assert found is not None
    assert not found.known
    assert found.level is None
    assert "newer than the table" in found.sentence
    assert forecast("3.4") is None
    assert forecast("latest") is None


def test_the_stable_abi_is_that_of_abi3info() -> None:
    """Each name with its version; a newer abi3info may have names that were added since."""
    theirs = {name: tuple(map(int, added.split("."))) for name, added in names().items()}
    ours = stable_abi()
    assert len(ours) > 900
    assert {name: theirs.get(name) for name in ours} == ours


def test_only_the_c_api_is_judged() -> None:
    wanted = {"malloc", "PyLong_FromLong", "_ZN2PyE", "Pythia", "PyType_GetName"}
    assert outside_stable_abi(wanted, (3, 10)) == {"PyType_GetName": (3, 11)}
    assert outside_stable_abi(wanted, None) == {}
    assert outside_stable_abi({"_PyObject_New", "PyUnicode_New"}, None) == {"PyUnicode_New": None}
