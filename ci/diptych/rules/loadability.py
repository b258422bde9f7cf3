"""DIP410 to DIP414: marks in an ELF file by which some systems refuse to load it."""

from __future__ import annotations

from collections.abc import Iterator

from diptych.policy import Level
from diptych.rules import conditions
from diptych.rules.evidence import Evidence, Item
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.names import stem
from diptych.system import is_system_library

# Where the kernel and glibc take a missing PT_GNU_STACK for an executable stack (glibc sysdeps/*/stackinfo.h).
_EXECUTABLE_BY_DEFAULT = frozenset(
    {"x86_64", "x32", "i386", "arm", "s390x", "ppc", "ppc64", "mips", "sparc", "sparc64"}
)
_SURPLUS = 1664
"""glibc's reserve for static TLS of what is opened later, of all libraries together (64 + 16 * 100)."""
_COMPILERS = {"libgomp", "libgcc_s", "libstdc++", "libgfortran", "libomp", "libiomp5"}
_FIRST_RELR = Level(version=(2, 36))


def is_for_musl(evidence: Evidence) -> bool:
    """Tell whether a wheel promises to load on musl."""
    return "musllinux" in evidence.families


def _libraries(evidence: Evidence) -> Iterator[Item]:
    yield from (item for item in evidence.elf if item.binary.kind == "shared")


@rule("DIP410", "executable stack", Severity.ERROR, conditions.elf)
def executable_stack(evidence: Evidence) -> Iterator[Finding]:
    """A library asks for an executable stack, or does not say that it wants none.

    Why: since glibc 2.41 dlopen refuses it: "cannot enable executable stack as shared object requires". Older ones make the stack of the whole
    process executable on import. One assembler file without `.note.GNU-stack` is enough; nested functions of GNU C also ask for it.

    Mend: add `.section .note.GNU-stack,"",%progbits` to each assembler file, or link with `-Wl,-z,noexecstack`; on what is built:
    `patchelf --clear-execstack FILE`.

    Not seen: which object file asked for it. A file without PT_GNU_STACK is judged on machines whose default is an executable stack; musl's
    loader does not look at the mark.

    Source: glibc 2.41 release notes; ld(1), "-z noexecstack"; execstack(8); pypa/auditwheel#634; OpenNMT/CTranslate2#1849.
    """
    default = frozenset() if is_for_musl(evidence) else _EXECUTABLE_BY_DEFAULT
    for item in _libraries(evidence):
        stack = [segment for segment in item.binary.segments if segment.name == "GNU_STACK"]
        if any("x" in segment.flags for segment in stack):
            hard = evidence.packed and not is_for_musl(evidence)
            yield Finding(
                given=Severity.ERROR if hard else Severity.DRIFT,
                place=item.label,
                message="asks for an executable stack: glibc 2.41 and later refuse it",
                evidence=(f"PT_GNU_STACK {stack[0].flags}",),
            )
        elif item.binary.segments and not stack and item.binary.machine in default:
            yield Finding(
                given=Severity.DRIFT,
                place=item.label,
                message="does not say whether its stack is executable: the loader takes that for yes",
                evidence=("no PT_GNU_STACK",),
            )


@rule("DIP411", "relocations in the code", Severity.DRIFT, conditions.elf)
def text_relocations(evidence: Evidence) -> Iterator[Finding]:
    """The loader must write into a library's code to load it (DT_TEXTREL).

    Why: SELinux refuses it (execmod: "cannot restore segment prot after reloc: Permission denied"), and the pages are shared with no other
    process. Some object was compiled without `-fPIC`, or assembler code refers to absolute addresses.

    Mend: compile everything with `-fPIC` (CMake: `POSITION_INDEPENDENT_CODE ON`), static libraries too; `-Wl,-z,text` finds the object.

    Not seen: which object it was.

    Source: ld(1), "-z text"; SELinux, execmod; System V gABI, DT_TEXTREL.
    """
    for item in _libraries(evidence):
        if "TEXTREL" in item.binary.dynamic_flags:
            yield Finding(
                place=item.label, message="its code is changed when it is loaded", evidence=("DT_TEXTREL",)
            )


