"""DIP415 to DIP419: C library, its private names, machine and macOS against what the package says it is for."""

from __future__ import annotations

from collections.abc import Iterator

from diptych.rules import conditions
from diptych.rules.evidence import Evidence, Item
from diptych.rules.loadability import is_for_musl
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.names import is_musl_library, stem, without_hash
from diptych.rules.platform_tags import PRIVATE
from diptych.rules.search_paths import several

_SUBDIRS = {
    "linux-64": ("elf", "x86_64"),
    "linux-32": ("elf", "i386"),
    "linux-aarch64": ("elf", "aarch64"),
    "linux-ppc64le": ("elf", "ppc64le"),
    "linux-s390x": ("elf", "s390x"),
    "linux-riscv64": ("elf", "riscv64"),
    "linux-armv7l": ("elf", "arm"),
    "linux-armv6l": ("elf", "arm"),
    "osx-64": ("macho", "x86_64"),
    "osx-arm64": ("macho", "arm64"),
}
_GLIBC_PACKAGES = {"glibc", "libc6", "sysroot_linux-64", "sysroot_linux-aarch64"}
_GLIBC_PARTS = {
    "ld-linux-x86-64",
    "libanl",
    "libc",
    "libdl",
    "libm",
    "libnsl",
    "libnss_dns",
    "libnss_files",
    "libpthread",
    "libresolv",
    "librt",
    "libthread_db",
    "libutil",
}
_FIRST_YEARLY = 11
_TENS = range(4, 17)  # packaging goes no lower for x86_64, and 10.16 is what old programs see on macOS 11


@rule("DIP415", "another C library than the tag's", Severity.ERROR, conditions.packed, conditions.elf)
def other_c_library(evidence: Evidence) -> Iterator[Finding]:
    """A binary of glibc stands in a musllinux wheel, or one of musl in a manylinux wheel or a conda package.

    Why: musl has no `__printf_chk` and its kin ("Error relocating …: symbol not found"), and glibc's systems have no libc.musl-x86_64.so.1. A Python of
    glibc does not see modules called `…-linux-musl.so` either.

    Mend: build in an image of the tag's own kind (musllinux_1_2, manylinux_2_28), and graft libraries from there.

    Not seen: binaries that name no C library at all and refer to no version of it.

    Source: PEP 656; musl wiki, "Functional differences from glibc"; PEP 3149.
    """
    musl = is_for_musl(evidence)
    for item in evidence.elf:
        if item.binary.kind not in {"shared", "executable"}:
            continue
        found = tuple(_signs_of_glibc(item)) if musl else tuple(_signs_of_musl(item))
        if found:
            # A static program of any C library runs; one with an interpreter needs that.
            hard = item.binary.kind == "shared"
            yield Finding(
                given=Severity.ERROR if hard else Severity.DRIFT,
                place=item.label,
                message=f"is made for {'glibc' if musl else 'musl'}, in {_said(evidence)}",
                evidence=found[:3],
            )


def _said(evidence: Evidence) -> str:
    if evidence.platforms:
        return f"a wheel for {evidence.platforms[0].text}"
    return f"a conda package for {evidence.conda.subdir if evidence.conda else ''}"


def _signs_of_glibc(item: Item) -> Iterator[str]:
    for need in item.binary.version_needs:
        if need.version.startswith("GLIBC_"):
            yield f"needs {need.version} of {need.library}"


def _signs_of_musl(item: Item) -> Iterator[str]:
    yield from (f"NEEDED {name}" for name in item.binary.needed if is_musl_library(name))
    if "ld-musl-" in (item.binary.interpreter or ""):
        yield f"interpreter {item.binary.interpreter}"
    if item.module and item.module.platform.endswith("-musl"):
        yield f"named {item.module.tag}: a Python of glibc does not look for it"


@rule("DIP416", "binary for another machine than the conda package", Severity.ERROR, conditions.conda)
def machine_against_subdir(evidence: Evidence) -> Iterator[Finding]:
    """A binary is made for a machine or system that the package's subdir does not name.

    Why: conda installs the package on machines of its subdir alone, and there the file cannot be loaded: "wrong ELF class", "incompatible
    architecture". Cross-compiling with half of the flags, or an emulated build, leaves such files.

    Mend: build for `target_platform`: pass CMAKE_ARGS, and in cross-builds the host environment's Python, not the build one's.

    Not seen: packages of noarch (DIP501). Compilers for other machines bring files for these: below folders of their own they are a note.

    Source: conda-forge knowledge base, "Cross-compilation"; CEP 20; conda-forge/clangdev-feedstock#478; conda-forge/go-feedstock#266.
    """
    subdir = evidence.conda.subdir if evidence.conda else ""
    if subdir not in _SUBDIRS:
        return
    kind, machine = _SUBDIRS[subdir]
    for place, slices in evidence.by_file():
        have = {item.binary.machine for item in slices}
        first = slices[0]
        if first.binary.format == kind and machine in have:
            continue
        library = first.binary.kind in {"shared", "bundle"}
        near = place.startswith("lib/") and (place.count("/") == 1 or "/site-packages/" in place)
        hard = first.module is not None or (library and near)
        yield Finding(
            given=Severity.ERROR if hard else Severity.NOTE,
            place=place,
            message=f"{first.binary.format} for {', '.join(sorted(have))}, in a package for {subdir}",
            evidence=(f"kind: {first.binary.kind}",),
        )


