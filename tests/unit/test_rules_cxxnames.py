"""As much of name mangling as binding needs."""

from __future__ import annotations

import pytest

from diptych.rules.cxxnames import has_new_string, other_string, qualified_name

STRING = "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("_ZN3pot4nameB5cxx11Ev", "_ZN3pot4name"),
        ("_ZNK3pot4nameEv", "_ZNK3pot4name"),
        ("_ZN3potC1ERKSs", "_ZN3potC1"),
        ("_Z4nameB5cxx11v", "_Z4name"),
        ("_Z4namev", "_Z4name"),
        ("_ZN3potIiE4nameEv", None),
        ("_ZN3pot4na", None),
        ("_Z", None),
        ("name", None),
        ("_ZN", None),
        ("_ZN3potE", "_ZN3pot"),
    ],
)
def test_qualified_name(symbol: str, name: str | None) -> None:
    assert qualified_name(symbol) == name


def test_only_the_same_function_of_the_other_string_is_its_twin() -> None:
    wanted = f"_ZN3pot3setERK{STRING}"
    defined = ["_ZN3pot3setERKSs", "_ZN3pot3getERKSs", "_ZN3pan3setERKSs", "_ZN3pot3setEi", wanted]
    assert has_new_string(wanted)
    assert list(other_string(wanted, defined)) == ["_ZN3pot3setERKSs"]
    assert list(other_string("_ZN3pot3setERKSs", defined)) == [wanted]
    assert list(other_string("_ZN3pot3setEi", defined)) == []