@rule("DIP412", "static TLS in a library that is opened later", Severity.ERROR, conditions.elf)
def static_tls(evidence: Evidence) -> Iterator[Finding]:
    """A library keeps thread-local variables in the space that is laid out when the process starts (DF_STATIC_TLS).

    Why: "cannot allocate memory in static TLS block". glibc keeps 1,664 bytes for all libraries that are opened later, and what others
    took is gone: it depends on the order of imports. musl keeps none: "initial-exec TLS resolves to dynamic definition".

    Mend: compile without `-ftls-model=initial-exec` (jemalloc: `--disable-initial-exec-tls`); GLIBC_TUNABLES=glibc.rtld.optional_static_tls
    helps a single machine alone.

    Not seen: how much other packages of a process take; libraries that are loaded with the program itself. A few bytes in a compiler's own
    runtime (libgomp) are a note.

    Source: glibc elf/dl-tls.c, "TLS_STATIC_SURPLUS"; musl ldso/dynlink.c; jemalloc INSTALL.md; ELF Handling For Thread-Local Storage.
    """
    musl = is_for_musl(evidence)
    for item in _libraries(evidence):
        if "STATIC_TLS" not in item.binary.dynamic_flags:
            continue
        size = sum(segment.memsz for segment in item.binary.segments if segment.name == "TLS")
        if size == 0:
            continue  # it uses another library's, which is judged itself
        hard = evidence.packed and (musl or size > _SURPLUS)
        runtime = stem(item.place) in _COMPILERS and not musl
        yield Finding(
            given=Severity.ERROR if hard else Severity.NOTE if runtime else Severity.DRIFT,
            place=item.label,
            message=f"takes {size} bytes of static TLS; "
            + ("musl has none to give" if musl else f"glibc has {_SURPLUS} for all libraries together"),
            evidence=("DF_STATIC_TLS in DT_FLAGS", f"PT_TLS of {size} bytes"),
        )


@rule("DIP413", "packed relocations that old loaders pass over", Severity.ERROR, conditions.elf)
def packed_relocations(evidence: Evidence) -> Iterator[Finding]:
    """A library has DT_RELR relocations without glibc's mark for them.

    Why: glibc before 2.36 does not know them and leaves every pointer of the file unrelocated: it crashes. From 2.36 on it refuses a
    file that needs libc.so.6 without the version GLIBC_ABI_DT_RELR: "DT_RELR without GLIBC_ABI_DT_RELR dependency". GNU ld adds the mark, lld does so
    from 15 on (`-z pack-relative-relocs`), not for `--pack-dyn-relocs=relr`.

    Mend: `-Wl,-z,nopack-relative-relocs` (GNU ld, lld 15), or without `--pack-dyn-relocs=relr`.

    Not seen: files with the mark: DIP401 holds these against the tag. musl knows DT_RELR from 1.2.4 on, and the image of musllinux_1_2 writes it: a note there.

    Source: glibc 2.36 release notes; System V gABI, DT_RELR; musl 1.2.4 release notes; ld(1).
    """
    for item in evidence.elf:
        marked = any(need.version == "GLIBC_ABI_DT_RELR" for need in item.binary.version_needs)
        severity = None if marked or "RELR" not in item.binary.dynamic_flags else _relr_weight(item, evidence)
        if severity is not None:
            yield Finding(
                given=severity,
                place=item.label,
                message="has packed relocations that not every loader of its promise applies",
                evidence=("DT_RELR", "no need for GLIBC_ABI_DT_RELR"),
            )


def _relr_weight(item: Item, evidence: Evidence) -> Severity | None:
    levels = [tag.level for tag in evidence.platforms if tag.level]
    if is_for_musl(evidence):
        return Severity.ERROR if min(levels).version < (1, 2) else Severity.NOTE
    refused = any(need.library.startswith("libc.so.") for need in item.binary.version_needs)
    floor = evidence.conda.floor("__glibc") if evidence.conda else None
    old = any(level < _FIRST_RELR for level in levels) or (floor is not None and floor < _FIRST_RELR.version)
    if refused or old:
        return Severity.ERROR if evidence.packed else Severity.DRIFT
    return Severity.DRIFT if evidence.packed else None


@rule("DIP414", "filter for a library that is not there", Severity.ERROR, conditions.elf)
def filter_without_library(evidence: Evidence) -> Iterator[Finding]:
    """A library says that another one answers for it (DT_FILTER), and that one is neither in the package nor the system's.

    Why: the loader opens the other one as well, and without it refuses both: "cannot open shared object file".

    Mend: ship the library that is named, or link without `-F NAME` (`--filter`); repair tools do not follow it.

    Not seen: DT_AUXILIARY (`-f NAME`): the loader goes on without it.

    Source: ld(1), "--filter"; glibc elf/dl-deps.c.
    """
    for item in _libraries(evidence):
        name = item.binary.filtered
        if name and evidence.own_library(name) is None and not is_system_library(name, "elf"):
            yield Finding(
                given=Severity.ERROR if evidence.kind == "wheel" else Severity.DRIFT,
                place=item.label,
                message=f"is a filter for {name}, which is not there",
                evidence=(f"DT_FILTER {name}",),
            )
