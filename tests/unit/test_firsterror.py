from __future__ import annotations

from diptych.build.firsterror import first_error


def test_the_first_error_is_shown_and_the_rest_counted() -> None:
    noise = [f"[{number}/9] Building x{number}" for number in range(5)]
    errors = [f"/src/a.cpp:{number}:1: error: bad" for number in range(40)]
    shown = list(first_error("\n".join([*noise, *errors])))
    assert shown[:2] == ["[4/9] Building x4", "/src/a.cpp:0:1: error: bad"]
    assert shown[-1] == "… and 26 more errors"


def test_cmake_and_linkers_are_understood() -> None:
    for line in ("CMake Error at CMakeLists.txt:3 (find_package):", "x.o: undefined reference to `f()'"):
        assert first_error(f"ok\n{line}\nmore")[1] == line
    assert first_error("all is well") == ()
