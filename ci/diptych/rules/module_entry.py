"""DIP107 to DIP109: whether what has a module's name can be imported at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from diptych.rules import conditions
from diptych.rules.evidence import Damage, Evidence, Item
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.names import module_name
from diptych.rules.search_paths import several

_LIBRARY = re.compile(r"\.so(\.\d+)*$")
_TESTS = re.compile(r"(^|/)(tests?|testing|testdata)/")


@rule("DIP107", "module without its entry point", Severity.ERROR, conditions.modules)
def no_entry(evidence: Evidence) -> Iterator[Finding]:
    """A file with a module's name exports no `PyInit_` function of that name.

    Why: "dynamic module does not define module export function (PyInit_name)": the import system asks for `PyInit_` and the last part of
    the file's name, `PyInitU_` for a name that is not ASCII, or `PyModExport_`. The file was renamed, the name in the source differs from
    the build system's, or a version script or `-fvisibility=hidden` hides the function.

    Mend: give the file the name that the source has, or `PyInit_` the file's name; declare the function with PyMODINIT_FUNC, and name it in
    the version script.

    Not seen: modules without any tag in their name; Mach-O files whose symbol table is stripped (their export trie is not read). A file that
    does not refer to the C API is taken for a library for ctypes and gets a note; one that exports functions of its own may be meant for
    `dlopen` (debuggers, embedding programs) and gets a drift.

    Source: PEP 489, PEP 793; CPython, Python/importdl.c; PyO3/maturin#1080.
    """
    needed = {name.rpartition("/")[2] for item in evidence.items for name in item.binary.needed}
    apart: list[str] = []
    for item in evidence.modules:
        name = item.module.name if item.module else ""
        if item.binary.unloadable or item.binary.kind not in {"shared", "bundle", "executable"}:
            continue  # DIP109's
        if not _lacks_entry(item, name) or item.place.rpartition("/")[2] in needed:
            continue
        if not (item.deep.uses_python or item.deep.entries):
            apart.append(item.label)
            continue
        has = ", ".join(item.deep.entries[:4])
        own = sorted(item.deep.strong)
        yield Finding(
            given=Severity.DRIFT if own and not has else Severity.ERROR,
            place=item.label,
            message=f"exports no PyInit_{name}" + (f", but {has}" if has else ""),
            evidence=(
                f"exported entry points: {has or 'none'}",
                *([f"exports {', '.join(own[:4])}"] if own and not has else []),
            ),
            next_step=_entry_step(name, item),
        )
    if apart:
        yield Finding(
            given=Severity.NOTE,
            place=apart[0],
            message=f"{len(apart)} files named like modules have no entry point and do not use the C API",
            evidence=several(apart),
            next_step="nothing, where ctypes or cffi load them; a plain name without the module suffix would say so",
        )


def _lacks_entry(item: Item, name: str) -> bool:
    if item.binary.format == "macho" and not item.deep.entries and not item.deep.uses_python:
        return False
    if name.isascii():
        ends = (f"PyInit_{name}", f"PyModExport_{name}", f"HPyInit_{name}")
        return not set(ends) & set(item.deep.entries)
    encoded = name.encode("punycode").decode("ascii").replace("-", "_")
    return not {f"PyInitU_{encoded}", f"PyModExportU_{encoded}"} & set(item.deep.entries)


def _entry_step(name: str, item: Item) -> str:
    if item.deep.entries:
        other = item.deep.entries[0].partition("_")[2]
        return f"call the file {other}.…, or the function PyInit_{name}; both stand in the build script and in the source"
    return (
        f"export PyInit_{name}: PyMODINIT_FUNC in the source, `global: PyInit_{name};` in the version script"
    )


@rule("DIP108", "named like a library, and none", Severity.ERROR)
def not_a_library(evidence: Evidence) -> Iterator[Finding]:
    """A file with the name of a module or a library does not begin like ELF or Mach-O.

    Why: "invalid ELF header", "file too short", or "not a mach-o file". It is a Git LFS pointer that was never fetched, an empty file of a build
    that failed, a text, a linker script (which only the linker reads), or a library for another system.

    Mend: fetch the file (`git lfs pull`) or build it before packing; of a linker script ship the library that it names.

    Not seen: files whose name ends otherwise; a file that begins like a binary is DIP502's.

    Source: glibc elf/dl-load.c; git-lfs pointer specification; ld(1), "Implicit Linker Scripts".
    """
    needed = {name.rpartition("/")[2] for item in evidence.items for name in item.binary.needed}
    for one in evidence.misnamed:
        name = one.place.rpartition("/")[2]
        yield Finding(
            given=_misnamed_weight(one, evidence, needed=name in needed),
            place=one.place,
            message=f"is {one.other}, and no library"
            if one.other not in {"empty", "cut off"}
            else f"is {one.other}",
            evidence=(one.problem,),
            next_step=_misnamed_step(one),
        )


def _misnamed_weight(one: Damage, evidence: Evidence, *, needed: bool) -> Severity:
    module = module_name(one.place)
    if _TESTS.search(one.place):
        return Severity.NOTE
    if needed or (module is not None and module.tag):
        return Severity.ERROR
    # Development packages of conda have linker scripts for libraries, and are right.
    return Severity.NOTE if evidence.kind != "wheel" and one.other == "a linker script" else Severity.DRIFT


def _misnamed_step(one: Damage) -> str:
    steps = {
        "a Git LFS pointer": "`git lfs pull` before building, and lfs: true for actions/checkout",
        "a linker script": "ship the library that the script names; only the linker reads scripts",
        "a Windows binary": "leave it out of a package for another system",
        "a static library": "leave it out, or call it .a",
    }
    return steps.get(one.other, "")


@rule("DIP109", "library that refuses to be loaded", Severity.ERROR, conditions.elf)
def refuses(evidence: Evidence) -> Iterator[Finding]:
    """The loader refuses a module or library: by a mark (DF_1_NOOPEN, DF_1_PIE), by its type, or for what its headers say or lack.

    Why: "shared object cannot be dlopen()ed", "cannot dynamically load position-independent executable". The first comes of `-z nodlopen`, the second of
    linking with `-pie` instead of `-shared` (a compiler wrapper, or flags of programs in LDFLAGS). "only ET_DYN and ET_EXEC can be loaded": an
    object file under a library's name. "ELF file OS ABI invalid", "object file has no dynamic section", or a crash on import: the file was
    made for another system, or a tool has damaged it.

    Mend: leave `-Wl,-z,nodlopen` out; link with `-shared` (CMake: `MODULE` or `SHARED`, not an executable). Build a damaged file again, and
    leave out the tool that edited it.

    Not seen: programs that something opens as a library without a library's name; damage behind the tables that are looked up. musl's loader
    looks at neither mark, nor at the identification: a note there.

    Source: glibc elf/dl-load.c, "cannot be dlopen()ed"; glibc bug 24323; nixcloud/ip2unix#9.
    """
    musl = "musllinux" in evidence.families
    for item in evidence.elf:
        mark = _mark(item)
        if mark:
            yield Finding(
                given=Severity.NOTE if musl else Severity.ERROR,
                place=item.label,
                message="is marked as not to be opened" if mark == "NOOPEN" else "is linked as a program",
                evidence=(f"DF_1_{mark} in DT_FLAGS_1",),
                next_step="leave out -z nodlopen" if mark == "NOOPEN" else "link with -shared, without -pie",
            )
        faults = _faults(item) if _LIBRARY.search(item.place) else ()
        if faults or (item.binary.odd_identity and not mark):
            yield Finding(
                given=Severity.NOTE if musl and not faults else Severity.ERROR,
                place=item.label,
                message=f"the loader refuses it: {(*faults, *item.binary.odd_identity)[0]}",
                evidence=(*faults, *item.binary.odd_identity),
                next_step="link it with -shared"
                if item.binary.kind == "object"
                else "build it again, and look at what edits it after the link",
            )


def _mark(item: Item) -> str:
    """Return the mark by which glibc refuses a library."""
    if item.binary.kind != "shared" and module_name(item.place) is None:
        return ""
    return next((mark for mark in ("NOOPEN", "PIE") if mark in item.binary.dynamic_flags), "")


def _faults(item: Item) -> tuple[str, ...]:
    """Return what every loader refuses in a file with a library's name."""
    binary = item.binary
    types = {"object": "an object file", "core": "a core file", "other": "of no known type"}
    if binary.kind in types:
        return (f"it is {types[binary.kind]}",)
    if binary.kind == "executable" and "PIE" not in binary.dynamic_flags and binary.interpreter is None:
        return ("it is a program linked without -pie",)
    return binary.unloadable
