"""What a loader looks at before and while it maps an ELF file, and finds wrong (glibc ``elf/dl-load.c``, ``elf/get-dynamic-info.h``).

The file can be read nevertheless: these are words of headers that readers have no use for, and tables that are not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from diptych.binaries.elf_dynamic import (
    DT_FINI,
    DT_FINI_ARRAY,
    DT_GNU_HASH,
    DT_HASH,
    DT_INIT,
    DT_INIT_ARRAY,
    DT_JMPREL,
    DT_PLTREL,
    DT_PLTRELSZ,
    DT_RELA,
    DT_RELAENT,
    DT_RELASZ,
    DT_STRTAB,
    DT_SYMTAB,
    DT_VERNEED,
    DT_VERSYM,
    Dynamic,
)
from diptych.binaries.elf_headers import PT_LOAD, ElfFile

_SYSV, _GNU, _ARM = 0, 3, 97
_RELA_MACHINES = {62, 183}  # x86-64 and aarch64: DT_RELA alone, in records of 24 bytes
_RELA_SIZE = 24
_NEWEST_ABI = 8
_PAGE = 0x1000
_SIZES = {DT_RELA: DT_RELASZ, DT_JMPREL: DT_PLTRELSZ}
_READ_AT_LOADING = {
    DT_SYMTAB: "DT_SYMTAB",
    DT_HASH: "DT_HASH",
    DT_GNU_HASH: "DT_GNU_HASH",
    DT_RELA: "DT_RELA",
    DT_JMPREL: "DT_JMPREL",
    DT_VERSYM: "DT_VERSYM",
    DT_VERNEED: "DT_VERNEED",
    DT_INIT_ARRAY: "DT_INIT_ARRAY",
    DT_FINI_ARRAY: "DT_FINI_ARRAY",
}


def identity_faults(elf: ElfFile) -> Iterator[str]:
    """Yield what glibc, and not musl, finds wrong in the first sixteen bytes."""
    ident = elf.view.take(0, 16, "the ELF identification")
    version, abi, abi_version, padding = ident[6], ident[7], ident[8], ident[9:]
    if version != 1:
        yield f"EI_VERSION is {version} instead of 1"
    if abi not in {_SYSV, _GNU, _ARM}:
        yield f"EI_OSABI is {abi}: made for another system than Linux"
    elif abi_version and (abi == _SYSV or abi_version > _NEWEST_ABI):
        yield f"EI_ABIVERSION is {abi_version}"
    if any(padding):
        yield "the padding of e_ident is not zero"


def loading_faults(elf: ElfFile, dynamic: Dynamic) -> Iterator[str]:
    """Yield what no loader can do without, or crashes on."""
    if not elf.of_type(PT_LOAD):
        yield "no segment is loaded (PT_LOAD)"
        return
    if not dynamic.values:
        yield "there is no dynamic section (PT_DYNAMIC)"
        return
    yield from _absent(elf, dynamic.values)
    yield from _astray(elf, dynamic.values)


def _absent(elf: ElfFile, values: Mapping[int, int]) -> Iterator[str]:
    """Yield tables that are not there, and sizes that loaders do not take."""
    hashed = bool({DT_HASH, DT_GNU_HASH} & set(values))
    if DT_STRTAB not in values:
        yield "there is no DT_STRTAB"
    if DT_SYMTAB not in values and (hashed or {DT_RELA, DT_JMPREL} & set(values)):
        yield "there is no DT_SYMTAB"
    if elf.machine in _RELA_MACHINES:
        if DT_SYMTAB in values and not hashed:
            yield "there is no hash table (DT_GNU_HASH, DT_HASH): no name of it can be found"
        if values.get(DT_RELAENT, _RELA_SIZE) != _RELA_SIZE:
            yield f"DT_RELAENT is {values[DT_RELAENT]} instead of {_RELA_SIZE}"
        if values.get(DT_PLTREL, DT_RELA) != DT_RELA:
            yield f"DT_PLTREL is {values[DT_PLTREL]} instead of {DT_RELA}"


def _astray(elf: ElfFile, values: Mapping[int, int]) -> Iterator[str]:
    """Yield addresses that the loader reads or calls, and that are not there."""
    for tag, name in _READ_AT_LOADING.items():
        last = max(values.get(_SIZES.get(tag, -1), 0), 1) - 1
        if values.get(tag) and not (_mapped(elf, values[tag]) and _mapped(elf, values[tag] + last)):
            yield f"{name} points to {values[tag]:#x}, and no segment maps all of it"
    for tag, name in ((DT_INIT, "DT_INIT"), (DT_FINI, "DT_FINI")):
        if values.get(tag) and not _mapped(elf, values[tag], flag="x"):
            yield f"{name} points to {values[tag]:#x}, which no executable segment maps"


def _mapped(elf: ElfFile, address: int, flag: str = "") -> bool:
    return any(
        one.vaddr // _PAGE * _PAGE <= address < -(-(one.vaddr + one.memsz) // _PAGE) * _PAGE
        for one in elf.of_type(PT_LOAD)
        if flag in one.flags
    )
