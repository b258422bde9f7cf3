"""DIP408 and DIP409: whether the segments of an ELF file can be mapped."""

from __future__ import annotations

from collections.abc import Iterator

from diptych.binaries import Binary, Section
from diptych.rules import conditions
from diptych.rules.evidence import Evidence
from diptych.rules.model import Finding, Severity, rule

_SHOWN = 3
_PAGE_64K = 0x10000


@rule("DIP408", "segments that cannot be mapped", Severity.ERROR, conditions.elf)
def misaligned(evidence: Evidence) -> Iterator[Finding]:
    """A loaded segment's address and file offset do not agree modulo its alignment, or a section lies in no segment.

    Why: "section .dynstr can't be allocated in segment", "ELF load command address/offset not page-aligned", or a crash in `_init`: an old patchelf, or strip after patchelf, wrote the
    file.

    Mend: strip first, patch once, with patchelf 0.18 or newer; then read the file back.

    Not seen: whether code reads what lies in the segments.

    Source: System V gABI, "Program Header"; pypa/auditwheel#716, #722; NixOS/patchelf#492, #558.
    """
    for item in evidence.elf:
        wrong = [segment for segment in item.binary.segments if segment.loaded and not segment.congruent]
        if wrong:
            first = wrong[0]
            yield Finding(
                place=item.label,
                message=f"{len(wrong)} segments are misaligned",
                evidence=(f"address {first.vaddr:#x}, offset {first.offset:#x}, alignment {first.align:#x}",),
            )
        if stray := [one.name for one in item.binary.sections if _is_stray(one, item.binary)]:
            yield Finding(
                given=Severity.DRIFT,  # the loader does not look at sections; strip and the next patchelf do
                place=item.label,
                message=f"{len(stray)} sections lie in no loaded segment",
                evidence=(f"sections: {', '.join(stray[:_SHOWN])}",),
            )


def _is_stray(section: Section, binary: Binary) -> bool:
    """Tell whether a section that is part of the memory image is in no segment that is mapped."""
    end = section.offset + section.size
    return (
        section.loaded
        and section.stored
        and section.size > 0
        and binary.kind in {"shared", "executable"}
        and not any(
            one.offset <= section.offset
            and end <= one.offset + one.filesz
            and section.vaddr - one.vaddr == section.offset - one.offset
            for one in binary.segments
            if one.loaded
        )
    )


@rule("DIP409", "does not load on 64 KiB pages", Severity.DRIFT, conditions.large_pages)
def small_pages(evidence: Evidence) -> Iterator[Finding]:
    """An aarch64 or ppc64le binary has segments aligned to less than 64 KiB.

    Why: kernels with 64 KiB pages (RHEL 8 and others on aarch64) refuse it: "ELF load command alignment not page-aligned".
    `-z max-page-size=4096`, lld's default, or a patchelf without `--page-size 65536` made it so.

    Mend: `-Wl,-z,max-page-size=65536`; `patchelf --page-size 65536`.

    Not seen: x86-64, where pages have 4 KiB.

    Source: pypa/manylinux#1421; pypa/auditwheel#716; AArch64 ELF ABI.
    """
    for item in evidence.elf:
        if item.binary.machine in {"aarch64", "ppc64le"} and evidence.packed:
            small = [one.align for one in item.binary.segments if one.loaded and one.align < _PAGE_64K]
            if small and item.binary.kind != "object":
                yield Finding(
                    place=item.label,
                    message=f"a segment is aligned to {min(small)} bytes",
                    evidence=(f"{len(small)} loaded segments",),
                )
