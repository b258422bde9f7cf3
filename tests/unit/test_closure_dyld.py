from __future__ import annotations

import dataclasses
from typing import Any

from diptych.binaries import read
from diptych.closure import Closure, Found, MappedFiles, SearchContext, closure
from helpers.macho_builder import CPU_ARM64, CPU_X86_64, MH_BUNDLE, MH_EXECUTE, macho, universal

SYSTEM = "/usr/lib/libSystem.B.dylib"


def world(files: dict[str, bytes], **more: Any) -> SearchContext:  # noqa: ANN401 -- fields of the context
    return dataclasses.replace(SearchContext(files=MappedFiles(contents=files)), **more)


def shown(found: Closure) -> list[tuple[str, str | None, Found]]:
    return [(entry.name, entry.path, entry.found_by) for entry in found.loaded]


def test_run_paths_go_through_the_chain_of_loaders() -> None:
    files = {
        "/env/bin/python": macho(kind=MH_EXECUTE, rpath=["@executable_path/../lib"], needed=[SYSTEM]),
        "/env/lib/libz.dylib": macho(install_name="@rpath/libz.dylib"),
        "/site/pkg/_x.so": macho(
            kind=MH_BUNDLE, rpath=["@loader_path/../libs"], needed=["@rpath/liba.dylib", SYSTEM]
        ),
        "/site/libs/liba.dylib": macho(
            install_name="@rpath/liba.dylib", needed=["@rpath/libb.dylib", "@rpath/libz.dylib"]
        ),
        "/site/libs/libb.dylib": macho(install_name="@rpath/libb.dylib", needed=["@loader_path/libc1.dylib"]),
        "/site/libs/libc1.dylib": macho(install_name="/elsewhere/libc1.dylib"),
    }
    found = closure("/site/pkg/_x.so", where=world(files, executable="/env/bin/python"))
    assert shown(found) == [
        ("@rpath/liba.dylib", "/site/pkg/../libs/liba.dylib", Found.RPATH),
        (SYSTEM, None, Found.SYSTEM),
        ("@rpath/libb.dylib", "/site/pkg/../libs/libb.dylib", Found.RPATH),
        ("@rpath/libz.dylib", "/env/bin/../lib/libz.dylib", Found.RPATH),
        ("@loader_path/libc1.dylib", "/site/libs/libc1.dylib", Found.PATH),
    ]
    assert found.missing == ()


def test_install_names_are_loaded_once() -> None:
    files = {
        "/p": macho(kind=MH_EXECUTE, rpath=["/one", "/two"], needed=["/one/liba.dylib", "@rpath/liba.dylib"]),
        "/one/liba.dylib": macho(install_name="@rpath/liba.dylib"),
        "/two/liba.dylib": macho(install_name="@rpath/liba.dylib"),
    }
    assert [entry.found_by for entry in closure("/p", where=world(files)).loaded] == [
        Found.PATH,
        Found.ALREADY_LOADED,
    ]


def test_variables() -> None:
    files = {
        "/p": macho(kind=MH_EXECUTE, needed=["/opt/liba.dylib", "/opt/libb.dylib"]),
        "/opt/liba.dylib": macho(),
        "/over/liba.dylib": macho(),
        "/fall/libb.dylib": macho(),
    }
    variables = {"DYLD_LIBRARY_PATH": "/over", "DYLD_FALLBACK_LIBRARY_PATH": "/fall"}
    assert shown(closure("/p", where=world(files, environment=variables))) == [
        ("/opt/liba.dylib", "/over/liba.dylib", Found.DYLD_LIBRARY_PATH),
        ("/opt/libb.dylib", "/fall/libb.dylib", Found.DEFAULT),
    ]


def test_weak_libraries_may_be_missing() -> None:
    files = {"/p": macho(needed=["@rpath/w.dylib", "@rpath/s.dylib"], weak=["@rpath/w.dylib"], rpath=["/r"])}
    found = closure("/p", where=world(files))
    assert [entry.name for entry in found.missing] == ["@rpath/s.dylib"]
    assert [entry.optional for entry in found.loaded] == [True, False]


def test_slices_of_the_process_are_used() -> None:
    arm_only = macho(cpu=CPU_ARM64)
    both = universal((CPU_X86_64, macho(cpu=CPU_X86_64, needed=["/intel.dylib"])), (CPU_ARM64, arm_only))
    files = {
        "/p": macho(cpu=CPU_X86_64, kind=MH_EXECUTE, rpath=["/arm", "/fat"], needed=["@rpath/a.dylib"]),
        "/arm/a.dylib": arm_only,
        "/fat/a.dylib": both,
    }
    found = closure("/p", where=world(files))
    assert found.loaded[0].path == "/fat/a.dylib"
    assert found.loaded[0].searched[0].outcome == "of another machine (arm64)"
    assert [entry.name for entry in found.missing] == ["/intel.dylib"]
    intel, arm = read(both, "a.dylib")
    assert closure("/fat/a.dylib", where=world(files), binary=arm).loaded == ()
    assert closure("/fat/a.dylib", where=world(files), binary=intel).missing
