"""The facts that rules look at: frozen, gathered before any rule runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from diptych.binaries import Binary, Signature
from diptych.closure import Closure
from diptych.policy import NewInMacOS, PlatformTag
from diptych.rules.container import ContainerFacts
from diptych.rules.names import ModuleName

_FLOOR = re.compile(r"\s*>=?\s*(\d+)(?:\.(\d+))?")
Kind = Literal["wheel", "conda", "folder", "environment", "file"]


@dataclass(frozen=True, kw_only=True)
class VersionUse:
    """Who needs a symbol version.

    Attributes:
        library: the library that must define it.
        version: like ``GLIBCXX_3.4.32``.
        symbols: the symbols with that version; empty when they were not looked up.
    """

    library: str
    version: str
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Unbound:
    """A symbol that nothing in its scope defines.

    Attributes:
        symbol: its C name.
        version: the version asked for; empty for none.
        root: the module whose loading was looked at.
        library: the library that must have it, where the binary says so (Mach-O).
        elsewhere: a binary of the target that defines it, but is not loaded with the module.
        twin: the same function with the other std::string, which the scope does define.
        twin_in: where.
    """

    symbol: str
    version: str = ""
    root: str = ""
    library: str = ""
    elsewhere: str = ""
    twin: str = ""
    twin_in: str = ""


@dataclass(frozen=True, kw_only=True)
class Deep:
    """Facts that cost a look into symbols or contents; gathered only where headers make them matter.

    Attributes:
        python_defined: of the C API's own data and functions, those that this binary defines.
        boost_registry: of Boost.Python's converter registry, the symbols that this binary defines.
        boost_wanted: Boost.Python symbols that it leaves undefined.
        boost_given: Boost.Python symbols that it defines (looked up in libboost_python itself).
        entries: names of module entry points that it exports: ``PyInit_…``.
        uses_python: whether it refers to the C API.
        python_wanted: of a module that may be for several Pythons, the names of the C API that it refers to.
        bundled: well-known C libraries whose names it exports, with the names that tell.
        wide_code: whether its code has AVX instructions; None: not looked at.
        asks_processor: whether it asks which instructions the processor has.
        internals: identifiers under which binding layers share types: ``__pybind11_internals_v11_system_…``.
        gil: whether the module says that it can do without the GIL; None: it cannot be told.
        signature: what a Mach-O signature is worth.
        version_uses: who needs the symbol versions that matter for the tag.
        unused: needed libraries to which no symbol is bound.
        unbound: symbols that nothing in the whole closure defines; None: the closure is not known as a whole.
        cxx_runtimes: C++ runtimes of which it exports out-of-line parts, with the symbols that tell.
        cxx_inside: a C++ runtime was linked into it statically, exported or hidden (ELF).
        newer: names that it cannot do without and that the system's libraries did not always have (Mach-O).
        strong: functions and objects that a module exports for no visible reason: no weak ones, no entry points.
    """

    python_defined: tuple[str, ...] = ()
    boost_registry: tuple[str, ...] = ()
    boost_wanted: frozenset[str] = frozenset()
    boost_given: frozenset[str] = frozenset()
    entries: tuple[str, ...] = ()
    uses_python: bool = False
    python_wanted: frozenset[str] = frozenset()
    bundled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wide_code: bool | None = None
    asks_processor: bool = False
    internals: tuple[str, ...] = ()
    gil: bool | None = None
    signature: Signature | None = None
    version_uses: tuple[VersionUse, ...] = ()
    unused: tuple[str, ...] = ()
    unbound: tuple[Unbound, ...] | None = None
    cxx_runtimes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cxx_inside: bool = False
    newer: tuple[NewInMacOS, ...] = ()
    strong: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Item:
    """One binary (a slice, for universal Mach-O) at its place.

    Attributes:
        place: member of the package, or path of the file.
        size: bytes of the whole file.
        binary: what its headers say.
        module: its name taken apart, when it is an extension module.
        deep: what else was looked up.
        closure: what loading it brings in from its final place; None when nobody resolved it.
        owner: the package that installed it (environments).
    """

    place: str
    size: int
    binary: Binary
    module: ModuleName | None = None
    deep: Deep = field(default_factory=Deep)
    closure: Closure | None = None
    owner: str = ""

    @property
    def label(self) -> str:
        """The place, with the slice where that matters."""
        return f"{self.place} ({self.binary.machine})" if self.binary.offset else self.place


@dataclass(frozen=True, kw_only=True)
class Damage:
    """A binary that could not be read, or a part of one.

    Attributes:
        place: the member or file.
        problem: what is wrong.
        partial: the binary is among the items, and only this part of it was not looked at.
        loaded: the loader looks at that part.
        other: it does not even begin like a binary, although its name says so: what it is instead.
    """

    place: str
    problem: str
    partial: bool = False
    loaded: bool = True
    other: str = ""


@dataclass(frozen=True, kw_only=True)
class CondaFacts:
    """What a conda package says about itself (info/index.json), or an environment's record of it.

    Attributes:
        name: the package.
        build: its build string.
        subdir: ``linux-64``, ``noarch``, ….
        noarch: ``python``, ``generic`` or empty.
        depends: the run dependencies.
        files: what it installs (records of an environment only).
    """

    name: str
    build: str = ""
    subdir: str = ""
    noarch: str = ""
    depends: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def floor(self, system: str) -> tuple[int, int] | None:
        """Return the lower bound on a dependency, such as ``__glibc``, ``__osx`` or ``python``; None when there is none."""
        found = [
            _FLOOR.match(spec.removeprefix(system)) for spec in self.depends if spec.startswith(f"{system} ")
        ]
        floors = [(int(match[1]), int(match[2] or 0)) for match in found if match]
        return max(floors, default=None)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known of one target.

    Attributes:
        target: as the person named it.
        kind: what it is.
        name: distribution or conda name.
        root: of something on disk: the folder that its places start from, absolute; empty for packages.
        items: its binaries.
        members: all files, with their sizes.
        links: symbolic links among them.
        python_tags: of a wheel: ``cp311``.
        abi_tags: ``cp311``, ``cp313t``, ``abi3``, ``none``.
        platforms: the platform tags.
        purelib: what WHEEL says of Root-Is-Purelib.
        conda: of a conda package.
        installed: the packages of an environment.
        damaged: binaries that could not be read.
        misnamed: files with the name of a binary that are something else.
        collisions: names that are one file on macOS and Windows.
        requires: of a wheel: the distributions that it always requires, normalised.
        beside: what was laid beside it (``--with``): then what is not found there is nowhere.
        preloaded: own library → the Python file of the package that loads it by name (ctypes).
        optional: module → why nobody has to be able to import it; asked of modules that lack a library.
        unread: what is there and was not looked at, a line each.
        container: the outside of a wheel or conda package.
    """

    target: str
    kind: Kind
    name: str = ""
    root: str = ""
    items: tuple[Item, ...] = ()
    members: Mapping[str, int] = field(default_factory=dict, repr=False)
    links: Mapping[str, str] = field(default_factory=dict, repr=False)
    python_tags: tuple[str, ...] = ()
    abi_tags: tuple[str, ...] = ()
    platforms: tuple[PlatformTag, ...] = ()
    purelib: bool | None = None
    conda: CondaFacts | None = None
    installed: tuple[CondaFacts, ...] = ()
    damaged: tuple[Damage, ...] = ()
    misnamed: tuple[Damage, ...] = ()
    collisions: tuple[tuple[str, ...], ...] = ()
    requires: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    preloaded: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    container: ContainerFacts | None = None

    @property
    def packed(self) -> bool:
        """Whether it is a package that somebody will install."""
        return self.kind in {"wheel", "conda"}

    @cached_property
    def families(self) -> frozenset[str]:
        """The families of policies that the tags name: "manylinux", "musllinux"."""
        return frozenset(tag.level.family for tag in self.platforms if tag.level)

    @cached_property
    def modules(self) -> tuple[Item, ...]:
        """The extension modules."""
        return tuple(item for item in self.items if item.module is not None)

    @cached_property
    def module_labels(self) -> frozenset[str]:
        """What the extension modules are called in findings."""
        return frozenset(item.label for item in self.modules)

    @cached_property
    def elf(self) -> tuple[Item, ...]:
        """The ELF binaries."""
        return tuple(item for item in self.items if item.binary.format == "elf")

    @cached_property
    def macho(self) -> tuple[Item, ...]:
        """The slices of Mach-O binaries."""
        return tuple(item for item in self.items if item.binary.format == "macho")

    @cached_property
    def by_place(self) -> Mapping[tuple[str, int], Item]:
        """Place and slice → the item."""
        return {(item.place, item.binary.offset): item for item in reversed(self.items)}

    @cached_property
    def by_library(self) -> Mapping[str, tuple[Item, ...]]:
        """Library name (SONAME, or last part of the place) → the items that answer to it."""
        found: dict[str, tuple[Item, ...]] = {}
        for item in self.items:
            names = {item.place.rpartition("/")[2], (item.binary.soname or "").rpartition("/")[2]} - {""}
            for name in names:
                found[name] = (*found.get(name, ()), item)
        return found

    def own_library(self, needed: str) -> Item | None:
        """Return the target's own library that answers to a needed name."""
        found = self.by_library.get(needed.rpartition("/")[2])
        return found[0] if found else None

    def inside(self, path: str) -> str | None:
        """Return a path on disk as a place of this target, or None when it leads elsewhere."""
        plain = posixpath.normpath(path)
        return plain[len(self.root) + 1 :] if self.root and plain.startswith(f"{self.root}/") else None

    def by_file(self) -> Iterator[tuple[str, tuple[Item, ...]]]:
        """Yield each file with its slices."""
        found: dict[str, tuple[Item, ...]] = {}
        for item in self.items:
            found[item.place] = (*found.get(item.place, ()), item)
        yield from found.items()
