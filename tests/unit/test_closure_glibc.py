"""The search, on files that exist only in a mapping. Whether it is ld.so's search: tests/integration."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from diptych.binaries import read
from diptych.closure import Found, MappedFiles, SearchContext, closure, hwcaps_of, platform_of
from diptych.closure.tokens import expanded
from diptych.errors import FormatError
from helpers.elf_builder import elf

LOADER = "/lib64/ld-linux-x86-64.so.2"
LIBC = {"/lib/x86_64-linux-gnu/libc.so.6": elf(soname="libc.so.6", needed=["ld-linux-x86-64.so.2"])}


def world(files: dict[str, bytes], **more: Any) -> SearchContext:  # noqa: ANN401 -- fields of the context
    return dataclasses.replace(SearchContext(files=MappedFiles(contents={**LIBC, **files})), **more)


def program(*needed: str, rpath: str | None = None, runpath: str | None = None) -> bytes:
    return elf(interpreter=LOADER, needed=[*needed, "libc.so.6"], rpath=rpath, runpath=runpath)


def test_a_wheel_module_in_python() -> None:
    where = world(
        {
            "/env/bin/python": program(rpath="$ORIGIN/../lib"),
            "/env/lib/libz.so.1": elf(soname="libz.so.1"),
            "/site/pkg/_x.so": elf(
                needed=["liba-1.so", "libz.so.1", "libc.so.6"], rpath="$ORIGIN/../pkg.libs"
            ),
            "/site/pkg.libs/liba-1.so": elf(soname="liba-1.so"),
        },
        executable="/env/bin/python",
    )
    found = closure("/site/pkg/_x.so", where=where)
    assert [(entry.name, entry.path, entry.found_by) for entry in found.loaded] == [
        ("liba-1.so", "/site/pkg/../pkg.libs/liba-1.so", Found.RPATH),
        ("libz.so.1", "/env/bin/../lib/libz.so.1", Found.RPATH),
        ("libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6", Found.ALREADY_LOADED),
    ]
    assert found.missing == ()
    assert [entry.name for entry in found.before] == ["libc.so.6", "ld-linux-x86-64.so.2"]


def test_what_is_missing_says_where_it_was_looked_for() -> None:
    where = world({"/bin/p": program("libq.so", runpath="$ORIGIN/../lib")}, default_folders=("/lib",))
    (entry,) = closure("/bin/p", where=where).missing[:1]
    assert entry.found_by is Found.NOT_FOUND
    assert [(tried.path, tried.by) for tried in entry.searched] == [
        ("/bin/../lib/libq.so", Found.RUNPATH),
        ("/lib/libq.so", Found.DEFAULT),
    ]


def test_other_machines_are_passed_over_and_said() -> None:
    where = world(
        {"/bin/p": program("liba.so", runpath="/a:/b"), "/a/liba.so": elf(machine=183), "/b/liba.so": elf()}
    )
    entry = closure("/bin/p", where=where).loaded[0]
    assert entry.path == "/b/liba.so"
    assert entry.searched[0].outcome == "of another machine (aarch64)"


def test_a_damaged_candidate_ends_the_search() -> None:
    where = world({"/bin/p": program("liba.so", runpath="/a:/b"), "/a/liba.so": b"no", "/b/liba.so": elf()})
    found = closure("/bin/p", where=where)
    assert [(entry.path, entry.found_by) for entry in found.missing] == [("/a/liba.so", Found.DAMAGED)]
    assert "/a/liba.so" not in found.paths


def test_what_if() -> None:
    where = world({"/bin/p": program("liba.so"), "/lib2/liba.so": elf()})
    assert closure("/bin/p", where=where).missing
    (binary,) = read(program("liba.so"), "p")
    mended = dataclasses.replace(binary, runpath=("$ORIGIN/../lib2",))
    assert closure("/bin/p", where=where, binary=mended).missing == ()


def test_cache_and_hwcaps() -> None:
    where = world(
        {
            "/bin/p": program("liba.so", "libb.so", runpath="/r"),
            "/opt/liba.so": elf(),
            "/r/glibc-hwcaps/x86-64-v3/libb.so": elf(),
            "/r/libb.so": elf(),
        },
        cache={"liba.so": "/opt/liba.so"},
        hwcaps=("glibc-hwcaps/x86-64-v3",),
    )
    found = closure("/bin/p", where=where).loaded
    assert [(entry.path, entry.found_by) for entry in found[:2]] == [
        ("/opt/liba.so", Found.CACHE),
        ("/r/glibc-hwcaps/x86-64-v3/libb.so", Found.RUNPATH),
    ]


def test_needs_in_a_circle_end() -> None:
    where = world(
        {"/bin/p": program("liba.so", rpath="/r"), "/r/liba.so": elf(needed=["liba.so", "libb.so"])}
    )
    where = world(
        {
            "/bin/p": program("liba.so", rpath="/r"),
            "/r/liba.so": elf(needed=["libb.so"]),
            "/r/libb.so": elf(needed=["liba.so"]),
        }
    )
    found = closure("/bin/p", where=where)
    assert [entry.name for entry in found.wanted_by("/r/libb.so")] == ["liba.so"]


def test_a_search_without_measure_is_refused() -> None:
    many = elf(
        interpreter=LOADER,
        needed=[f"lib{number}.so" for number in range(800)],
        rpath=":".join(map(str, range(800))),
    )
    with pytest.raises(FormatError, match="has no end"):
        closure("/bin/p", where=world({"/bin/p": many}))


def test_executable_must_be_readable() -> None:
    with pytest.raises(FormatError, match="python"):
        closure("/x.so", where=world({"/x.so": elf()}, executable="/no/python"))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$ORIGIN/lib", "/o/lib"),
        ("${ORIGIN}lib", "/olib"),
        ("$ORIGINAL", "$ORIGINAL"),
        ("$ORIGIN_", "$ORIGIN_"),
        ("/a/$LIB/$PLATFORM", "/a/lib64/x86_64"),
        ("$FOO/${BAR}", "$FOO/${BAR}"),
        ("${ORIGIN", "${ORIGIN"),
    ],
)
def test_tokens(text: str, result: str) -> None:
    assert expanded(text, {"ORIGIN": "/o", "LIB": "lib64", "PLATFORM": "x86_64"}) == result


def test_parent_of_what_is_no_folder_is_nothing() -> None:
    files = MappedFiles(contents={"/a/b/x.so": elf()})
    assert files.identity("/a/b/../b/./x.so") is not None
    assert files.identity("/a/none/../b/x.so") is None
    assert files.real("/a/b/../b/x.so") == "/a/b/x.so"
    assert files.is_folder("/a/b")
    assert not files.is_folder("/a/b/x.so")


CPU = (
    "vendor_id : GenuineIntel\n"
    "flags : cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3 avx avx2 bmi1 bmi2 f16c fma abm movbe xsave\n"
)


def test_hwcaps_of_a_cpu() -> None:
    assert hwcaps_of(CPU) == ("glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v2")
    assert hwcaps_of("flags : pni\n") == ()
    old = hwcaps_of(CPU, glibc=(2, 36))
    assert old[2:] == (
        "tls/haswell/x86_64",
        "tls/haswell",
        "tls/x86_64",
        "tls",
        "haswell/x86_64",
        "haswell",
        "x86_64",
    )
    assert (platform_of(CPU), platform_of(CPU.replace("GenuineIntel", "AuthenticAMD"))) == (
        "haswell",
        "x86_64",
    )
    amd = CPU.replace(
        "GenuineIntel", "AuthenticAMD"
    )  # no platform of its own: the kernel's word, beside the same flag
    assert hwcaps_of(amd, glibc=(2, 36))[2:] == (
        "tls/x86_64/x86_64",
        "tls/x86_64",
        "tls/x86_64",
        "tls",
        "x86_64/x86_64",
        "x86_64",
        "x86_64",
    )
