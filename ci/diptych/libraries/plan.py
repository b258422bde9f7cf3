"""Which of a cell's host packages its own compiler has to compile, and under which ABI."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from diptych.compilers import Compiler
from diptych.config import LibrarySpec
from diptych.errors import MissingToolError
from diptych.packages.specs import name_of
from diptych.store import digest

BOOST = "boost"
HEADERS, PYTHON, DEVEL = "libboost-headers", "libboost-python", "libboost-python-devel"
_DEFAULT = LibrarySpec(name=BOOST, source="apt:boost1.90/sid")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be compiled for one cell.

    Attributes:
        compiler: the cell's, as found.
        flags: its flags of the table.
        libraries: the libraries.
        packages: the names of all packages that they become.
        specs: what the cell asks for of them.
    """

    compiler: Compiler
    flags: tuple[str, ...]
    libraries: tuple[LibrarySpec, ...]
    packages: frozenset[str]
    specs: tuple[str, ...]

    @property
    def abi(self) -> str:
        """The C++ ABI, as build strings carry it: ``libcxx1``, ``libstdcxx_cxx11``."""
        return abi_of(self.compiler)

    @property
    def key(self) -> str:
        """Name the compiler and all that its libraries' bytes depend on, but for their sources; where it lies is no part of it."""
        facts = {name: value for name, value in asdict(self.compiler).items() if name not in {"cc", "cxx"}}
        return digest(facts, self.flags)

    @property
    def folder(self) -> str:
        """The name of the channel's folder."""
        return f"{self.compiler.name}-{self.abi}-{self.key[:8]}"

    def others(self, specs: Sequence[str]) -> tuple[str, ...]:
        """Return what is not compiled here, and what the compiled packages need besides."""
        more = ("numpy",) if PYTHON in self.packages else ()
        return tuple(dict.fromkeys((*(spec for spec in specs if spec not in self.specs), *more)))


def abi_of(compiler: Compiler) -> str:
    """Return a compiler's C++ ABI in the letters of a build string.

    Raises:
        MissingToolError: the compiler does not tell it.
    """
    if not compiler.abi:
        raise MissingToolError(
            f'the ABI of the compiler "{compiler.name}" cannot be told: its {compiler.library} names none ({compiler.cxx})',
            hint="a library for it cannot be compiled; take a compiler with a libstdc++ of GCC 5 or newer, or a libc++",
        )
    return {"libstdc++": "libstdcxx_", "libc++": "libcxx"}[compiler.library] + compiler.abi.replace("-", "_")


def asks(specs: Sequence[str], libraries: Sequence[LibrarySpec]) -> bool:
    """Tell whether a request has anything that may have to be compiled: then the compiler has to be asked."""
    return bool(_asked(specs, libraries))


def planned(
    specs: Sequence[str],
    libraries: Sequence[LibrarySpec],
    *,
    compiler: Compiler,
    flags: Sequence[str],
    lacking: bool = False,
    by_hand: Collection[str] = (),
) -> Plan | None:
    """Return what a request needs compiled; None where the packages of the channels fit.

    Args:
        specs: the cell's host environment, as conda match specs; one with a channel (``local::…``) is taken as it is.
        libraries: those of the table.
        compiler: the cell's.
        flags: its flags of the table.
        lacking: the channels have no Boost.Python for the cell's Python.
        by_hand: names of packages that a person has added to the local channel: these are taken unless the table has the library.

    Raises:
        MissingToolError: the compiler's ABI cannot be told.
    """
    chosen = [
        (spec, library)
        for spec, library in _asked(specs, libraries).items()
        if library is not _DEFAULT
        or (not {PYTHON, DEVEL} & set(by_hand) and (lacking or not _common(compiler)))
    ]
    if not chosen:
        return None
    abi_of(compiler)
    found = tuple({library.name: library for _, library in chosen}.values())
    return Plan(
        compiler=compiler,
        flags=tuple(flags),
        libraries=found,
        packages=frozenset(name for one in found for name in packages_of(one)),
        specs=tuple(spec for spec, _ in chosen),
    )


def packages_of(library: LibrarySpec) -> tuple[str, ...]:
    """Return the names of the packages that a library becomes."""
    return (HEADERS, PYTHON, DEVEL) if library.name == BOOST else (library.name,)


def _asked(specs: Sequence[str], libraries: Sequence[LibrarySpec]) -> dict[str, LibrarySpec]:
    named = {library.name: library for library in libraries}
    makers = {name: one for one in ({BOOST: _DEFAULT} | named).values() for name in packages_of(one)}
    wanted = {spec: name_of(spec) for spec in specs if "::" not in spec}
    if not {PYTHON, DEVEL} & set(wanted.values()):  # headers alone have no ABI
        makers.pop(HEADERS, None)
    return {spec: makers[name] for spec, name in wanted.items() if name in makers}


def _common(compiler: Compiler) -> bool:
    """Tell whether the packages of the channels are made for this ABI: theirs is libstdc++ with its newer strings."""
    return compiler.library == "libstdc++" and compiler.abi == "cxx11"