@rule("DIP417", "macOS tag that no installer asks for", Severity.ERROR, conditions.wheel)
def tag_nobody_asks_for(evidence: Evidence) -> Iterator[Finding]:
    """A wheel's macOS tag has a number that pip never asks for.

    Why: "is not a supported wheel on this platform". From macOS 11 on, installers ask for `macosx_11_0`, `macosx_12_0`, … and never for other minor
    numbers; for arm64 never for 10.x, and for no machine below 10.4.

    Mend: set MACOSX_DEPLOYMENT_TARGET to a number with minor 0 (14.0, not 14.2), or rename with `wheel tags --platform-tag macosx_14_0_arm64`.

    Not seen: whether the binaries fit the number: DIP604.

    Source: packaging.tags.mac_platforms; pypa/packaging#578; matthew-brett/delocate#187.
    """
    macs = [tag for tag in evidence.platforms if tag.system == "macosx" and tag.min_os]
    lost = [tag for tag in macs if tag.min_os and not _asked_for(tag.min_os, tag.machines)]
    for tag in lost:
        major = max(tag.min_os[0] if tag.min_os else 0, _FIRST_YEARLY)
        later = major + 1 if tag.min_os and tag.min_os[0] == major and tag.min_os[1] else major
        yield Finding(
            given=Severity.ERROR if len(lost) == len(evidence.platforms) else Severity.DRIFT,
            message=f"no installer asks for {tag.text}",
            evidence=(f"platform tags: {'.'.join(one.text for one in evidence.platforms)}",),
            next_step=f"build with MACOSX_DEPLOYMENT_TARGET={major}.0, or tag it for {later}.0 without compiling again",
        )


def _asked_for(version: tuple[int, int], machines: tuple[str, ...]) -> bool:
    major, minor = version
    if major >= _FIRST_YEARLY:
        return minor == 0
    return minor in _TENS and machines != ("arm64",)


@rule("DIP418", "private names of glibc", Severity.ERROR, conditions.elf)
def private_names(evidence: Evidence) -> Iterator[Finding]:
    """A binary needs GLIBC_PRIVATE: what glibc keeps for its own parts.

    Why: these names come and go with each release of glibc, without notice: "version `GLIBC_PRIVATE' not found", or "symbol lookup error".
    Mostly a part of glibc itself (libpthread, libresolv, libnss_…) was copied into the package; it fits the glibc of the build machine alone.

    Mend: leave glibc's parts out (`auditwheel repair --exclude libresolv.so.2`), or use the public function instead of the private one. Another
    image changes nothing.

    Not seen: private functions that are looked up by dlsym.

    Source: glibc wiki, "Symbol versioning"; NixOS/nixpkgs#31695; pypa/auditwheel#229.
    """
    if evidence.kind == "environment" or evidence.name in _GLIBC_PACKAGES:
        return
    for item in evidence.elf:
        named = [need.library for need in item.binary.version_needs if need.version == PRIVATE]
        # glibc's parts that lie together serve each other.
        outside = [name for name in named if evidence.own_library(name) is None]
        if outside:
            part = stem(item.place) in _GLIBC_PARTS
            own = without_hash(item.place)
            symbols = [
                name for use in item.deep.version_uses if use.version == PRIVATE for name in use.symbols
            ]
            yield Finding(
                place=item.label,
                message="is a part of glibc, and needs that very glibc"
                if part
                else f"uses private names of {outside[0]}",
                evidence=(f"{PRIVATE} of {outside[0]}" + (f": {', '.join(symbols[:4])}" if symbols else ""),),
                next_step=f"auditwheel repair --exclude {own}: every system has its own"
                if part
                else f"call a public function in place of {symbols[0]}"
                if symbols
                else "",
            )


@rule(
    "DIP419", "code above the baseline without a mark", Severity.NOTE, conditions.packed, conditions.binaries
)
def unmarked_code(evidence: Evidence) -> Iterator[Finding]:
    """A binary for x86-64 has AVX code, carries no mark of it, and nothing in the package asks which processor it runs on.

    Why: a tag such as `manylinux_2_28_x86_64` promises the baseline. On a processor without AVX, the process ends with "Illegal instruction", and
    neither the loader nor a repair tool sees it before. `-march=native` on the build machine made it so.

    Mend: compile for the baseline (leave out `-march=native`), or choose faster code at run time (`target_clones`, `__builtin_cpu_supports`); a program that
    is meant for newer processors alone says so in its description.

    Not seen: code beyond the baseline without AVX registers (SSE4.2, BMI); code of more than 16 MiB in a file; a package in which any binary asks for the
    processor; programs; other machines than x86-64. Python code may choose as well, so it is a note.

    Source: x86-64 psABI, "micro-architecture levels"; Intel SDM, VZEROUPPER and XGETBV; DIP406 for what is marked.
    """
    if any(item.deep.asks_processor for item in evidence.items):
        return
    wide = [
        item.label
        for item in evidence.items
        if item.deep.wide_code and not any(mark.startswith("x86-64-") for mark in item.binary.features)
    ]
    if wide:
        yield Finding(
            place=wide[0],
            message=f"{len(wide)} binaries have AVX code, and nothing chooses it by processor",
            evidence=("vzeroupper in the code, xgetbv nowhere", *several(wide)),
        )
