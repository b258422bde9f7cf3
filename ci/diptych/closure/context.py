"""Everything that a search depends on besides the binaries: an argument, never read from the process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from diptych.binaries import Binary
from diptych.closure.files import Files

_INTERPRETERS = {
    "x86_64": "/lib64/ld-linux-x86-64.so.2",
    "x32": "/libx32/ld-linux-x32.so.2",
    "i386": "/lib/ld-linux.so.2",
    "aarch64": "/lib/ld-linux-aarch64.so.1",
    "arm": "/lib/ld-linux-armhf.so.3",
    "ppc64le": "/lib64/ld64.so.2",
    "s390x": "/lib/ld64.so.1",
    "riscv64": "/lib/ld-linux-riscv64-lp64d.so.1",
    "loongarch64": "/lib64/ld-linux-loongarch-lp64d.so.1",
}
_MULTIARCH = {
    "x86_64": "x86_64-linux-gnu",
    "x32": "x86_64-linux-gnux32",
    "i386": "i386-linux-gnu",
    "aarch64": "aarch64-linux-gnu",
    "arm": "arm-linux-gnueabihf",
    "ppc64le": "powerpc64le-linux-gnu",
    "s390x": "s390x-linux-gnu",
    "riscv64": "riscv64-linux-gnu",
    "loongarch64": "loongarch64-linux-gnu",
}


@dataclass(frozen=True, kw_only=True)
class SearchContext:
    """The world in which a binary is loaded.

    Attributes:
        files: where libraries are looked up.
        executable: path of the running program that loads the binary with dlopen, as ``python`` does when it
            imports an extension module; None when the binary is started itself (or, for a library, looked at
            as ``ldd`` does, with the library in the executable's place).
        caller: path of the loaded image whose code calls dlopen; None: the executable. Only for Mach-O, where its
            run paths (and its loaders') count for the module's needs; glibc does not care who calls.
        environment: LD_LIBRARY_PATH, LD_PRELOAD, DYLD_LIBRARY_PATH, DYLD_FALLBACK_LIBRARY_PATH; others
            don't matter.
        cwd: what an empty entry or a relative path starts from.
        cache: name → path of ld.so.cache (:func:`diptych.closure.read_cache`).
        default_folders: the loader's built-in folders; None: those of Debian and Fedora for the machine.
        hwcaps: subfolders tried first in every folder, best first, like ``glibc-hwcaps/x86-64-v3``.
        lib: what ``$LIB`` stands for; None: Debian's ``lib/<multiarch>`` for the machine.
        musl: the loader is musl's, not glibc's.
        platform: what ``$PLATFORM`` stands for; None: the machine's name.
    """

    files: Files
    executable: str | None = None
    caller: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    cache: Mapping[str, str] = field(default_factory=dict)
    default_folders: tuple[str, ...] | None = None
    hwcaps: tuple[str, ...] = ()
    lib: str | None = None
    musl: bool = False
    platform: str | None = None


def default_folders(binary: Binary) -> tuple[str, ...]:
    """Return the folders built into the loaders of Debian and Fedora for the machine of a binary.

    Debian searches ``/lib/<multiarch>``, ``/usr/lib/<multiarch>``, ``/lib``, ``/usr/lib``; Fedora and upstream
    glibc ``/lib64``, ``/usr/lib64`` (``/lib``, ``/usr/lib`` for 32 bits). A machine has one kind or the other.
    """
    multiarch = _MULTIARCH.get(binary.machine)
    own = (f"/lib/{multiarch}", f"/usr/lib/{multiarch}") if multiarch else ()
    wide = ("/lib64", "/usr/lib64") if binary.bits == 64 else ()  # noqa: PLR2004
    return (*own, *wide, "/lib", "/usr/lib")


def lib_token(binary: Binary) -> str:
    """Return what ``$LIB`` stands for on Debian, or ``lib64``/``lib`` for a machine that is unknown there."""
    multiarch = _MULTIARCH.get(binary.machine)
    return f"lib/{multiarch}" if multiarch else ("lib64" if binary.bits == 64 else "lib")  # noqa: PLR2004


def interpreter_of(binary: Binary) -> str:
    """Return the path of the dynamic linker: what the binary says, or the ABI's for its machine."""
    return binary.interpreter or _INTERPRETERS.get(binary.machine, "")
